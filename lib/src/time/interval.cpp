#include <eddy/time/interval.hpp>

#include <eddy/base/misuse.hpp>

namespace eddy::inline EDDY_ABI {

interval::interval(instant start, duration period) : next_(start), period_(period) {
  if (period <= duration::zero())
    detail::misuse("an interval's period must be longer than nothing");
}

instant interval::ticked() noexcept {
  constexpr auto late = std::chrono::milliseconds(5);
  const instant due = next_;
  next_ = detail::saturating_add(due, period_);
  if (behavior_ == missed_tick::burst) return due;
  const instant now = clock::now();
  if (now <= detail::saturating_add(due, late)) return due;
  next_ = detail::saturating_add(now, period_);
  if (behavior_ == missed_tick::skip) next_ -= (now - due) % period_;
  return due;
}

}  // namespace eddy::inline EDDY_ABI
