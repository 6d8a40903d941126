#include <eddy/sync/barrier.hpp>

#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/core/detail/wake_list.hpp>

// I1  A meeting is over when the barrier's count says another one; `meeting_` of those who wait keeps theirs.
// I2  The last that comes takes all who wait off the barrier's list and wakes them in portions. Who is not
//     woken yet is in the list on its stack, under the same lock, and may leave it.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

polled<sync::barrier_wait_result> barrier_wait::poll(context& cx) noexcept {
  if (of_ == nullptr) fatal("the wait at a barrier was polled after it had ended");
  if (meeting_ == 0) return come(cx);
  {
    waker old;  // goes behind the lock
    const locked held(of_->lock_);
    if (meeting_ == of_->meeting_) {
      if (!cx.wakes_same(who_)) old = std::exchange(who_, cx.get_waker());
      return pending;
    }
  }
  if (!cx.proceed()) return pending;
  leave();
  of_ = nullptr;
  return sync::barrier_wait_result(false);
}

polled<sync::barrier_wait_result> barrier_wait::come(context& cx) noexcept {
  wake_list wakes;
  locked held(of_->lock_);
  if (of_->absent_ == 1) {  // the last, it seems; to ask for budget may wake
    held.unlock();
    if (!cx.proceed()) return pending;
    held.relock(of_->lock_);
  }
  if (of_->absent_ != 1) {
    --of_->absent_;
    meeting_ = of_->meeting_;
    who_ = cx.get_waker();
    of_->waiting_.push_back(*this);
    return pending;
  }
  of_->absent_ = of_->size_;
  ++of_->meeting_;
  list<barrier_wait> met;
  met.splice_back(of_->waiting_);
  for (;;) {
    while (!met.empty() && !wakes.full()) wakes.add(std::move(met.pop_front()->who_));
    if (met.empty()) break;
    held.unlock();
    wakes.wake_all();
    held.relock(of_->lock_);
  }
  of_ = nullptr;
  return sync::barrier_wait_result(true);
}

void barrier_wait::leave() noexcept {
  waker last;  // goes behind the lock; the last that comes may be taking it (I2)
  const locked held(of_->lock_);
  last = std::move(who_);
  if (meeting_ == of_->meeting_) ++of_->absent_;
  if (linked()) unlink();
  meeting_ = 0;
}

}}}  // namespace eddy::EDDY_ABI::detail
