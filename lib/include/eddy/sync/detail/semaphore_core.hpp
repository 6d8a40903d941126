#pragma once
// A count of permits and the queue for them: semaphore, mutex and rw_lock without their dress.
//
//   word: bit 0 closed, bit 1 somebody is queued, the rest: free permits
//
// I1  Free permits are taken by one compare-and-swap, and given back by one while nobody is queued.
// I2  `queued` is set and cleared under the lock, and set by the very operation that finds too few
//     permits: a permit given back after it goes through the lock, so none is missed.
// I3  While `queued` is set there are no free permits (permit_queue.hpp I2); so a newcomer cannot
//     overtake the queue by finding some.
// I4  `closed` is set once and never cleared; from then on the queue stays empty.

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include <eddy/base/detail/lock.hpp>
#include <eddy/base/detail/memory.hpp>
#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/wake_list.hpp>
#include <eddy/sync/detail/permit_queue.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Ends the program: permits were given that were never taken.
[[noreturn]] void too_many_permits() noexcept;

enum class permit_answer : std::uint8_t { pending, taken, closed };

template <class Memory>
class basic_permits;

/// How many permits a leaf wants, and its place in the queue, which is made when it has to wait: a leaf that
/// need not is a few stores.
template <class Memory>
class permit_slot {
 public:
  explicit permit_slot(std::uint32_t wanted) noexcept : wanted_(wanted) {}
  permit_slot(permit_slot&& other) noexcept : wanted_(other.wanted_) { assert(!other.waiting_); }
  permit_slot& operator=(permit_slot&&) = delete;
  ~permit_slot() { assert(!waiting_); }

  std::uint32_t wanted() const noexcept { return wanted_; }

 private:
  friend basic_permits<Memory>;
  using waiter = permit_waiter<Memory>;

  waiter& sit_down() noexcept {
    waiting_ = true;
    return *::new (static_cast<void*>(&place_)) waiter;
  }
  void get_up() noexcept {
    waiting_ = false;
    place_.~waiter();
  }

  const std::uint32_t wanted_;
  bool waiting_ = false;  // place_ is alive; only the leaf's own thread looks
  union {
    waiter place_;
  };
};

template <class Memory>
class basic_permits {
 public:
  using waiter = permit_waiter<Memory>;
  using slot = permit_slot<Memory>;
  static constexpr std::uint32_t most = ~std::uint32_t{0} >> 2;

  explicit basic_permits(std::uint32_t n) noexcept : word_(n << shift) {}
  basic_permits(const basic_permits&) = delete;
  basic_permits& operator=(const basic_permits&) = delete;

  std::uint32_t available() const noexcept {
    return word_.load(std::memory_order_acquire) >> shift;
  }
  bool is_closed() const noexcept { return (word_.load(std::memory_order_acquire) & closed) != 0; }

  /// `n` of the free permits, if there are as many.
  permit_answer try_take(std::uint32_t n) noexcept {
    lock_.check();
    auto w = word_.load(std::memory_order_acquire);
    for (;;) {
      if ((w & closed) != 0) return permit_answer::closed;
      if (w >> shift < n) return permit_answer::pending;
      if (replace<Memory>(word_, w, w - (n << shift), std::memory_order_acquire))
        return permit_answer::taken;
    }
  }
  /// Up to `n` of the free permits; how many.
  std::uint32_t take_free(std::uint32_t n) noexcept;

  /// One poll of a leaf that wants what its slot says.
  permit_answer poll(slot& s, context& cx) noexcept {
    const auto n = s.wanted_;
    if (!s.waiting_) [[likely]] {
      lock_.check();
      auto w = word_.load(std::memory_order_acquire);
      if ((w & closed) != 0 || w >> shift >= n) [[likely]] {
        if (!cx.proceed()) return permit_answer::pending;
        do {
          if ((w & closed) != 0) return permit_answer::closed;
          if (replace<Memory>(word_, w, w - (n << shift), std::memory_order_acquire)) [[likely]]
            return permit_answer::taken;
        } while (w >> shift >= n);
      }
      return enqueue(s, cx);
    }
    return poll_queued(s, cx);
  }
  /// A leaf goes away, and did not hear `taken`.
  void leave(slot& s) noexcept {
    if (s.waiting_) [[unlikely]]
      leave_queued(s);
  }
  void give(std::uint32_t n) noexcept {
    lock_.check();
    auto w = word_.load(std::memory_order_relaxed);
    while ((w & queued) == 0) [[likely]] {
      if (replace<Memory>(word_, w, more(w, n), std::memory_order_release)) return;
    }
    give_queued(n);
  }
  void close() noexcept;

