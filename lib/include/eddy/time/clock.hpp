#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <ratio>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// A length of time, in nanoseconds.
using duration = std::chrono::nanoseconds;

/// The clock that timers follow: monotonic, nanoseconds; inside a runtime whose clock is paused (tests), that
/// runtime's. A std::chrono clock.
struct clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<clock>;
  static constexpr bool is_steady = true;
  /// The time of the runtime this thread is in, if its clock is paused; else the system's monotonic clock.
  static time_point now() noexcept;
};

/// A point in time of `clock`.
using instant = clock::time_point;

namespace detail {

/// The wheel's time, from a point in time.
inline std::uint64_t to_nanoseconds(instant t) noexcept {
  const auto n = t.time_since_epoch().count();
  return n < 0 ? 0 : static_cast<std::uint64_t>(n);
}

/// Any chrono duration in whole nanoseconds, rounded up, at most what an `instant` can hold: never early,
/// never wrapped.
template <class Rep, class Period>
duration to_duration(std::chrono::duration<Rep, Period> d) noexcept {
  if constexpr (std::signed_integral<Rep> && std::ratio_divide<Period, std::nano>::den == 1) {
    using whole =
        std::chrono::duration<std::intmax_t, Period>;  // seconds, milliseconds: no floating point
    if (whole(d) <= whole::zero()) return duration::zero();
    if (whole(d) > std::chrono::duration_cast<whole>(duration::max())) return duration::max();
    return whole(d);
  }
  using wide = std::chrono::duration<long double, std::nano>;
  if (wide(d) >= wide(duration::max())) return duration::max();
  if (!(wide(d) > wide(duration::zero()))) return duration::zero();  // nor a number: none
  if constexpr (std::chrono::treat_as_floating_point_v<Rep>)
    return std::chrono::ceil<duration>(
        wide(d));  // in a double the largest would round up to what wraps
  else
    return std::chrono::ceil<duration>(d);
}

}  // namespace detail

/// `t + d`, or the last instant there is: `+` on chrono's own types overflows, which is undefined. A negative
/// time is none.
template <class Rep, class Period>
instant saturating_add(instant t, std::chrono::duration<Rep, Period> d) noexcept {
  duration::rep sum = 0;
  if (__builtin_add_overflow(t.time_since_epoch().count(), detail::to_duration(d).count(), &sum))
    return instant::max();
  return instant(duration(sum));
}
/// `t - d`, or the first instant there is. A negative time is none.
template <class Rep, class Period>
instant saturating_sub(instant t, std::chrono::duration<Rep, Period> d) noexcept {
  duration::rep difference = 0;
  if (__builtin_sub_overflow(t.time_since_epoch().count(), detail::to_duration(d).count(),
                             &difference))
    return instant::min();
  return instant(duration(difference));
}
/// The time from `earlier` to `later`: nothing when it is the other way round, at most `duration::max()`.
inline duration saturating_since(instant later, instant earlier) noexcept {
  duration::rep difference = 0;
  if (later <= earlier) return duration::zero();
  if (__builtin_sub_overflow(later.time_since_epoch().count(), earlier.time_since_epoch().count(),
                             &difference))
    return duration::max();
  return duration(difference);
}

}}  // namespace eddy::EDDY_ABI
