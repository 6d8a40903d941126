#pragma once

#include <chrono>
#include <cstdint>

#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/time/clock.hpp>
#include <eddy/time/sleep.hpp>

namespace eddy::inline EDDY_ABI {

/// What an interval does when a tick was awaited more than 5 ms too late.
enum class missed_tick : std::uint8_t {
  burst,  ///< The missed ticks come at once, one after the other, until it has caught up.
  delay,  ///< The next tick comes a period after the late one.
  skip,   ///< The missed ticks are left out; the next comes at the next multiple of the period.
};

/// Ticks in equal distances: `auto every = eddy::interval(1s); for (;;) { co_await every.tick(); … }`.
///
/// Ticks do not drift: each is a period after the one before, not after its await.
class interval {
  class [[nodiscard]] tick_leaf {
   public:
    explicit tick_leaf(interval& i) noexcept : of_(&i), timer_(detail::to_nanoseconds(i.next_)) {}
    polled<instant> poll(context& cx) noexcept {
      if (!timer_.poll_elapsed(cx)) return pending;
      if (!cx.proceed()) return pending;
      return of_->ticked();
    }

   private:
    interval* of_;
    detail::timer_leaf timer_;
  };

 public:
  /// The first tick is ready at once. Errors: a period of nothing is misuse.
  template <class Rep, class Period>
  explicit interval(std::chrono::duration<Rep, Period> period)
      : interval(clock::now(), detail::to_duration(period)) {}
  /// The first tick comes at `start`.
  template <class Rep, class Period>
  interval(instant start, std::chrono::duration<Rep, Period> period)
      : interval(start, detail::to_duration(period)) {}
  interval(instant start, duration period);

  /// Waits for the next tick: the time for which it was due.
  /// Cancel safety: nothing is lost, the tick is still to come.
  /// Cost: no allocation.
  tick_leaf tick() noexcept { return tick_leaf(*this); }

  duration period() const noexcept { return period_; }
  missed_tick missed_tick_behavior() const noexcept { return behavior_; }
  void set_missed_tick_behavior(missed_tick b) noexcept { behavior_ = b; }
  /// The next tick comes a period from now; at once; after `d`; at `t`. A tick that is being awaited keeps
  /// its time.
  void reset() noexcept { next_ = detail::saturating_add(clock::now(), period_); }
  void reset_immediately() noexcept { next_ = clock::now(); }
  template <class Rep, class Period>
  void reset_after(std::chrono::duration<Rep, Period> d) noexcept {
    next_ = detail::saturating_add(clock::now(), detail::to_duration(d));
  }
  void reset_at(instant t) noexcept { next_ = t; }

 private:
  instant ticked() noexcept;

  instant next_;
  duration period_;
  missed_tick behavior_ = missed_tick::burst;
};

/// The same as `interval(start, period)`.
template <class Rep, class Period>
interval interval_at(instant start, std::chrono::duration<Rep, Period> period) {
  return interval(start, detail::to_duration(period));
}

}  // namespace eddy::inline EDDY_ABI
