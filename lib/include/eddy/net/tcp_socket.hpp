#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <eddy/base/detail/descriptor.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/net/address.hpp>
#include <eddy/net/tcp_listener.hpp>
#include <eddy/net/tcp_stream.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// A TCP socket that is not yet a connection or a listener: for what must be set before.
///
/// `tcp_stream::connect` and `tcp_listener::bind` need none of it. `connect` and `listen` use the socket up.
/// Threads: any, also outside a runtime; what it becomes belongs to the runtime there.
/// Errors: functions return a `result`; what cannot be set is said by its name, "set_tos: invalid argument".
class [[nodiscard]] tcp_socket {
 public:
  /// For IPv4.
  static result<tcp_socket> v4() noexcept;
  /// For IPv6.
  static result<tcp_socket> v6() noexcept;
  /// For the family of `a`.
  static result<tcp_socket> for_address(const socket_address& a) noexcept;
  /// Takes over a stream socket that is neither connected nor listening.
  static tcp_socket adopt(int fd) noexcept;

  /// Binds to an address: where a listener listens, or where a connection comes from; port 0 takes a free one.
  /// Errors: name the address.
  result<void> bind(const socket_address& at);
  /// Connects. Cancel safety: the attempt is given up, the socket closed. Errors: name the address.
  tcp_connect connect(const socket_address& to) && noexcept;
  /// Listens, inside a runtime; `backlog` connections wait to be accepted.
  result<tcp_listener> listen(int backlog = 1024) && noexcept;

  /// Where it is bound; empty before.
  socket_address local_addr() const noexcept;

  /// May be bound where connections of before are still dying away (SO_REUSEADDR).
  result<void> set_reuse_address(bool on) noexcept;
  result<bool> reuse_address() const noexcept;
  /// Several sockets share a port and its connections (SO_REUSEPORT).
  result<void> set_reuse_port(bool on) noexcept;
  result<bool> reuse_port() const noexcept;
  /// "[::]:80" takes no IPv4 connections.
  result<void> set_only_v6(bool on) noexcept;
  result<bool> only_v6() const noexcept;
  /// Bytes the system holds that are not sent yet. Linux doubles what is set.
  result<void> set_send_buffer_size(std::size_t bytes) noexcept;
  result<std::size_t> send_buffer_size() const noexcept;
  /// Bytes the system holds that are not read yet. Linux doubles what is set.
  result<void> set_recv_buffer_size(std::size_t bytes) noexcept;
  result<std::size_t> recv_buffer_size() const noexcept;
  /// As of `tcp_stream`.
  result<void> set_nodelay(bool on) noexcept;
  result<bool> nodelay() const noexcept;
  result<void> set_keepalive(bool on) noexcept;
  result<void> set_keepalive(const keepalive_options& options) noexcept;
  result<bool> keepalive() const noexcept;
  /// As of `tcp_stream`.
  result<void> set_linger(std::optional<std::chrono::seconds> time) noexcept;
  result<std::optional<std::chrono::seconds>> linger() const noexcept;
  /// Type of service, of IPv6 the traffic class.
  result<void> set_tos(int tos) noexcept;
  result<int> tos() const noexcept;
  /// Ties it to a network interface, "" to none. Linux.
  result<void> bind_device(std::string_view interface);
  /// The interface it is tied to; "" if none.
  result<std::string> device() const;

  /// The error the socket keeps, which is cleared; empty when there is none.
  error take_error() noexcept;
  /// The descriptor; still the socket's. Do not close it.
  int native_handle() const noexcept { return fd_.get(); }
  /// Gives the socket away; the caller closes it.
  int into_descriptor() && noexcept { return fd_.release(); }

 private:
  explicit tcp_socket(int fd) noexcept : fd_(fd) {}
  static result<tcp_socket> open(int family) noexcept;

  eddy::detail::descriptor fd_;
};

}}}  // namespace eddy::EDDY_ABI::net
