#pragma once
// A channel's messages: a queue of blocks from the frame allocator. Senders put them at its end under the lock of
// mpsc_state.hpp; the receiver takes what it has claimed from the front, without.
//
// I1  A block holds `slots` messages. `first_` to `last_` is the chain of blocks; a new one is linked only
//     with a message in it, and one that has been read to its end goes back, but for the last.
// I2  When the receiver finds no message, the one block that is left is used again from its beginning. So a
//     channel that keeps up stays in few blocks; before its first message a channel has none.
// I3  A message whose move throws on its way in has not been sent, and its place is free again; on its way
//     out it stays the first, claimed.
// I4  `first_` and `read_` are the receiver's own from the first message on: a block's `next`, too, once there are
//     messages behind it that are claimed.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>
#include <eddy/sync/detail/mpsc_state.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class T>
class mpsc_core final : public mpsc_state {
  static_assert(std::is_object_v<T> && !std::is_const_v<T> && !std::is_array_v<T>,
                "eddy: a channel's messages are objects, neither const nor arrays");
  static_assert(std::is_nothrow_destructible_v<T>,
                "eddy: a channel's messages have destructors that do not throw");
  static_assert(std::is_move_constructible_v<T>, "eddy: a channel's messages can be moved");
  static_assert(alignof(T) <= 64 && (alignof(T) <= 16 || sizeof(T) <= 1024),
                "eddy: a channel's message has alignment 64 at most: box it");

 public:
  static mpsc_core* make(std::uint32_t capacity) {
    void* p = frame_allocate(sizeof(mpsc_core));
    if (p == nullptr) fatal("out of memory");
    return ::new (p) mpsc_core(capacity);
  }
  /// Gives a reference back.
  void release() noexcept {
    if (!release_one()) return;
    this->~mpsc_core();
    frame_release(this, sizeof(mpsc_core));
  }

  /// Puts a message in a place that was taken. The caller has locked; this unlocks.
  template <class... A>
  void put_and_unlock(A&&... args) noexcept(std::is_nothrow_constructible_v<T, A...>) {
    if constexpr (std::is_nothrow_constructible_v<T, A...>) {
      make_message(std::forward<A>(args)...);
    } else {
      struct give_back {
        mpsc_core* core;
        ~give_back() {
          if (core != nullptr) core->give_one_and_unlock();
        }
      } place{this};
      make_message(std::forward<A>(args)...);
      place.core = nullptr;
    }
    count_message_and_unlock();
  }
  /// The same by a permit: the receiver may be gone meanwhile. Takes the lock.
  template <class... A>
  void put_reserved(A&&... args) {
    lock().lock();
    if (receiver_gone_) [[unlikely]]
      give_one_and_unlock();
    else
      put_and_unlock(std::forward<A>(args)...);
  }

  /// Of the messages that are claimed the first.
  T& first() noexcept {
    if (read_ == slots) [[unlikely]]
      drop_block();
    return *at(first_, read_);
  }
  /// The first has been moved away.
  void drop_first() noexcept {
    std::destroy_at(at(first_, read_));
    ++read_;
    --claimed_;
    // Sooner: a message is a block, and above 4 kB the frame allocator keeps none.
    if constexpr (slots == 1) rewind();
  }

  /// Closes the channel and destroys what is in it.
  void drop_receiver() noexcept {
    close();
    block* blocks = nullptr;
    std::size_t left = std::exchange(claimed_, 0);
    std::uint32_t from = 0;
    waker gone;
    {
      wake_list wakes;
      const guard held(lock());
      receiver_gone_ = true;
      forget_receiver(gone);
      blocks = std::exchange(first_, nullptr);
      last_ = nullptr;
      const auto unclaimed = std::exchange(count_, 0);
      left += unclaimed;
      from = std::exchange(read_, 0);
      write_ = slots;
      give(static_cast<std::uint32_t>(unclaimed), wakes);
    }
    // Behind the lock: a message may hold anything, a sender of this channel too.
    while (blocks != nullptr) {
      for (; from != slots && left != 0; ++from, --left) std::destroy_at(at(blocks, from));
      from = 0;
      block* const next = blocks->next;
      frame_release(blocks, block_bytes);
      blocks = next;
    }
  }

 private:
  struct block {
    block* next;
  };
  static constexpr std::size_t offset = std::max(sizeof(block), alignof(T));
  static constexpr std::size_t largest = 4096;  // of the frame allocator's own classes
  static constexpr std::uint32_t slots =
      static_cast<std::uint32_t>(std::clamp<std::size_t>((largest - offset) / sizeof(T), 1, 32));
  static constexpr std::size_t block_bytes = offset + slots * sizeof(T);

  explicit mpsc_core(std::uint32_t capacity) noexcept : mpsc_state(capacity, slots) {}
  ~mpsc_core() = default;

  static T* at(block* b, std::uint32_t i) noexcept {
    return std::launder(reinterpret_cast<T*>(reinterpret_cast<unsigned char*>(b) + offset)) + i;
  }
  template <class... A>
  void make_message(A&&... args) {
    if (write_ != slots) [[likely]] {
      ::new (static_cast<void*>(at(last_, write_))) T(std::forward<A>(args)...);
      ++write_;
    } else {
      make_message_in_new_block(std::forward<A>(args)...);
    }
  }
  template <class... A>
  [[gnu::noinline]] void make_message_in_new_block(A&&... args) {
    void* memory = frame_allocate(block_bytes);
    if (memory == nullptr) fatal("out of memory");
    struct give_back {
      void* memory;
      ~give_back() {
        if (memory != nullptr) frame_release(memory, block_bytes);
      }
    } unused{memory};
    auto* const b = ::new (memory) block{nullptr};
    ::new (static_cast<void*>(at(b, 0))) T(std::forward<A>(args)...);
    unused.memory = nullptr;
    (last_ == nullptr ? first_ : last_->next) = b;
    last_ = b;
    write_ = 1;
  }
  [[gnu::noinline]] void drop_block() noexcept {
    block* const read = first_;
    first_ = read->next;
    read_ = 0;
    frame_release(read, block_bytes);
  }

  block* first_ = nullptr;  // the receiver's; read_ is a place in it
  block* last_ = nullptr;   // write_ is a place in it
};

}}}  // namespace eddy::EDDY_ABI::detail
