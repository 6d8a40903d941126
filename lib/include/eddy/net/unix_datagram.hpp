#pragma once

#include <string_view>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/net/datagram_socket.hpp>
#include <eddy/net/stream_socket.hpp>
#include <eddy/net/unix_address.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

struct unix_datagram_pair;

/// A Unix socket of datagrams: they arrive in order and none is lost, a full receiver makes the sender wait.
/// What it sends and receives with is `datagram_socket`'s.
///
/// The system does not tell when there is room again at a peer one is not connected to: such a `send_to`
/// tries again every millisecond.
/// Cancel safety, Threads, Lifetime, Errors, Cost: as `datagram_socket`.
class unix_datagram : public datagram_socket<unix_address> {
 public:
  /// Bound to a path, which stays behind when the socket goes, or to any address. Errors: name the address.
  static result<unix_datagram> bind(const unix_address& at);
  static result<unix_datagram> bind(std::string_view path);
  /// Without a name: it can send, and nobody can answer.
  static result<unix_datagram> unbound();
  /// Two sockets connected to each other.
  static result<unix_datagram_pair> pair();
  /// Takes over a Unix socket of datagrams, inside a runtime; on failure it is closed.
  static result<unix_datagram> adopt(int fd) noexcept;

  /// From now on sends to, and receives from, this peer alone.
  result<void> connect(const unix_address& to);
  result<void> connect(std::string_view path);
  /// Ends one side at once.
  result<void> shutdown(shutdown_side side) noexcept;

  /// Where it is bound; unnamed if nowhere.
  unix_address local_addr() const noexcept;
  /// Unnamed when it is not connected.
  unix_address peer_addr() const noexcept;

 private:
  using datagram_socket::datagram_socket;
};

/// Two sockets that are connected to each other.
struct unix_datagram_pair {
  unix_datagram first;   ///< one of them
  unix_datagram second;  ///< the other
};

}}}  // namespace eddy::EDDY_ABI::net
