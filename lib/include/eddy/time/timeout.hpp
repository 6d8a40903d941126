#pragma once

#include <chrono>
#include <memory>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/time/sleep.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

template <class X>
class [[nodiscard]] timeout_operation {
  using inner = branch<X>;
  using value_type = typename inner::value_type;
  static_assert(std::is_same_v<typename inner::error_type, error>,
                "eddy: timeout of an operation with an error type of its own");

 public:
  timeout_operation(duration limit, X&& x) : inner_(std::forward<X>(x)), limit_(limit) {}
  timeout_operation(instant deadline, X&& x)
      : inner_(std::forward<X>(x)), timer_(to_nanoseconds(deadline)), started_(true) {}

  polled<result<value_type>> poll(context& cx) noexcept {
    auto p = inner_.poll(cx);
    if (!p && has_elapsed(cx)) {
      inner_.drop();
      p.emplace(error(errc::elapsed, "timeout"));
    }
    return p;  // the only return, so that nothing is moved
  }

 private:
  bool has_elapsed(context& cx) noexcept {
    if (!started_) {  // only what does not end at once needs the clock
      started_ = true;
      return timer_.start(cx, limit_);
    }
    return timer_.poll_elapsed(cx);
  }

  inner inner_;
  timer_leaf timer_{0};
  duration limit_ = duration::zero();
  bool started_ = false;
};

}  // namespace detail

/// Awaits `x`, a future or a leaf, for at most `d`: its value, or throws `elapsed`. What has not ended by
/// then is destroyed; something pinned and given by lvalue stays alive.
///
/// The time counts from the first poll. `x` is polled first: if it is ready, it wins even when `d` is over.
/// Cancel safety: that of `x`.
/// Cost: no allocation; if `x` is ready at once, not even a look at the clock.
template <class Rep, class Period, class X>
  requires detail::awaitable<X>
auto timeout(std::chrono::duration<Rep, Period> d, X&& x) {
  return detail::timeout_operation<X>(detail::to_duration(d), std::forward<X>(x));
}

/// The same until a point in time; one that is over already leaves `x` one poll.
/// Cancel safety: that of `x`.
template <class X>
  requires detail::awaitable<X>
auto timeout_at(instant deadline, X&& x) {
  return detail::timeout_operation<X>(deadline, std::forward<X>(x));
}

}}  // namespace eddy::EDDY_ABI