 private:
  static constexpr std::uint32_t closed = 1, queued = 2;
  static constexpr unsigned shift = 2;

  static std::uint32_t more(std::uint32_t w, std::uint32_t n) noexcept {
    std::uint32_t sum = 0;
    if (__builtin_add_overflow(w, n << shift, &sum)) [[unlikely]]
      too_many_permits();
    return sum;
  }
  permit_answer enqueue(slot& s, context& cx) noexcept;
  permit_answer poll_queued(slot& s, context& cx) noexcept;
  void leave_queued(slot& s) noexcept;
  void give_queued(std::uint32_t n) noexcept;
  void give_locked(locked<basic_lock<Memory>>& held, std::uint32_t n, wake_list& wakes) noexcept;

  typename Memory::template atomic<std::uint32_t> word_;  // partners: all here
  basic_lock<Memory> lock_;
  permit_queue<Memory> queue_;  // under lock_
};

template <class Memory>
std::uint32_t basic_permits<Memory>::take_free(std::uint32_t n) noexcept {
  lock_.check();
  auto w = word_.load(std::memory_order_acquire);
  for (;;) {
    const auto part = std::min(n, w >> shift);
    if (part == 0) return 0;
    if (replace<Memory>(word_, w, w - (part << shift), std::memory_order_acquire)) return part;
  }
}

template <class Memory>
permit_answer basic_permits<Memory>::enqueue(slot& s, context& cx) noexcept {
  const auto n = s.wanted_;
  auto who = cx.get_waker();
  const locked held(lock_);
  auto w = word_.load(std::memory_order_acquire);
  std::uint32_t part = 0;
  do {
    if ((w & closed) != 0) return permit_answer::closed;
    part = std::min(n, w >> shift);
    // All of them, after all: then this is as if they had been there at once.
  } while (!replace<Memory>(word_, w, (w - (part << shift)) | (part == n ? 0 : queued),
                            std::memory_order_acq_rel));
  if (part == n) return permit_answer::taken;
  queue_.enqueue(s.sit_down(), n - part, std::move(who));
  return permit_answer::pending;
}

template <class Memory>
permit_answer basic_permits<Memory>::poll_queued(slot& s, context& cx) noexcept {
  using phase = typename waiter::phase;
  waiter& node = s.place_;
  if (node.where() == phase::queued) {
    waker old;  // dropped behind the lock: its target may die of it, and do anything
    const locked held(lock_);
    if (node.where() == phase::queued) {  // it may have been granted meanwhile
      if (!cx.wakes_same(node.who)) old = std::exchange(node.who, cx.get_waker());
      return permit_answer::pending;
    }
  }
  if (!cx.proceed()) return permit_answer::pending;
  if (node.where() == phase::granted) {
    s.get_up();
    return permit_answer::taken;
  }
  leave_queued(s);
  return permit_answer::closed;
}

template <class Memory>
void basic_permits<Memory>::leave_queued(slot& s) noexcept {
  {
    wake_list wakes;
    locked held(lock_);
    give_locked(held, queue_.leave(s.place_, s.wanted_), wakes);
  }
  s.get_up();
}

template <class Memory>
void basic_permits<Memory>::give_queued(std::uint32_t n) noexcept {
  wake_list wakes;
  locked held(lock_);
  give_locked(held, n, wakes);
}

template <class Memory>
void basic_permits<Memory>::give_locked(locked<basic_lock<Memory>>& held, std::uint32_t n,
                                        wake_list& wakes) noexcept {
  n = queue_.give(n, wakes);
  while (n != 0 && !queue_.empty()) {
    held.unlock();
    wakes.wake_all();
    held.relock(lock_);
    n = queue_.give(n, wakes);
  }
  if (!queue_.empty()) return;
  auto w = word_.load(std::memory_order_relaxed);
  while (!replace<Memory>(word_, w, more(w, n) & ~queued, std::memory_order_release)) {
  }
}

template <class Memory>
void basic_permits<Memory>::close() noexcept {
  wake_list wakes;
  locked held(lock_);
  auto w = word_.load(std::memory_order_relaxed);
  while (!replace<Memory>(word_, w, (w | closed) & ~queued, std::memory_order_acq_rel)) {
  }
  while (!queue_.refuse_all(wakes)) {
    held.unlock();
    wakes.wake_all();
    held.relock(lock_);
  }
}

extern template class basic_permits<sync_memory>;
using permits = basic_permits<sync_memory>;

/// What a try_ form answers when it would have to wait.
error would_block(const char* operation) noexcept;
/// How many may read at a time, as a user gave it, checked: misuse when it cannot be.
std::uint32_t reader_count(std::size_t n);

}}}  // namespace eddy::EDDY_ABI::detail
