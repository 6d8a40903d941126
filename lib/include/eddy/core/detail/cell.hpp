#pragma once
// The cell that a sender and a receiver share: one value, once. A promise and its future are its ends, and
// those of a oneshot channel.
//
// The word holds bits that are set once, but for the two waits, which come and go:
//   filled    the sender has written the outcome and touches the cell no more  [sender, release; receiver, acquire]
//   abandoned the receiver is gone, or has closed the cell                     [receiver, release; sender, acquire]
//   waiting   `waiter` is valid: the sender wakes it as it fills               [receiver, release; sender, acquire]
//   watching  `watcher` is valid: the receiver wakes it as it abandons         [sender, release; receiver, acquire]
//
// I1  The sender writes the outcome before `filled`, and nothing of the cell after it but its reference.
// I2  An abandoned cell is not filled any more: what the sender has written is its own again. A filled one may
//     be abandoned, and keeps its value.
// I3  Each side writes its waker only while its bit is clear: it clears it first, and if the other side has
//     come meanwhile it leaves the waker alone.
// I4  The wakers are dropped with the cell, so one side may wake while the other goes on.
//
// Threads: one sender and one receiver, each on any thread (of `Memory`).

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/base/detail/memory.hpp>
#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/waker.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// What does not depend on the value.
template <class Memory>
class basic_cell_base {
 public:
  bool is_filled() const noexcept { return (bits_.load(std::memory_order_acquire) & filled) != 0; }
  bool is_abandoned() const noexcept {
    return (bits_.load(std::memory_order_acquire) & abandoned) != 0;
  }
  /// The receiver wants no outcome that is not there yet. True when it was there already.
  bool abandon() noexcept;
  /// The sender is done: publishes the outcome and wakes the receiver. False when there is none any more.
  bool publish() noexcept;
  /// Receiver: true when the outcome is there, or will not come; otherwise the target of `cx` will be woken.
  bool poll(context& cx) noexcept { return poll_for(filled | abandoned, waiting, waiter_, cx); }
  /// Sender: true when the cell is abandoned; otherwise the target of `cx` will be woken.
  bool poll_abandoned(context& cx) noexcept { return poll_for(abandoned, watching, watcher_, cx); }

  /// The outcome when it is not a value; "no error" means a value.
  error failure;

 protected:
  basic_cell_base() noexcept = default;
  ~basic_cell_base() = default;
  bool release_one() noexcept { return count_down<Memory>(refs_); }

 private:
  static constexpr std::uint32_t filled = 1, abandoned = 2, waiting = 4, watching = 8;
  bool poll_for(std::uint32_t done, std::uint32_t mine, waker& slot, context& cx) noexcept;

  using word = typename Memory::template atomic<std::uint32_t>;
  word bits_{0};
  word refs_{2};  // sender and receiver; partner: itself
  waker waiter_;
  waker watcher_;
  [[no_unique_address]] typename Memory::mark mark_;
};

template <class Memory>
bool basic_cell_base<Memory>::abandon() noexcept {
  Memory::check(mark_);
  const auto before = set_bits<Memory>(bits_, abandoned, std::memory_order_acq_rel);
  if ((before & (watching | abandoned | filled)) == watching) watcher_.wake();
  // Nobody will wake us any more, so whom we would have woken need not be kept.
  if ((before & (waiting | filled)) == waiting) waiter_.reset();
  return (before & filled) != 0;
}

template <class Memory>
bool basic_cell_base<Memory>::publish() noexcept {
  Memory::check(mark_);
  auto b = bits_.load(std::memory_order_relaxed);
  do {
    if ((b & abandoned) != 0) return false;
  } while (!replace<Memory>(bits_, b, b | filled, std::memory_order_acq_rel));
  if ((b & waiting) != 0) waiter_.wake();
  return true;
}

template <class Memory>
bool basic_cell_base<Memory>::poll_for(std::uint32_t done, std::uint32_t mine, waker& slot,
                                       context& cx) noexcept {
  Memory::check(mark_);
  auto b = bits_.load(std::memory_order_acquire);
  if ((b & done) != 0) return true;
  if ((b & mine) != 0) {
    if (cx.wakes_same(slot)) return false;
    b = clear_bits<Memory>(bits_, mine, std::memory_order_acq_rel);
    if ((b & done) != 0) return true;
  }
  cx.store_waker(slot);
  b = set_bits<Memory>(bits_, mine, std::memory_order_acq_rel);
  return (b & done) != 0;
}

extern template class basic_cell_base<shared_memory>;
#if !EDDY_POOL
extern template class basic_cell_base<loop_memory>;
#endif

/// The cell of what crosses threads in every build.
using cell_base = basic_cell_base<shared_memory>;

template <class T, class Memory = shared_memory>
class cell final : public basic_cell_base<Memory> {
  using stored =
      std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, void_to_unit<T>>;

 public:
  static cell* make() {
    void* p = frame_allocate(sizeof(cell));
    if (p == nullptr) fatal("out of memory");
    return ::new (p) cell;
  }
  void release() noexcept {
    if (!this->release_one()) return;
    this->~cell();
    frame_release(this, sizeof(cell));
  }
  /// Sender: the value, to be published, or taken back when that fails. Throws what making it throws.
  template <class... A>
  void put(A&&... args) {
    ::new (static_cast<void*>(&value_)) stored(std::forward<A>(args)...);
    has_value_ = true;
  }
  /// Sender: puts the value, or what making it threw, and publishes.
  template <class... A>
  void fill(A&&... args) noexcept {
#if EDDY_EXCEPTIONS
    try {
#endif
      put(std::forward<A>(args)...);
#if EDDY_EXCEPTIONS
    } catch (...) {
      return fail(error::current_exception());
    }
#endif
    this->publish();
  }
  void fail(error e) noexcept {
    this->failure = std::move(e);
    this->publish();
  }
  /// Receiver, once it is filled; or the sender, once publishing has failed.
  bool has_value() const noexcept { return has_value_; }
  stored& value() noexcept { return value_; }
  /// Receiver, once it is filled. Throws what the value's move throws.
  result<T> take() {
    if (!has_value_) return result<T>(unexpected(std::move(this->failure)));
    if constexpr (std::is_void_v<T>)
      return result<T>();
    else if constexpr (std::is_reference_v<T>)
      return result<T>(static_cast<T>(*value_));
    else
      return result<T>(std::in_place, std::move(value_));
  }

 private:
  cell() noexcept {}
  ~cell() {
    if (has_value_) std::destroy_at(&value_);
  }

  bool has_value_ = false;
  union {
    stored value_;
  };
};

}}}  // namespace eddy::EDDY_ABI::detail
