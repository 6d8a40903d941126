#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/net/address.hpp>
#include <eddy/net/datagram_socket.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// How a UDP socket is bound.
struct udp_options {
  bool reuse_address = false;  ///< SO_REUSEADDR: several receivers of one multicast group
  bool reuse_port = false;     ///< several sockets share a port and its datagrams (SO_REUSEPORT)
  bool only_v6 = false;        ///< "[::]:53" takes no IPv4
};

/// A UDP socket. What it sends and receives with is `datagram_socket`'s.
///
/// Cancel safety, Threads, Lifetime, Errors, Cost: as `datagram_socket`.
class udp_socket : public datagram_socket<socket_address> {
 public:
  /// Binds to "host:port"; port 0 takes a free one, which `local_addr` tells. A host name is looked up and
  /// the first of its addresses that can be bound is taken.
  ///
  /// Errors: of the last address, which they name: "bind 127.0.0.1:53: permission denied".
  static operation<udp_socket> bind(std::string host_port, udp_options options = {});
  /// The same at one address; nothing is looked up and nothing waits.
  static result<udp_socket> bind(const socket_address& at, udp_options options = {});
  /// Takes over a UDP socket, inside a runtime; on failure it is closed.
  static result<udp_socket> adopt(int fd) noexcept;

  /// From now on sends to, and receives from, this peer alone. A host name is looked up.
  operation<void> connect(std::string host_port);
  result<void> connect(const socket_address& to);

  /// Where it is bound.
  socket_address local_addr() const noexcept;
  /// Empty when it is not connected.
  socket_address peer_addr() const noexcept;

  /// May send to broadcast addresses.
  result<void> set_broadcast(bool on) noexcept;
  result<bool> broadcast() const noexcept;
  /// Hops a datagram may take.
  result<void> set_ttl(int hops) noexcept;
  result<int> ttl() const noexcept;
  /// Type of service, of IPv6 the traffic class.
  result<void> set_tos(int tos) noexcept;
  result<int> tos() const noexcept;
  /// Ties it to a network interface, "" to none. Linux.
  result<void> bind_device(std::string_view interface);
  /// The interface it is tied to; "" if none.
  result<std::string> device() const;
  /// Bytes the system holds that are not sent yet. Linux doubles what is set.
  result<void> set_send_buffer_size(std::size_t bytes) noexcept;
  result<std::size_t> send_buffer_size() const noexcept;
  /// Bytes the system holds that are not read yet. Linux doubles what is set.
  result<void> set_recv_buffer_size(std::size_t bytes) noexcept;
  result<std::size_t> recv_buffer_size() const noexcept;

  /// Receives what is sent to a multicast group: an address of the socket's family, its port of no meaning.
  /// The interface is named by one of its IPv4 addresses, or by its index; unspecified or 0, the system
  /// chooses.
  result<void> join_multicast_v4(const socket_address& group, const socket_address& interface);
  /// Receives it no longer.
  result<void> leave_multicast_v4(const socket_address& group, const socket_address& interface);
  /// As `join_multicast_v4`; the interface by its index, 0: the system chooses.
  result<void> join_multicast_v6(const socket_address& group, std::uint32_t interface);
  /// Receives it no longer.
  result<void> leave_multicast_v6(const socket_address& group, std::uint32_t interface);
  /// Whether this machine gets what is sent to a group too.
  result<void> set_multicast_loop(bool on) noexcept;
  result<bool> multicast_loop() const noexcept;
  /// Routers a multicast datagram may pass, and one.
  result<void> set_multicast_ttl(int hops) noexcept;
  result<int> multicast_ttl() const noexcept;

 private:
  using datagram_socket::datagram_socket;
};

}}}  // namespace eddy::EDDY_ABI::net
