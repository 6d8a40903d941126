#pragma once
// The ready tasks of one worker: a ring with two ends. After Chase and Lev, Dynamic circular work-stealing deque
// (SPAA 2005), with a fixed size.
//
// I1  The items are those at head_ .. tail_ - 1 (positions count up and wrap). head_ never goes back.
// I2  Only the owner writes tail_. It pushes there, and may take the newest item back there.
// I3  Whoever takes at the head, a thief or the owner, has the item when it has moved head_ past it.
// I4  The owner's taking of the newest first lowers tail_ and then looks at head_; a thief looks at head_ first
//     and then at tail_. So, all four being seq_cst, at most one of them believes that an item is its own, but
//     for the last one: for that both go by I3.
//
// A template over the memory for the model checker (test/model).

#include <atomic>
#include <cstdint>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class Memory, class T, std::uint32_t Capacity>
class steal_queue {
  static_assert((Capacity & (Capacity - 1)) == 0);

 public:
  static constexpr std::uint32_t capacity = Capacity;

  steal_queue() noexcept = default;
  steal_queue(const steal_queue&) = delete;
  steal_queue& operator=(const steal_queue&) = delete;

  // ---- owner
  /// False when it is full. Published by a seq_cst store, so that who then asks whether others sleep cannot miss
  /// one that looks here after it has said that it will.
  bool push(T& item) noexcept {
    const auto t = tail_.load(std::memory_order_relaxed);
    if (t - head_.load(std::memory_order_acquire) >= Capacity) return false;
    slot(t).store(&item, std::memory_order_relaxed);
    tail_.store(t + 1, std::memory_order_seq_cst);
    return true;
  }
  /// The item pushed last, or null.
  T* pop_newest() noexcept {
    const auto t = tail_.load(std::memory_order_relaxed) - 1;
    auto h = head_.load(std::memory_order_relaxed);
    if (count(h, t + 1) == 0) return nullptr;
    tail_.store(t, std::memory_order_seq_cst);
    h = head_.load(std::memory_order_seq_cst);
    T* item = slot(t).load(std::memory_order_relaxed);
    const auto left = static_cast<std::int32_t>(t - h);
    if (left > 0) return item;
    // The last one, or it is gone: head_ decides.
    if (left < 0 || !head_.compare_exchange_strong(h, h + 1, std::memory_order_seq_cst,
                                                   std::memory_order_relaxed))
      item = nullptr;
    tail_.store(t + 1, std::memory_order_release);
    return item;
  }
  /// Positions, for the owner's own book-keeping: an item pushed at `tail()` has been taken, or the queue has
  /// been emptied behind it, once `head()` is beyond.
  std::uint32_t head() const noexcept { return head_.load(std::memory_order_relaxed); }
  std::uint32_t tail() const noexcept { return tail_.load(std::memory_order_relaxed); }

  // ---- any thread
  /// The oldest item, or null.
  T* take() noexcept {
    auto h = head_.load(std::memory_order_seq_cst);
    for (;;) {
      if (count(h, tail_.load(std::memory_order_seq_cst)) == 0) return nullptr;
      T* const item = slot(h).load(std::memory_order_relaxed);
      if (head_.compare_exchange_strong(h, h + 1, std::memory_order_seq_cst,
                                        std::memory_order_seq_cst))
        return item;
    }
  }
  std::uint32_t size() const noexcept {
    const auto h = head_.load(std::memory_order_seq_cst);
    return count(h, tail_.load(std::memory_order_seq_cst));
  }

 private:
  // The owner's tail_ may be one below head_ for a moment.
  static std::uint32_t count(std::uint32_t head, std::uint32_t tail) noexcept {
    const auto n = static_cast<std::int32_t>(tail - head);
    return n < 0 ? 0 : static_cast<std::uint32_t>(n);
  }
  template <class U>
  using atomic = typename Memory::template atomic<U>;
  atomic<T*>& slot(std::uint32_t at) noexcept { return slots_[at % Capacity]; }

  alignas(64) atomic<std::uint32_t> head_{0};  // I3
  alignas(64) atomic<std::uint32_t> tail_{0};  // I2
  atomic<T*> slots_[Capacity] = {};
};

}}}  // namespace eddy::EDDY_ABI::detail
