#pragma once

#include <string>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/net/address.hpp>
#include <eddy/net/stream_listener.hpp>
#include <eddy/net/tcp_stream.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// How a listener listens.
struct listen_options {
  int backlog = 1024;  ///< connections that wait to be accepted
  /// A port whose connections of before are still dying away (SO_REUSEADDR).
  bool reuse_address = true;
  bool reuse_port = false;  ///< several listeners share a port and its connections (SO_REUSEPORT)
  bool only_v6 = false;     ///< "[::]:80" takes no IPv4 connections
};

/// What `tcp_listener::accept` gives.
using accepted = accepted_stream<tcp_stream>;

/// Takes connections: `auto [stream, peer] = co_await listener.accept();`
///
/// Threads, Lifetime: as `tcp_stream`.
class tcp_listener : public stream_listener<tcp_stream> {
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

  /// Where it listens, the port that was free if 0 was asked for.
  socket_address local_addr() const noexcept;

 private:
  using stream_listener::stream_listener;
};

}}}  // namespace eddy::EDDY_ABI::net
