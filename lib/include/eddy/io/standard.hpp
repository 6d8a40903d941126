#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/runtime/detail/readiness.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class standard_stream;  // src/io/standard.cpp
struct close_standard_stream {
  void operator()(standard_stream* s) const noexcept;
};
using standard_stream_ptr = std::unique_ptr<standard_stream, close_standard_stream>;
standard_stream_ptr open_standard_stream(int fd);

struct pump_job;  // src/io/standard_pump.hpp

/// One read or one write of a standard stream.
class standard_leaf {
 public:
  standard_leaf(standard_stream& s) noexcept : of_(&s) {}
  standard_leaf(standard_leaf&&) noexcept = default;
  standard_leaf& operator=(standard_leaf&&) = delete;
  ~standard_leaf();

 protected:
  friend class standard_stream;
  standard_stream* of_;
  io_waiter waiter_;
  std::shared_ptr<pump_job> job_;
};

class [[nodiscard]] standard_read_leaf : standard_leaf {
 public:
  standard_read_leaf(standard_stream& s, io::buffer to) noexcept : standard_leaf(s), to_(to) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  io::buffer to_;
};

class [[nodiscard]] standard_write_leaf : standard_leaf {
 public:
  standard_write_leaf(standard_stream& s, io::const_buffer from) noexcept
      : standard_leaf(s), from_(from) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  io::const_buffer from_;
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace io {

/// This program's standard input, an `io::reader`; `std_in()` makes one. Wrap it in a `buf_reader` for lines.
///
/// A pipe or a terminal is opened once more, non-blocking for this program alone, and watched by the loop. What
/// cannot be opened or watched (files, sockets, another user's terminal) is read by a thread, only when asked to. Either
/// way the descriptor that the shell shares stays as it is, and a read that waits holds up no program's end.
/// Several may exist; each byte goes to one of them.
/// Cancel safety: a dropped read has taken nothing, or what its thread reads goes to the next read.
/// Threads: one task's at a time, on any runtime; may be dropped anywhere.
/// Lifetime: an operation borrows the stream and the buffer until it has ended or is dropped.
/// Cost: a block of memory; with a thread, one more for a read or write of up to 64 kB.
class standard_input {
 public:
  standard_input() : stream_(eddy::detail::open_standard_stream(0)) {}
  /// Reads what is there, up to the size of `to`; 0 at the end (on a terminal: Ctrl-D, and it may go on).
  /// Errors: what the system says, EBADF if the program was started without one.
  eddy::detail::standard_read_leaf read(buffer to) noexcept { return {*stream_, to}; }

 private:
  eddy::detail::standard_stream_ptr stream_;
};

/// This program's standard output or standard error, an `io::writer`; `std_out()` and `std_err()` make one. Holds
/// nothing back: what a write has taken is the system's. How it is written: as `standard_input` is read.
///
/// Cancel safety: a dropped write is done or not begun. By a thread, one that is being done goes on.
/// Threads, Lifetime, Cost: as `standard_input`.
class standard_output {
 public:
  explicit standard_output(int fd) : stream_(eddy::detail::open_standard_stream(fd)) {}
  /// Writes as much of `from` as is taken now, at least one byte: how much. `io::write_all` writes all.
  /// Errors: nobody reads any more is EPIPE and no signal.
  eddy::detail::standard_write_leaf write(const_buffer from) noexcept { return {*stream_, from}; }

 private:
  eddy::detail::standard_stream_ptr stream_;
};

/// The program's standard input.
inline standard_input std_in() { return {}; }
/// The program's standard output.
inline standard_output std_out() { return standard_output(1); }
/// The program's standard error.
inline standard_output std_err() { return standard_output(2); }

}}}  // namespace eddy::EDDY_ABI::io
