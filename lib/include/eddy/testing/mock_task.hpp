#pragma once

#include <atomic>
#include <source_location>

#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/testing/report.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace test {

/// Stands for a task: polls a leaf by hand and counts its wakes. That nothing has happened yet is shown by a poll and
/// a count, not by sleeping. A future is made a leaf by `pin`:
/// `auto f = eddy::pin(work()); task.assert_pending(f); gate.open(); CHECK(task.is_woken()); task.assert_ready(f);`
///
/// It has no budget: a leaf that is ready says so. Timers and sockets must be polled inside a task of their runtime.
/// Threads: polls on one; wakes from any.
/// Lifetime: must outlive what it has polled. A waker that does is a failed check; one that another thread may be
/// about to use is waited for, a second at most.
class mock_task final : public wake_target {
 public:
  mock_task() = default;
  mock_task(const mock_task&) = delete;
  mock_task& operator=(const mock_task&) = delete;
  ~mock_task() {
    if (references() != 0) wait_for_wakers();
  }

  /// One poll: what the leaf answers.
  template <pollable Leaf>
  auto poll(Leaf& leaf) noexcept {
    context cx(*this);
    return leaf.poll(cx);
  }
  /// Polls what is not ready yet; otherwise the test ends.
  template <pollable Leaf>
  void assert_pending(Leaf& leaf, std::source_location at = std::source_location::current()) {
    if (poll(leaf)) fail_and_end("ready, where it should be pending", at);
  }
  /// Polls what is ready: its value, or its `result`. Otherwise the test ends.
  template <pollable Leaf>
  auto assert_ready(Leaf& leaf, std::source_location at = std::source_location::current())
      -> eddy::detail::answer_of<Leaf> {
    auto p = poll(leaf);
    if (!p) fail_and_end("pending, where it should be ready", at);
    return p.take();
  }

  /// True when it was woken since the beginning, or the last `take_wakes`.
  bool is_woken() const noexcept { return wakes() != 0; }
  /// Wakes since the beginning, or the last `take_wakes`.
  int wakes() const noexcept { return wakes_.load(); }
  /// The same, and begins to count anew.
  int take_wakes() noexcept { return wakes_.exchange(0); }
  /// Wakers that refer to this.
  int references() const noexcept { return references_.load(); }

  /// Counts a wake; called by wakers, as the next two.
  void wake() noexcept override { wakes_.fetch_add(1); }
  /// Counts a reference.
  void retain() noexcept override { references_.fetch_add(1); }
  /// Counts it no more.
  void release() noexcept override { references_.fetch_sub(1); }

 private:
  void wait_for_wakers() noexcept;

  std::atomic<int> wakes_{0};       // partners: wake, wakes
  std::atomic<int> references_{0};  // partners: release, references
};

}}}  // namespace eddy::EDDY_ABI::test
