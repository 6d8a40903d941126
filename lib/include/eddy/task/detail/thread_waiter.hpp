#pragma once

#include <atomic>
#include <cstdint>

#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/waker.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Stands for an ordinary thread that waits for a leaf; what the `blocking_` forms are made of.
///
/// I1  `woken_` is set by a wake and cleared by the waiting thread before it polls again, so a wake that
///     comes during a poll is not lost.
/// I2  The destructor waits until every reference has been given back: whoever wakes still holds one for
///     the few instructions in which it does so.
class thread_waiter final : public wake_target {
 public:
  /// Misuse on a thread that drives a loop: `what` is the name of the function that was called.
  explicit thread_waiter(const char* what);
  thread_waiter(const thread_waiter&) = delete;
  thread_waiter& operator=(const thread_waiter&) = delete;
  ~thread_waiter();

  /// Polls `leaf` until it is ready, and sleeps in between.
  template <pollable Leaf>
  auto wait(Leaf& leaf) noexcept {
    for (;;) {
      context cx(*this);
      if (auto p = leaf.poll(cx)) return p;
      sleep();
    }
  }

  void wake() noexcept override;
  void retain() noexcept override;
  void release() noexcept override;

 private:
  void sleep() noexcept;
  std::atomic<std::uint32_t> woken_{0};       // partners: wake, sleep
  std::atomic<std::uint32_t> references_{0};  // partners: release, the destructor
};

/// Blocks this thread until the leaf is ready: `return block_thread("blocking_recv", leaf).take();` The leaf
/// keeps no waker once it is ready (I2). The caller is a template whose parameter the leaf's type depends
/// on: then only its use fails in a build without the pool.
template <pollable Leaf>
auto block_thread(const char* what, Leaf& leaf) {
  static_assert(
      EDDY_POOL || sizeof(Leaf) == 0,
      "eddy: the blocking_ forms need the pool; this library was built with -Dpool=disabled, "
      "where channels and locks belong to one loop: await instead");
  thread_waiter here(what);
  return here.wait(leaf);
}

}}}  // namespace eddy::EDDY_ABI::detail
