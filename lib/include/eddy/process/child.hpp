#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/detail/fd_io.hpp>
#include <eddy/process/exit_status.hpp>
#include <eddy/process/stdio.hpp>
#include <eddy/runtime/detail/readiness.hpp>
#include <eddy/signal/kind.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class exit_watch;  // src/process/exit_watch.hpp
struct end_watching {
  void operator()(exit_watch* w) const noexcept;
};
using exit_watch_ptr = std::unique_ptr<exit_watch, end_watching>;

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace process {

/// This program's end of a child's standard input: an `io::writer`. Dropping it is the end of the child's input.
///
/// Cancel safety: a dropped `write` has written nothing; for `write_all` see there.
/// Threads: awaited on the runtime on which the child was started.
/// Errors: a child that reads no more is EPIPE, and no signal.
class child_input {
 public:
  /// Writes as much of `from` as the pipe takes now, at least one byte: how much.
  eddy::detail::fd_write_leaf write(io::const_buffer from) noexcept { return {io_, from}; }
  /// Writes all of `from`.
  ///
  /// Cancel safety: some of it may have been written, and how much is lost.
  eddy::detail::fd_write_all_leaf write_all(io::const_buffer from) noexcept { return {io_, from}; }
  /// Never waits. Errors: no room is `std::errc::resource_unavailable_try_again`.
  result<std::size_t> try_write(io::const_buffer from) noexcept {
    return eddy::detail::try_fd_write(io_, {&from, 1});
  }
  /// Still this one's. Do not close it.
  int native_handle() const noexcept { return io_.fd(); }
  /// The pipe for another child's standard stream.
  /// Errors: running out of descriptors.
  result<stdio> into_stdio() && noexcept;

 private:
  friend class command;
  explicit child_input(eddy::detail::registration io) noexcept : io_(std::move(io)) {}
  eddy::detail::registration io_;
};

/// This program's end of a child's standard output or standard error: an `io::reader`.
///
/// Cancel safety: a dropped read has taken nothing.
/// Threads: awaited on the runtime on which the child was started.
class child_output {
 public:
  /// Reads what is there, up to the size of `to`; 0 when every process that could write has closed its end.
  eddy::detail::fd_read_leaf read(io::buffer to) noexcept { return {io_, to}; }
  /// Never waits. Errors: nothing there is `std::errc::resource_unavailable_try_again`.
  result<std::size_t> try_read(io::buffer to) noexcept {
    return eddy::detail::try_fd_read(io_, {&to, 1});
  }
  /// Still this one's. Do not close it.
  int native_handle() const noexcept { return io_.fd(); }
  /// The pipe for another child's standard stream: `b.std_in(std::move(*a.std_out).into_stdio().value())`.
  /// Errors: running out of descriptors.
  result<stdio> into_stdio() && noexcept;

 private:
  friend class command;
  explicit child_output(eddy::detail::registration io) noexcept : io_(std::move(io)) {}
  eddy::detail::registration io_;
};

/// A child's end and what it has written.
struct captured_output {
  exit_status status;   ///< how it ended
  std::string std_out;  ///< all of its standard output that was piped
  std::string std_err;  ///< all of its standard error that was piped
};

/// A child process; `command::spawn` makes one.
///
/// A child whose handle is dropped runs on (unless `kill_on_drop`) and is collected when it has ended: no zombies stay.
/// Nothing here uses SIGCHLD where the system has pidfds (Linux 5.3): handlers of others are left alone, and an exit
/// that another part of the program collects by `waitpid(-1)` is seen all the same.
/// Threads: one task's at a time; awaited on any runtime, one at a time.
/// Lifetime: may outlive the runtime it was started on.
class child {
  class [[nodiscard]] wait_leaf {
   public:
    wait_leaf(child& c, bool kill) noexcept : of_(&c), kill_(kill) {}
    wait_leaf(wait_leaf&&) noexcept = default;
    wait_leaf& operator=(wait_leaf&&) = delete;
    ~wait_leaf();
    polled<result<exit_status>> poll(context& cx) noexcept;

   private:
    child* of_;
    eddy::detail::io_waiter waiter_;
    bool kill_;
    bool waits_ = false;
  };
  class [[nodiscard]] kill_leaf {
   public:
    explicit kill_leaf(child& c) noexcept : wait_(c, true) {}
    polled<result<void>> poll(context& cx) noexcept;

   private:
    wait_leaf wait_;
  };

 public:
  child(child&&) noexcept = default;
  child& operator=(child&&) noexcept = default;
  ~child() = default;

  /// What was `stdio::piped()`. Take them out, or use them in place.
  std::optional<child_input> std_in;
  /// The other end of its standard output, if that was piped.
  std::optional<child_output> std_out;
  /// The other end of its standard error, if that was piped.
  std::optional<child_output> std_err;

  /// The process id; nothing once its end has been seen: the number may be another's then.
  std::optional<::pid_t> id() const noexcept;
  /// Waits for its end, after closing `std_in`, on which it may be waiting. Afterwards it says the same again.
  ///
  /// Cancel safety: nothing is lost (`std_in` stays closed).
  /// Lifetime: borrows the child.
  /// Errors: ECHILD if another part of the program has collected it and the system cannot say how it ended (before
  /// Linux 6.15); running out of descriptors.
  wait_leaf wait() noexcept { return {*this, false}; }
  /// Its end, or nothing if it runs. Never waits. Errors: as `wait`.
  result<std::optional<exit_status>> try_wait() noexcept;
  /// Waits for its end while reading what is piped, all of it.
  ///
  /// Cancel safety: what has been read is lost, and the child is dropped.
  operation<captured_output> wait_with_output() &&;

  /// Kills it (SIGKILL) and waits for its end. Fine also when it has ended.
  ///
  /// Cancel safety: it is killed; nothing is lost.
  kill_leaf kill() noexcept { return kill_leaf(*this); }
  /// Kills it (SIGKILL), and does not wait. Fine also when it has ended.
  result<void> start_kill() noexcept;
  /// Sends it a signal; never to another process that has got its number. Errors: ESRCH when it has ended.
  result<void> send(signal::kind what) noexcept;

 private:
  friend class command;
  explicit child(eddy::detail::exit_watch_ptr watch) noexcept : watch_(std::move(watch)) {}

  eddy::detail::exit_watch_ptr watch_;
};

}}}  // namespace eddy::EDDY_ABI::process
