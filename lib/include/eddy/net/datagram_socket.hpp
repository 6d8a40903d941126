#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/net/datagram_io.hpp>
#include <eddy/net/socket_io.hpp>
#include <eddy/runtime/detail/readiness.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

using io::buffer;
using io::const_buffer;

/// What every socket of datagrams can do: the part that `udp_socket` and `unix_datagram` have in common.
///
/// Each datagram is sent and received whole. One that is longer than the buffer it is received into is cut
/// off, and the rest is lost; only a batch tells.
/// Any number of tasks may send and receive at once; a datagram goes to one of them.
/// Cancel safety: nothing is lost: what is dropped has taken or sent nothing.
/// Threads: awaited on the runtime it was made on (anywhere else it is misuse); may be dropped anywhere.
/// Lifetime: an operation borrows the socket and the buffer until it has ended or is dropped.
/// Errors: on a connected socket also those of an earlier datagram, such as "connection refused". Functions
/// that do not wait return a `result`; nothing there, or no room, is
/// `std::errc::resource_unavailable_try_again`.
/// Cost: one block of 256 bytes; sending and receiving allocate nothing.
template <class Address>
class datagram_socket {
 public:
  /// Receives the next datagram, from whomever, and its size. On a connected socket only the peer's.
  eddy::detail::recv_leaf recv(buffer to) noexcept { return {io_, to, false}; }
  /// The same, and who sent it: `auto [size, from] = co_await socket.recv_from(buffer);`
  eddy::detail::recv_from_leaf<Address> recv_from(buffer to) noexcept { return {io_, to, false}; }
  /// Looks at the next datagram and leaves it there.
  eddy::detail::recv_leaf peek(buffer to) noexcept { return {io_, to, true}; }
  eddy::detail::recv_from_leaf<Address> peek_from(buffer to) noexcept { return {io_, to, true}; }
  /// Receives as many datagrams as are there, at least one and at most 32 or as `batch` has places for, and
  /// says how many. One system call for all on Linux.
  eddy::detail::recv_batch_leaf<Address> recv_batch(std::span<incoming<Address>> batch) noexcept {
    return {io_, batch};
  }

  /// Sends to the peer of a connected socket.
  eddy::detail::send_leaf send(const_buffer data) noexcept { return {io_, data}; }
  eddy::detail::send_to_leaf<Address> send_to(const_buffer data, const Address& to) noexcept {
    return {io_, data, to};
  }
  /// Sends the first of `batch`, as many as the system takes at once, 32 at most, and says how many.
  eddy::detail::send_batch_leaf<Address> send_batch(
      std::span<const outgoing<Address>> batch) noexcept {
    return {io_, batch};
  }

  /// As `recv`, but never waits. Errors: nothing there is `std::errc::resource_unavailable_try_again`.
  result<std::size_t> try_recv(buffer to) noexcept {
    return eddy::detail::try_recv(io_, to, false);
  }
  /// As `recv_from`, but never waits. Errors: as `try_recv`.
  result<received<Address>> try_recv_from(buffer to) noexcept {
    return eddy::detail::try_recv_from<Address>(io_, to, false);
  }
  /// As `peek`, but never waits. Errors: as `try_recv`.
  result<std::size_t> try_peek(buffer to) noexcept { return eddy::detail::try_recv(io_, to, true); }
  /// As `peek_from`, but never waits. Errors: as `try_recv`.
  result<received<Address>> try_peek_from(buffer to) noexcept {
    return eddy::detail::try_recv_from<Address>(io_, to, true);
  }
  /// As `send`, but never waits. Errors: no room is `std::errc::resource_unavailable_try_again`.
  result<std::size_t> try_send(const_buffer data) noexcept {
    return eddy::detail::try_send(io_, data);
  }
  /// As `send_to`, but never waits. Errors: as `try_send`.
  result<std::size_t> try_send_to(const_buffer data, const Address& to) noexcept {
    return eddy::detail::try_send_to(io_, data, to);
  }

  /// Waits until a datagram is there, or an error. It may be wrong: the try_ function then says so.
  eddy::detail::ready_leaf readable() const noexcept {
    return {io_, eddy::detail::direction::read};
  }
  /// Waits until a datagram is taken, or an error. It may be wrong, as `readable`.
  eddy::detail::ready_leaf writable() const noexcept {
    return {io_, eddy::detail::direction::write};
  }

  /// The error the socket keeps, which is cleared; empty when there is none.
  error take_error() noexcept { return eddy::detail::take_error(io_); }
  /// The descriptor; still the socket's. Do not close it.
  int native_handle() const noexcept { return io_.fd(); }
  /// Gives the socket away as a descriptor of another number, non-blocking as it is, which the caller closes.
  result<int> into_descriptor() && noexcept {
    return eddy::detail::give_away(std::exchange(io_, {}));
  }

 protected:
  explicit datagram_socket(eddy::detail::registration io) noexcept : io_(std::move(io)) {}
  datagram_socket(datagram_socket&&) noexcept = default;
  datagram_socket& operator=(datagram_socket&&) noexcept = default;
  ~datagram_socket() = default;

  eddy::detail::registration io_;
};

}}}  // namespace eddy::EDDY_ABI::net
