#pragma once

#include <chrono>
#include <cstdint>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/time/clock.hpp>
#include <eddy/time/detail/linked_timer.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// What an interval does when a tick was taken more than 5 ms too late.
enum class missed_tick : std::uint8_t {
  burst,  ///< The missed ticks come at once, one after the other, until it has caught up.
  delay,  ///< The next tick comes a period after the late one was taken.
  skip,   ///< The missed ticks are left out; the next comes at the next multiple of the period.
};

/// Ticks in equal distances: `eddy::interval every(1s); for (;;) { co_await every.tick(); … }`.
///
/// Ticks do not drift: each is a period after the one before, not after its await.
/// Threads: one task's; on a pool it goes where its task goes.
/// Lifetime: outlives its ticks. A copy, or what it is moved to, ticks on its own; a tick that is awaited
/// stays with the object it was asked of.
class interval {
  class [[nodiscard]] tick_leaf {
   public:
    explicit tick_leaf(interval& i) noexcept : of_(&i), timer_(i.waiting_) {}
    polled<instant> poll(context& cx) noexcept {
      if (timer_.orphaned()) detail::fatal("an interval was destroyed before its tick");
      if (!timer_.poll_elapsed(cx, of_->next_)) return pending;
      if (!cx.proceed()) return pending;
      timer_.leave();
      return of_->ticked();
    }

   private:
    interval* of_;
    detail::linked_timer timer_;
  };

 public:
  /// The first tick is ready at once.
  /// Errors: a period of nothing, or a negative one, is misuse.
  template <class Rep, class Period>
  explicit interval(std::chrono::duration<Rep, Period> period)
      : interval(clock::now(), detail::to_duration(period)) {}
  /// The first tick comes at `start`; `interval_at` is the same.
  /// Errors: as above.
  template <class Rep, class Period>
  interval(instant start, std::chrono::duration<Rep, Period> period)
      : interval(start, detail::to_duration(period)) {}
  interval(instant start, duration period);

  /// Waits for the next tick: the time for which it was due, which is over when this is ready.
  /// Cancel safety: nothing is lost, the tick is still to come.
  /// Cost: no allocation.
  tick_leaf tick() noexcept { return tick_leaf(*this); }

  duration period() const noexcept { return period_; }
  /// What becomes of ticks that were missed.
  missed_tick missed_tick_behavior() const noexcept { return behavior_; }
  /// From now on that becomes of ticks that are missed.
  void set_missed_tick_behavior(missed_tick b) noexcept { behavior_ = b; }
  /// The next tick comes a period from now, also one that is being awaited.
  void reset() noexcept { reset_at(saturating_add(clock::now(), period_)); }
  /// The next tick comes at once.
  void reset_immediately() noexcept { reset_at(clock::now()); }
  /// The next tick comes after `d`.
  template <class Rep, class Period>
  void reset_after(std::chrono::duration<Rep, Period> d) noexcept {
    reset_at(saturating_add(clock::now(), d));
  }
  /// The next tick comes at `t`.
  void reset_at(instant t) noexcept {
    next_ = t;
    waiting_.retime(t);
  }

 private:
  instant ticked() noexcept;

  instant next_;
  duration period_;
  missed_tick behavior_ = missed_tick::burst;
  detail::timer_source waiting_;
};

/// An interval whose first tick comes at `start`.
/// Errors: as the constructors of `interval`.
template <class Rep, class Period>
interval interval_at(instant start, std::chrono::duration<Rep, Period> period) {
  return interval(start, detail::to_duration(period));
}

}}  // namespace eddy::EDDY_ABI
