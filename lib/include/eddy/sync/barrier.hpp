#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <eddy/base/detail/list.hpp>
#include <eddy/base/detail/lock.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/waker.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync {
class barrier;
}}}  // namespace eddy::EDDY_ABI::sync

namespace eddy { inline namespace EDDY_ABI { namespace detail {
class barrier_wait;
}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

/// What a barrier tells those who have met at it.
class barrier_wait_result {
 public:
  /// True for one of them: the last that came.
  bool is_leader() const noexcept { return leader_; }

 private:
  friend detail::barrier_wait;
  explicit barrier_wait_result(bool leader) noexcept : leader_(leader) {}
  bool leader_;
};

/// Where a number of tasks wait for each other, again and again.
///
/// Threads: any; in a build without the pool one loop's.
/// Lifetime: outlives every call on it.
class barrier {
 public:
  /// For `n` tasks; 0 is as 1, which never waits.
  explicit barrier(std::size_t n) noexcept : absent_(n == 0 ? 1 : n), size_(absent_) {}
  barrier(const barrier&) = delete;
  barrier& operator=(const barrier&) = delete;

  /// Waits until as many have come as the barrier is for; then all go on, and the next may meet.
  ///
  /// Cancel safety: who is dropped while it waits has not come; the others wait for another one.
  /// Errors: none; polled again after it has answered, it ends the program with one line.
  /// Cost: no allocation; the last one wakes the others.
  detail::barrier_wait wait() noexcept;

 private:
  friend detail::barrier_wait;

  detail::sync_lock lock_;
  // Under lock_.
  std::size_t absent_;         // how many have yet to come
  const std::size_t size_;     // not changed
  std::uint64_t meeting_ = 1;  // counts those that are over
  detail::list<detail::barrier_wait> waiting_;
};

}}}  // namespace eddy::EDDY_ABI::sync

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class [[nodiscard]] barrier_wait : public list_node {
 public:
  explicit barrier_wait(sync::barrier& b) noexcept : of_(&b) {}
  barrier_wait(barrier_wait&& other) noexcept
      : list_node(std::move(other)), of_(std::exchange(other.of_, nullptr)) {}
  barrier_wait& operator=(barrier_wait&&) = delete;
  ~barrier_wait() {
    if (meeting_ != 0) leave();
  }

  polled<sync::barrier_wait_result> poll(context& cx) noexcept;

 private:
  polled<sync::barrier_wait_result> come(context& cx) noexcept;
  void leave() noexcept;

  sync::barrier* of_;
  std::uint64_t meeting_ = 0;  // the one it has come to; 0: none yet, or it has ended
  waker who_;                  // under the barrier's lock
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

inline detail::barrier_wait barrier::wait() noexcept { return detail::barrier_wait(*this); }

}}}  // namespace eddy::EDDY_ABI::sync
