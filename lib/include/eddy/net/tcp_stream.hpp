#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/net/address.hpp>
#include <eddy/net/operation.hpp>
#include <eddy/net/socket_io.hpp>
#include <eddy/runtime/readiness.hpp>

namespace eddy::inline EDDY_ABI::net {

using io::buffer;
using io::const_buffer;

class tcp_connect;
class tcp_read_half;
class tcp_write_half;
struct tcp_halves;

/// Which side of a connection `shutdown` ends.
enum class shutdown_side { read, write, both };

/// What TCP does on a connection that is silent; zero leaves the system's own setting.
struct keepalive_options {
  std::chrono::seconds idle{};      // silence before the first probe
  std::chrono::seconds interval{};  // between probes
  int count = 0;                    // unanswered probes until the connection is dead
};

/// A TCP connection.
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
class tcp_stream {
 public:
  /// Connects to "host:port"; a host name is looked up, and its addresses are tried in order.
  ///
  /// Cancel safety: the attempt is given up.
  /// Errors: of the last address, which they name: "connect 127.0.0.1:1: connection refused"; or the lookup's.
  static operation<tcp_stream> connect(std::string host_port);
  /// Connects to one address.
  static tcp_connect connect(const socket_address& to) noexcept;
  /// Takes over a connected stream socket, inside a runtime; on failure it is closed.
  static result<tcp_stream> adopt(int fd) noexcept;

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
  eddy::detail::ready_leaf readable() const noexcept { return {io_, eddy::detail::interest::read}; }
  /// Waits until a write would take something, or fail.
  eddy::detail::ready_leaf writable() const noexcept {
    return {io_, eddy::detail::interest::write};
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
  result<void> shutdown(shutdown_side side) noexcept;
  result<void> shutdown_write() noexcept { return shutdown(shutdown_side::write); }

  /// Empty when the system no longer knows (the peer has reset the connection).
  socket_address local_addr() const noexcept;
  socket_address peer_addr() const noexcept;

  /// Sends small writes at once instead of collecting them.
  result<void> set_nodelay(bool on) noexcept;
  result<bool> nodelay() const noexcept;
  result<void> set_keepalive(bool on) noexcept;
  /// Turns it on, with these times.
  result<void> set_keepalive(const keepalive_options& options) noexcept;
  result<bool> keepalive() const noexcept;
  /// What becomes of unsent bytes when the stream is dropped: nothing set, the system sends them in the
  /// background; zero, they are thrown away and the peer sees a reset.
  result<void> set_linger(std::optional<std::chrono::seconds> time) noexcept;
  result<std::optional<std::chrono::seconds>> linger() const noexcept;
  /// Hops a packet may take.
  result<void> set_ttl(int hops) noexcept;
  result<int> ttl() const noexcept;
  /// The error the socket keeps, which is cleared; empty when there is none.
  error take_error() noexcept;

  /// Splits into halves for two tasks; `reunite` puts them together again.
  tcp_halves into_split() &&;

  /// The descriptor; still the stream's. Do not close it.
  int native_handle() const noexcept { return io_.fd(); }

 private:
  friend class tcp_connect;
  friend class tcp_listener;
  friend class tcp_accept;
  friend class tcp_read_half;
  friend class tcp_write_half;
  explicit tcp_stream(eddy::detail::io_handle io) noexcept : io_(std::move(io)) {}

  eddy::detail::io_handle io_;
};

/// Connects to one address; made by `tcp_stream::connect`.
class [[nodiscard("eddy: connecting does nothing until it is awaited")]] tcp_connect {
 public:
  explicit tcp_connect(const socket_address& to) noexcept : to_(to) {}
  polled<result<tcp_stream>> poll(context& cx) noexcept;

 private:
  error failed(int code) const;
  error begin();
  polled<result<tcp_stream>> finish() noexcept;

  socket_address to_;
  bool begun_ = false;
  eddy::detail::io_handle io_;
  eddy::detail::io_waiter waiter_;
};
static_assert(sizeof(tcp_connect) <= 72);

inline tcp_connect tcp_stream::connect(const socket_address& to) noexcept {
  return tcp_connect(to);
}

}  // namespace eddy::inline EDDY_ABI::net
