#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/detail/fd_io.hpp>
#include <eddy/net/socket_io.hpp>
#include <eddy/runtime/detail/readiness.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

using io::buffer;
using io::const_buffer;

/// The end of a pipe that is read: of `pipe()`, or of a FIFO in the file system.
///
/// Cancel safety: a read that is dropped has taken nothing.
/// Threads: awaited on the runtime it was made on; may be dropped anywhere.
/// Lifetime: an operation borrows the pipe and the buffer until it has ended or is dropped.
/// Cost: one block of 256 bytes; reading allocates nothing.
class pipe_receiver {
 public:
  /// Opens a FIFO; never waits for a writer. Reading waits for the first one, and gives 0 once all have gone.
  /// Errors: name the path; EINVAL for what is no FIFO.
  static result<pipe_receiver> open(std::string_view path);
  /// Opens a FIFO as if it were a writer too: it never sees an end, writers may come and go. Linux; elsewhere
  /// the system may refuse it.
  static result<pipe_receiver> open_read_write(std::string_view path);
  /// Takes over a descriptor, inside a runtime, and makes it non-blocking; on failure it is closed.
  /// Errors: EINVAL for what is no pipe, or cannot be read.
  static result<pipe_receiver> adopt(int fd) noexcept;

  /// Reads what is there, up to the size of `to`; 0 at the end (or when `to` is empty).
  eddy::detail::fd_read_leaf read(buffer to) noexcept { return {io_, to}; }
  /// Reads into several buffers, filling one after the other; the first 64 are used.
  eddy::detail::fd_read_vectored_leaf read_vectored(std::span<const buffer> to) noexcept {
    return {io_, to};
  }
  /// Waits until a read would give something. It may be wrong: `try_read` then says so.
  eddy::detail::ready_leaf readable() const noexcept {
    return {io_, eddy::detail::direction::read};
  }
  /// Reads what is there; never waits. Errors: nothing there is `std::errc::resource_unavailable_try_again`.
  result<std::size_t> try_read(buffer to) noexcept {
    return eddy::detail::try_fd_read(io_, std::span(&to, 1));
  }
  result<std::size_t> try_read_vectored(std::span<const buffer> to) noexcept {
    return eddy::detail::try_fd_read(io_, to);
  }

  /// The descriptor; still the pipe's. Do not close it.
  int native_handle() const noexcept { return io_.fd(); }
  /// Gives the end away as a descriptor of another number, non-blocking as it is, which the caller closes.
  result<int> into_descriptor() && noexcept {
    return eddy::detail::give_away(std::exchange(io_, {}));
  }
  /// The same, blocking: as another program wants it for its standard input.
  result<int> into_blocking_descriptor() && noexcept {
    return eddy::detail::give_away_blocking(std::exchange(io_, {}));
  }

 private:
  explicit pipe_receiver(eddy::detail::registration io) noexcept : io_(std::move(io)) {}
  eddy::detail::registration io_;
};

/// The end of a pipe that is written: of `pipe()`, or of a FIFO in the file system.
///
/// A reader that has left is an error of the next write, EPIPE, and never a SIGPIPE.
/// Cancel safety: a write that is dropped has written nothing; for `write_all` see there.
/// Threads, Lifetime: as `pipe_receiver`.
/// Cost: one block of 256 bytes; writing allocates nothing. One system call a write from Linux 6.18 on; before it
/// four, because a pipe has no flag against SIGPIPE there: the signal is blocked meanwhile.
class pipe_sender {
 public:
  /// Opens a FIFO; never waits for a reader.
  /// Errors: name the path; ENXIO when nobody has it open for reading; EINVAL for what is no FIFO.
  static result<pipe_sender> open(std::string_view path);
  /// Opens a FIFO as if it were a reader too: it needs none, and sees none leave. Linux; elsewhere the system
  /// may refuse it.
  static result<pipe_sender> open_read_write(std::string_view path);
  /// Takes over a descriptor, inside a runtime, and makes it non-blocking; on failure it is closed.
  /// Errors: EINVAL for what is no pipe, or cannot be written.
  static result<pipe_sender> adopt(int fd) noexcept;

  /// Writes as much of `from` as there is room for, at least one byte: how much. What is no longer than
  /// PIPE_BUF is written whole.
  eddy::detail::fd_write_leaf write(const_buffer from) noexcept { return {io_, from}; }
  /// Writes from several buffers, one after the other; the first 64 are used.
  eddy::detail::fd_write_vectored_leaf write_vectored(std::span<const const_buffer> from) noexcept {
    return {io_, from};
  }
  /// Writes all of `from`.
  ///
  /// Cancel safety: some of it may have been written, and how much is lost.
  eddy::detail::fd_write_all_leaf write_all(const_buffer from) noexcept { return {io_, from}; }
  /// Waits until a write would take something, or fail.
  eddy::detail::ready_leaf writable() const noexcept {
    return {io_, eddy::detail::direction::write};
  }
  /// Writes what there is room for; never waits. Errors: no room is
  /// `std::errc::resource_unavailable_try_again`.
  result<std::size_t> try_write(const_buffer from) noexcept {
    return eddy::detail::try_fd_write(io_, std::span(&from, 1));
  }
  result<std::size_t> try_write_vectored(std::span<const const_buffer> from) noexcept {
    return eddy::detail::try_fd_write(io_, from);
  }

  /// The descriptor; still the pipe's. Do not close it.
  int native_handle() const noexcept { return io_.fd(); }
  /// Gives the end away as a descriptor of another number, non-blocking as it is, which the caller closes.
  result<int> into_descriptor() && noexcept {
    return eddy::detail::give_away(std::exchange(io_, {}));
  }
  /// The same, blocking: as another program wants it for its standard output.
  result<int> into_blocking_descriptor() && noexcept {
    return eddy::detail::give_away_blocking(std::exchange(io_, {}));
  }

 private:
  explicit pipe_sender(eddy::detail::registration io) noexcept : io_(std::move(io)) {}
  eddy::detail::registration io_;
};

/// `auto [sender, receiver] = eddy::net::pipe().value();`
struct pipe_ends {
  pipe_sender sender;      ///< writes
  pipe_receiver receiver;  ///< reads
};

/// A pipe without a name, inside a runtime: what is written to the one end is read from the other.
result<pipe_ends> pipe() noexcept;

}}}  // namespace eddy::EDDY_ABI::net
