#pragma once

#include <cstdint>
#include <exception>
#include <new>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/cell.hpp>
#include <eddy/core/detail/task.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

#if EDDY_EXCEPTIONS
// A task that has ended keeps its failure where its chain's step was.
static_assert(sizeof(std::exception_ptr) <= sizeof(chain::step_function));
inline std::exception_ptr& failure_of(task& t) noexcept {
  return *std::launder(reinterpret_cast<std::exception_ptr*>(&t.frames.step));
}
#endif

/// How a task tells a join handle on another thread that it has ended: the task's joiner is this, and
/// waking it fills the cell. With that the outcome is the handle's, unless the handle was gone before.
/// Two references: the task's and the handle's.
class join_link final : public wake_target, public cell_base {
 public:
  static join_link* make(task& t) noexcept {
    void* p = frame_allocate(sizeof(join_link));
    if (p == nullptr) fatal("out of memory");
    return ::new (p) join_link(t);
  }

  static join_link& of(target_word joiner) noexcept {
    return *static_cast<join_link*>(reinterpret_cast<wake_target*>(joiner & ~target_word{1}));
  }

  /// The task has ended; on its owner's thread.
  void wake() noexcept override {
    constexpr auto outcome = task_state::has_value | task_state::has_failure;
    bits = task_->state.load(std::memory_order_relaxed);
    const auto held = bits & outcome;
    task_->clear(outcome);
    if (!publish()) task_->set(held);
  }
  void retain() noexcept override { fatal("a join link is not copied"); }
  void release() noexcept override {
    if (!release_one()) return;
    this->~join_link();
    frame_release(this, sizeof(join_link));
  }
  /// The handle goes without having taken the outcome, which is its own. True when that is a failure, which
  /// stays in the task, to be reported.
  bool discard() noexcept;

  std::uint32_t bits = 0;  // the task's state when it ended; written before the publication

 private:
  explicit join_link(task& t) noexcept : task_(&t) {}
  ~join_link() = default;
  task* task_;
};

}}}  // namespace eddy::EDDY_ABI::detail
