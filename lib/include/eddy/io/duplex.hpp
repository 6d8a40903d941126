#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/detail/byte_pipe.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace io {

class duplex_stream;
struct duplex_pair;
duplex_pair duplex(std::size_t room);

/// One end of a stream in memory, made by `duplex`; used as a `net::tcp_stream` is. What a test wants instead of a
/// socket.
///
/// Reading and writing are independent. Two that wait to read are both woken when something comes, and one may get it
/// all.
/// Cancel safety: a read or write that is dropped has moved nothing; for `write_all` see there.
/// Threads: one task at a time reads, and one writes; the two ends may be on different threads.
/// Lifetime: an operation borrows the stream and the buffer until it has ended or is dropped. Dropping an end is the
/// other's end of the stream: it reads what has been written, then 0; its writes fail with EPIPE.
/// Cost: reading and writing allocate nothing.
class duplex_stream {
 public:
  duplex_stream(duplex_stream&& other) noexcept = default;
  duplex_stream& operator=(duplex_stream&& other) noexcept {
    duplex_stream taken(std::move(other));
    std::swap(pipes_, taken.pipes_);
    std::swap(side_, taken.side_);
    return *this;
  }
  ~duplex_stream();

  /// Reads what is there, up to the size of `to`; 0 at the end of the stream (or when `to` is empty).
  eddy::detail::pipe_read_leaf read(buffer to) noexcept { return {in(), to}; }
  /// Writes as much of `from` as there is room for, at least one byte: how much.
  eddy::detail::pipe_write_leaf write(const_buffer from) noexcept { return {out(), from}; }
  /// Writes all of `from`.
  ///
  /// Cancel safety: some of it may have been written, and how much is lost.
  eddy::detail::pipe_write_all_leaf write_all(const_buffer from) noexcept { return {out(), from}; }
  /// Waits until a read would give something (bytes, the end).
  eddy::detail::pipe_ready_leaf readable() noexcept {
    return {in(), eddy::detail::pipe_side::read};
  }
  /// Waits until a write would take something, or fail.
  eddy::detail::pipe_ready_leaf writable() noexcept {
    return {out(), eddy::detail::pipe_side::write};
  }
  /// Never waits. Errors: nothing there is `std::errc::resource_unavailable_try_again`.
  result<std::size_t> try_read(buffer to) noexcept { return eddy::detail::try_read(in(), to); }
  /// Never waits. Errors: as `try_read` when there is no room.
  result<std::size_t> try_write(const_buffer from) noexcept {
    return eddy::detail::try_write(out(), from);
  }
  /// Ends the write side: the peer reads what was written and then the end of the stream.
  result<void> shutdown_write() noexcept;

 private:
  friend duplex_pair duplex(std::size_t room);
  struct two_pipes {
    explicit two_pipes(std::size_t room) : forth(room), back(room) {}
    eddy::detail::byte_pipe forth;
    eddy::detail::byte_pipe back;
  };
  duplex_stream(std::shared_ptr<two_pipes> pipes, bool side) noexcept
      : pipes_(std::move(pipes)), side_(side) {}
  eddy::detail::byte_pipe& in() noexcept { return side_ ? pipes_->forth : pipes_->back; }
  eddy::detail::byte_pipe& out() noexcept { return side_ ? pipes_->back : pipes_->forth; }

  std::shared_ptr<two_pipes> pipes_;
  bool side_;
};

/// The two ends of one stream.
struct duplex_pair {
  duplex_stream first;   ///< one end
  duplex_stream second;  ///< the other
};

/// A stream in memory; each direction holds up to `room` bytes that have not been read.
/// `auto [client, server] = eddy::io::duplex(64);`
///
/// Errors: no room at all is misuse.
/// Cost: three blocks, two of them of `room` bytes.
duplex_pair duplex(std::size_t room);

}}}  // namespace eddy::EDDY_ABI::io
