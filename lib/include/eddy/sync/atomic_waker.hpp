#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>
#include <utility>

#include <eddy/base/detail/lock.hpp>
#include <eddy/base/detail/memory.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/waker.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A slot for one waker, without a lock.
///
///   word: bit 0 somebody stores a waker, bit 1 somebody wakes
///
/// I1  The slot belongs to whoever turns the word from 0 into one of the bits.
/// I2  A wake that finds bit 0 leaves bit 1 behind. Who stores then cannot take bit 0 back alone, sees bit 1,
///     and wakes what it has just stored: that wake is this one.
/// I3  A wake that finds bit 1 does nothing: the slot's waker is being taken, or will be by I2.
/// I4  A store that finds bit 1 wakes its own target at once, for the wake at work may have come too late
///     for it and too early to see what it is about.
template <class Memory>
class basic_atomic_waker {
 public:
  basic_atomic_waker() noexcept = default;
  basic_atomic_waker(const basic_atomic_waker&) = delete;
  basic_atomic_waker& operator=(const basic_atomic_waker&) = delete;

  void store(context& cx) noexcept {
    waker old;  // dropped, or woken, when the slot is free again
    Memory::check(mark_);
    if (Memory::single_threaded()) return put(cx, old);
    if constexpr (shared) {
      std::uint32_t w = 0;
      if (word_.compare_exchange_strong(w, storing, std::memory_order_acquire,
                                        std::memory_order_acquire)) {
        put(cx, old);
        w = storing;
        if (word_.compare_exchange_strong(w, 0, std::memory_order_acq_rel,
                                          std::memory_order_acquire))
          return;
        auto mine = std::exchange(slot_, {});
        word_.exchange(0, std::memory_order_acq_rel);
        std::move(mine).wake();
      } else {
        assert((w & storing) == 0 && "eddy: two tasks wait for one atomic_waker");
        cx.wake();
      }
    }
  }
  waker take() noexcept {
    Memory::check(mark_);
    if (Memory::single_threaded()) return std::exchange(slot_, {});
    if constexpr (shared) {
      if (word_.fetch_or(waking, std::memory_order_acq_rel) != 0) return {};
      auto who = std::exchange(slot_, {});
      word_.exchange(0, std::memory_order_release);
      return who;
    }
    return {};  // not reached: the memory is one thread's
  }

 private:
  using word = typename Memory::template atomic<std::uint32_t>;
  static constexpr bool shared = requires(word& w) { w.fetch_or(0U, std::memory_order_acq_rel); };
  static constexpr std::uint32_t storing = 1, waking = 2;

  void put(context& cx, waker& old) noexcept {
    if (!cx.wakes_same(slot_)) old = std::exchange(slot_, cx.get_waker());
  }

  waker slot_;
  word word_{0};  // partners: store and take, here
  [[no_unique_address]] typename Memory::mark mark_;
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

/// The waker of the one task that waits, for any number of threads that wake it: what leaves of one's own are
/// made of.
///
/// The order matters: the task first stores its waker, then looks at what it waits for; the others first
/// change that, then wake. Then no wake is lost.
/// `atomic_waker w; poll: w.store(cx); return done.load() ? ready : pending; elsewhere: done = true; w.wake();`
/// Threads: `store` by one task at a time, `wake` and `take` by any, also at once.
/// Lifetime: outlives every call on it.
/// Cost: no lock and no allocation; some ten instructions where there is one thread.
class atomic_waker {
 public:
  /// The task that is being polled will be woken by the next `wake`. It replaces the one stored before. When
  /// a wake is at work just now, the task is woken at once.
  void store(context& cx) noexcept { core_.store(cx); }
  /// Wakes the task that is stored, and forgets it. Without one nothing happens.
  void wake() noexcept { core_.take().wake(); }
  /// The waker that is stored, if any, to be woken later: behind a lock, say.
  waker take() noexcept { return core_.take(); }

 private:
  detail::basic_atomic_waker<detail::sync_memory> core_;
};

}}}  // namespace eddy::EDDY_ABI::sync
