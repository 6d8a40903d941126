#pragma once

#include <cstdint>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/waker.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

class scheduler;
struct context_access;

/// What one poll of a task may still spend before it has to let others run (docs/design.md, "Context, waker, wake
/// target").
struct coop_budget {
  static constexpr std::uint32_t full = 128;
  std::uint32_t left = full;
};

}  // namespace detail

/// What a `poll` is given: whom to wake when it answers pending, on which runtime it runs, and how much
/// it may do before others must run.
///
/// Lifetime: valid during the call it is passed to, not longer; keep `get_waker()`, never the context.
class context {
 public:
  /// A context that wakes `target`, on the runtime this thread is on (none is fine: then leaves that
  /// need a loop answer with an error). For tests and for combinators that watch their branches apart.
  explicit context(wake_target& target) noexcept;
  /// The context of `outer` for somebody else: same runtime and budget, but wakes `target`.
  context(context& outer, wake_target& target) noexcept
      : target_(detail::to_word(target)), scheduler_(outer.scheduler_), budget_(outer.budget_) {}
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  /// A waker for the task (or other target) that is being polled.
  waker get_waker() const noexcept {
    // A task that is being polled is on its owner's thread: the plain count, which is its first member.
    if (detail::is_task(target_))
      ++*reinterpret_cast<std::int32_t*>(target_);
    else
      detail::target_retain(target_);
    return waker(target_, waker::adopt{});
  }
  /// Makes `w` wake what is being polled; costs nothing when it does already.
  void store_waker(waker& w) const noexcept {
    if (w.target_ != target_) w = get_waker();
  }
  /// As `store_waker(slot)`, for a slot that is guarded by a lock. A waker that is replaced is moved to `old`: destroy
  /// it after unlocking, because its target may die with it and run any code.
  void store_waker(waker& slot, waker& old) const noexcept {
    if (slot.target_ != target_) old = std::exchange(slot, get_waker());
  }
  /// True when `w` wakes what is being polled.
  bool wakes_same(const waker& w) const noexcept { return w.target_ == target_; }
  /// Wakes what is being polled: it is polled again, behind everything that is ready now.
  void wake() const noexcept { detail::target_wake(target_); }

  /// Asked by a leaf that is ready, before it answers so: spends one unit of the poll's budget. When the
  /// budget is gone it wakes the target and says false, and the leaf answers pending, so that a task whose
  /// operations are always ready lets others run. A leaf that has to wait does not ask: else a task that
  /// waits for many things at once would spin, and never get to the last of them.
  bool proceed() noexcept {
    if (budget_ == nullptr) return true;
    if (budget_->left == 0) {
      wake();
      return false;
    }
    --budget_->left;
    return true;
  }
  /// The same without spending, asked by what polls several others in turn, before each: those that spend
  /// nothing must not go on for ever beside one that has spent everything.
  bool may_poll() noexcept {
    if (budget_ == nullptr || budget_->left != 0) [[likely]]
      return true;
    wake();
    return false;
  }

 private:
  friend struct detail::context_access;
  context(detail::target_word target, detail::scheduler* s, detail::coop_budget* budget) noexcept
      : target_(target), scheduler_(s), budget_(budget) {}

  detail::target_word target_;
  detail::scheduler* scheduler_;  // null: no runtime
  detail::coop_budget* budget_;   // null: unlimited
  char* stack_base_ = nullptr;    // native stack where the innermost chain's loop stands
};

}}  // namespace eddy::EDDY_ABI
