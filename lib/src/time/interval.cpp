#include <eddy/time/interval.hpp>

namespace eddy { inline namespace EDDY_ABI {

interval::interval(instant start, duration period) : next_(start), period_(period) {
  if (period <= duration::zero())
    detail::misuse("an interval's period must be longer than nothing");
}

instant interval::ticked() noexcept {
  constexpr auto late = std::chrono::milliseconds(5);
  const instant due = next_;
  next_ = saturating_add(due, period_);
  if (behavior_ != missed_tick::burst) {
    const instant now = clock::now();
    if (const duration behind = saturating_since(now, due); behind > late) {
      next_ = saturating_add(now, period_);
      if (behavior_ == missed_tick::skip) next_ -= behind % period_;
    }
  }
  waiting_.retime(next_);  // of two who waited for this tick the other one goes on waiting
  return due;
}

}}  // namespace eddy::EDDY_ABI
