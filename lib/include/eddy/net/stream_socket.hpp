#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/net/socket_io.hpp>
#include <eddy/runtime/detail/readiness.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

using io::buffer;
using io::const_buffer;

/// What every connection can do: the part that `tcp_stream` and `unix_stream` have in common.
///
/// Reading and writing are independent: one task may read while another writes. Two that wait to read are
/// both woken when something comes, and one may get it all.
/// Cancel safety: a read or write that is dropped has moved nothing; for `write_all` see there. Dropping
/// the stream closes the connection; what was written is still delivered.
/// Threads: awaited on the runtime it was made on (anywhere else it is misuse); may be dropped anywhere.
/// Lifetime: an operation borrows the stream and the buffer until it has ended or is dropped. The stream
/// may outlive its runtime: then only the try_ functions are of use.
/// Errors: a connection that the peer has reset is an error of the next operation, never a signal. Functions
/// that do not wait return a `result`.
/// Cost: one block of 256 bytes; reading and writing allocate nothing.
class stream_socket {
 public:
  /// Reads what is there, up to the size of `to`; 0 at the end of the stream (or when `to` is empty).
  eddy::detail::read_leaf read(buffer to) noexcept { return {io_, to}; }
  /// Reads what is there into several buffers, filling one after the other; the first 64 are used.
  eddy::detail::read_vectored_leaf read_vectored(std::span<const buffer> to) noexcept {
    return {io_, to};
  }
  /// Reads without taking: the next read gives the same bytes.
  eddy::detail::peek_leaf peek(buffer to) noexcept { return {io_, to}; }
  /// Writes as much of `from` as the system takes now, at least one byte: how much.
  eddy::detail::write_leaf write(const_buffer from) noexcept { return {io_, from}; }
  /// Writes from several buffers, one after the other, as much as the system takes; the first 64 are used.
  eddy::detail::write_vectored_leaf write_vectored(std::span<const const_buffer> from) noexcept {
    return {io_, from};
  }
  /// Writes all of `from`.
  ///
  /// Cancel safety: some of it may have been written, and how much is lost.
  eddy::detail::write_all_leaf write_all(const_buffer from) noexcept { return {io_, from}; }
  /// Writes all of several buffers, one after the other. Cancel safety: as `write_all`.
  eddy::detail::write_all_vectored_leaf write_all_vectored(
      std::span<const const_buffer> from) noexcept {
    return {io_, from};
  }

  /// Waits until a read would give something (bytes, the end, an error). It may be wrong: `try_read` then
  /// says EAGAIN, and the next `readable` waits. An idle connection needs no buffer this way.
  eddy::detail::ready_leaf readable() const noexcept {
    return {io_, eddy::detail::direction::read};
  }
  /// Waits until a write would take something, or fail.
  eddy::detail::ready_leaf writable() const noexcept {
    return {io_, eddy::detail::direction::write};
  }
  /// Reads what is there; never waits. Errors: nothing there is `std::errc::resource_unavailable_try_again`.
  result<std::size_t> try_read(buffer to) noexcept { return eddy::detail::try_read(io_, to); }
  result<std::size_t> try_read_vectored(std::span<const buffer> to) noexcept {
    return eddy::detail::try_read_vectored(io_, to);
  }
  /// Writes what is taken at once; never waits. Errors: as `try_read` when there is no room.
  result<std::size_t> try_write(const_buffer from) noexcept {
    return eddy::detail::try_write(io_, from);
  }
  result<std::size_t> try_write_vectored(std::span<const const_buffer> from) noexcept {
    return eddy::detail::try_write_vectored(io_, from);
  }

  /// Ends one side at once: the peer reads what was written and then the end of the stream; a read of our
  /// own after that side has been ended gives 0.
  result<void> shutdown(shutdown_side side) noexcept { return eddy::detail::shut_down(io_, side); }
  result<void> shutdown_write() noexcept { return shutdown(shutdown_side::write); }

  /// The error the socket keeps, which is cleared; empty when there is none.
  error take_error() noexcept { return eddy::detail::take_error(io_); }
  /// The descriptor; still the stream's. Do not close it.
  int native_handle() const noexcept { return io_.fd(); }
  /// Gives the connection away as a descriptor of another number, non-blocking as it is, which the caller
  /// closes; this one is closed without ending the connection. Errors: what dup says, and then it is closed.
  result<int> into_descriptor() && noexcept {
    return eddy::detail::give_away(std::exchange(io_, {}));
  }

 protected:
  explicit stream_socket(eddy::detail::registration io) noexcept : io_(std::move(io)) {}
  stream_socket(stream_socket&&) noexcept = default;
  stream_socket& operator=(stream_socket&&) noexcept = default;
  ~stream_socket() = default;

  eddy::detail::registration io_;
};

}}}  // namespace eddy::EDDY_ABI::net
