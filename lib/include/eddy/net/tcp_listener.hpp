#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/net/address.hpp>
#include <eddy/net/operation.hpp>
#include <eddy/net/tcp_stream.hpp>
#include <eddy/runtime/readiness.hpp>
#include <eddy/time/sleep.hpp>

namespace eddy::inline EDDY_ABI::net {

/// How a listener listens.
struct listen_options {
  int backlog = 1024;  // connections that wait to be accepted
  bool reuse_address =
      true;  // a port whose connections of before are still dying away (SO_REUSEADDR)
  bool reuse_port = false;  // several listeners share a port and its connections (SO_REUSEPORT)
  bool only_v6 = false;     // "[::]:80" takes no IPv4 connections
};

/// A connection and where it comes from.
struct accepted {
  tcp_stream stream;
  socket_address peer;
};

class tcp_accept;

/// Takes connections: `auto [stream, peer] = co_await listener.accept();`
///
/// Threads, Lifetime: as `tcp_stream`.
class tcp_listener {
 public:
  /// Listens at "host:port"; port 0 takes a free one, which `local_addr` tells. A host name is looked up and
  /// the first of its addresses that can be bound is taken.
  ///
  /// Errors: of the last address, which they name: "bind 127.0.0.1:80: permission denied".
  static operation<tcp_listener> bind(std::string host_port, listen_options options = {});
  /// The same at one address; nothing is looked up.
  static operation<tcp_listener> bind(const socket_address& at, listen_options options = {});
  /// Takes over a listening socket, inside a runtime; on failure it is closed.
  static result<tcp_listener> adopt(int fd) noexcept;

  /// Waits for the next connection.
  ///
  /// When descriptors or memory run out, clients stay in the backlog and it tries again when this loop has
  /// closed a descriptor, or after a while (1 ms, doubling up to 1 s). Connections that broke off before
  /// they were accepted are passed over.
  /// Cancel safety: no connection is lost.
  /// Lifetime: borrows the listener.
  tcp_accept accept() noexcept;
  /// A connection that waits, at once. Errors: none is `std::errc::resource_unavailable_try_again`; those of
  /// accept(2) come as they are.
  result<accepted> try_accept() noexcept;

  socket_address local_addr() const noexcept;
  /// The descriptor; still the listener's. Do not close it.
  int native_handle() const noexcept { return io_.fd(); }

 private:
  friend class tcp_accept;
  explicit tcp_listener(eddy::detail::io_handle io) noexcept : io_(std::move(io)) {}
  result<accepted> take(int& code) noexcept;

  eddy::detail::io_handle io_;
  std::chrono::milliseconds delay_{0};  // of the last wait for descriptors
};

/// Waits for a connection; made by `tcp_listener::accept`.
class [[nodiscard("eddy: accepting does nothing until it is awaited")]] tcp_accept {
 public:
  explicit tcp_accept(tcp_listener& listener) noexcept : listener_(&listener) {}
  polled<result<accepted>> poll(context& cx) noexcept;

 private:
  bool still_backing_off(context& cx) noexcept;
  void back_off(context& cx) noexcept;

  tcp_listener* listener_;
  eddy::detail::io_waiter waiter_;  // for the listener, or for a descriptor to be closed
  std::optional<sleep_leaf> pause_;
};

inline tcp_accept tcp_listener::accept() noexcept { return tcp_accept(*this); }

}  // namespace eddy::inline EDDY_ABI::net
