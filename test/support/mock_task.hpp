#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <utility>

#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>

namespace test {

/// Stands for a task: polls a leaf by hand and counts its wakes. Leaves that need a loop must be polled inside
/// `block_on`.
class mock_task final : public eddy::wake_target {
 public:
  mock_task() = default;
  mock_task(const mock_task&) = delete;
  ~mock_task() { CHECK_MESSAGE(references_.load() == 0, "a waker outlived its mock task"); }

  template <class Leaf>
  auto poll(Leaf& leaf) {
    eddy::context cx(*this);
    return leaf.poll(cx);
  }
  /// Wakes since the last call.
  int take_wakes() noexcept { return wakes_.exchange(0); }
  bool is_woken() const noexcept { return wakes_.load() != 0; }
  /// Wakers that refer to this.
  int references() const noexcept { return references_.load(); }

  void wake() noexcept override { wakes_.fetch_add(1); }
  void retain() noexcept override { references_.fetch_add(1); }
  void release() noexcept override { references_.fetch_sub(1); }

 private:
  std::atomic<int> wakes_{0};
  std::atomic<int> references_{0};
};

}  // namespace test
