#pragma once
// A child from its start to the moment when its end is known.
//
// I1  A pidfd is watched for readability by the loop that waits; the watch is a duplicate, so that the pidfd itself
//     serves for signals and for collecting wherever the child is used. Without pidfds it is SIGCHLD that says "look
//     again", by a listener like any other's.
// I2  One asks whether the child has ended after the watch stands, and again after each event.
// I3  A watch made on another loop, or one that has ended, is made anew.
//
// Threads: one task's at a time; may be dropped anywhere.

#include <sys/types.h>

#include <atomic>
#include <optional>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/process/exit_status.hpp>
#include <eddy/runtime/detail/readiness.hpp>
#include <eddy/signal/signal.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class exit_watch {
 public:
  using status = process::exit_status;

  exit_watch(::pid_t pid, bool kill_on_drop) noexcept;
  exit_watch(const exit_watch&) = delete;
  ~exit_watch();

  polled<result<status>> poll(context& cx, io_waiter& w) noexcept;
  void stop_waiting() noexcept {
    if (sigchld_) detail::stop_waiting(*sigchld_);
  }
  /// Nothing: it runs.
  result<std::optional<status>> look() noexcept;
  std::optional<::pid_t> id() const noexcept {
    return ended() ? std::nullopt : std::optional(pid_);
  }
  /// 0 or an errno; ESRCH once its end is known.
  int send(int number) noexcept;

  /// For tests: children that start now do without a pidfd.
  static void use_pidfds(bool yes) noexcept;

 private:
  bool ended() const noexcept { return status_.has_value() || lost_; }
  void end_watch(io_waiter& w) noexcept;
  result<void> wait_by_pidfd(context& cx, io_waiter& w, bool& woken) noexcept;
  result<void> wait_by_signal(context& cx, bool& woken) noexcept;

  const ::pid_t pid_;
  const bool kill_on_drop_;
  bool lost_ = false;
  int pidfd_;
  std::optional<status> status_;
  registration watch_;
  signal_listening_ptr sigchld_;
};

}}}  // namespace eddy::EDDY_ABI::detail
