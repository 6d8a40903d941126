#include <eddy/net/udp_socket.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/net/lookup.hpp>

#include "net/socket.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace net {

using eddy::detail::get_option;
using eddy::detail::native_address;
using eddy::detail::registration;
using eddy::detail::set_option;

namespace {

// 0, or what failed.
int bind_at(int fd, const socket_address& at, const udp_options& options) noexcept {
  const auto set = [fd](int level, int name, bool on) {
    const int value = on ? 1 : 0;
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
  };
  if (options.reuse_address && !set(SOL_SOCKET, SO_REUSEADDR, true)) return errno;
  if (options.reuse_port && !set(SOL_SOCKET, SO_REUSEPORT, true)) return errno;
  if (at.is_v6() && !set(IPPROTO_IPV6, IPV6_V6ONLY, options.only_v6)) return errno;
  return eddy::detail::bind_socket(fd, native_address(at));
}

future<result<udp_socket>> bind_any(std::string host_port, udp_options options) {
  auto found = co_await attempt(lookup_host(std::move(host_port)));
  if (!found) co_return std::move(found).error();
  error why;
  for (const auto& address : *found) {
    auto made = udp_socket::bind(address, options);
    if (made) co_return made;
    why = std::move(made).error();
  }
  co_return why;
}

future<result<void>> connect_any(udp_socket* socket, std::string host_port) {
  auto found = co_await attempt(lookup_host(std::move(host_port)));
  if (!found) co_return std::move(found).error();
  error why;
  for (const auto& address : *found) {
    auto made = socket->connect(address);
    if (made) co_return made;
    why = std::move(made).error();
  }
  co_return why;
}

}  // namespace

operation<udp_socket> udp_socket::bind(std::string host_port, udp_options options) {
  return operation<udp_socket>(bind_any(std::move(host_port), options));
}

result<udp_socket> udp_socket::bind(const socket_address& at, udp_options options) {
  const auto failed = [&at](int code) { return error::system(code, "bind", at.to_string()); };
  if (!at) return failed(EINVAL);
  const int fd = eddy::detail::open_socket(eddy::detail::family_of(at), SOCK_DGRAM);
  if (fd < 0) return failed(errno);
  if (const int code = bind_at(fd, at, options); code != 0) {
    ::close(fd);
    return failed(code);
  }
  return adopt(fd);
}

result<udp_socket> udp_socket::adopt(int fd) noexcept {
  auto made = registration::adopt(fd, "adopt");
  if (!made) return std::move(made).error();
  return udp_socket(std::move(*made));
}

operation<void> udp_socket::connect(std::string host_port) {
  return operation<void>(connect_any(this, std::move(host_port)));
}

result<void> udp_socket::connect(const socket_address& to) {
  const auto failed = [&to](int code) { return error::system(code, "connect", to.to_string()); };
  if (!to) return failed(EINVAL);
  if (const int code = eddy::detail::connect_socket(io_.fd(), native_address(to)); code != 0)
    return failed(code);
  return {};
}

socket_address udp_socket::local_addr() const noexcept {
  return eddy::detail::local_address(io_.fd()).as<socket_address>();
}
socket_address udp_socket::peer_addr() const noexcept {
  return eddy::detail::peer_address(io_.fd()).as<socket_address>();
}

result<void> udp_socket::set_broadcast(bool on) noexcept {
  return set_option(io_.fd(), SOL_SOCKET, SO_BROADCAST, on ? 1 : 0, "set_broadcast");
}
result<bool> udp_socket::broadcast() const noexcept {
  return eddy::detail::get_flag(io_.fd(), SOL_SOCKET, SO_BROADCAST, "broadcast");
}

result<void> udp_socket::set_ttl(int hops) noexcept {
  return eddy::detail::set_hops(io_.fd(), hops);
}
result<int> udp_socket::ttl() const noexcept { return eddy::detail::hops(io_.fd()); }

result<void> udp_socket::set_tos(int tos) noexcept { return eddy::detail::set_tos(io_.fd(), tos); }
result<int> udp_socket::tos() const noexcept { return eddy::detail::tos(io_.fd()); }
result<void> udp_socket::bind_device(std::string_view interface) {
  return eddy::detail::bind_device(io_.fd(), interface);
}
result<std::string> udp_socket::device() const { return eddy::detail::device(io_.fd()); }
result<void> udp_socket::set_send_buffer_size(std::size_t bytes) noexcept {
  return eddy::detail::set_buffer_size(io_.fd(), SO_SNDBUF, bytes, "set_send_buffer_size");
}
result<std::size_t> udp_socket::send_buffer_size() const noexcept {
  return eddy::detail::buffer_size(io_.fd(), SO_SNDBUF, "send_buffer_size");
}
result<void> udp_socket::set_recv_buffer_size(std::size_t bytes) noexcept {
  return eddy::detail::set_buffer_size(io_.fd(), SO_RCVBUF, bytes, "set_recv_buffer_size");
}
result<std::size_t> udp_socket::recv_buffer_size() const noexcept {
  return eddy::detail::buffer_size(io_.fd(), SO_RCVBUF, "recv_buffer_size");
}

// ---- multicast

namespace {

error no_group(const socket_address& group, const char* operation) {
  return error::system(EINVAL, operation, group.to_string());
}

result<void> change_v4(int fd, int name, const socket_address& group,
                       const socket_address& interface, const char* operation) {
  if (!group.is_v4() || (interface && !interface.is_v4())) return no_group(group, operation);
  ::ip_mreq request{};
  std::memcpy(&request.imr_multiaddr, group.ip().data(), 4);
  std::memcpy(&request.imr_interface, interface.ip().data(), 4);
  if (::setsockopt(fd, IPPROTO_IP, name, &request, sizeof request) != 0)
    return error::system(errno, operation, group.ip_string());
  return {};
}

result<void> change_v6(int fd, int name, const socket_address& group, std::uint32_t interface,
                       const char* operation) {
  if (!group.is_v6()) return no_group(group, operation);
  ::ipv6_mreq request{};
  std::memcpy(&request.ipv6mr_multiaddr, group.ip().data(), 16);
  request.ipv6mr_interface = interface;
  if (::setsockopt(fd, IPPROTO_IPV6, name, &request, sizeof request) != 0)
    return error::system(errno, operation, group.ip_string());
  return {};
}

}  // namespace

result<void> udp_socket::join_multicast_v4(const socket_address& group,
                                           const socket_address& interface) {
  return change_v4(io_.fd(), IP_ADD_MEMBERSHIP, group, interface, "join_multicast");
}
result<void> udp_socket::leave_multicast_v4(const socket_address& group,
                                            const socket_address& interface) {
  return change_v4(io_.fd(), IP_DROP_MEMBERSHIP, group, interface, "leave_multicast");
}
result<void> udp_socket::join_multicast_v6(const socket_address& group, std::uint32_t interface) {
  return change_v6(io_.fd(), IPV6_JOIN_GROUP, group, interface, "join_multicast");
}
result<void> udp_socket::leave_multicast_v6(const socket_address& group, std::uint32_t interface) {
  return change_v6(io_.fd(), IPV6_LEAVE_GROUP, group, interface, "leave_multicast");
}

result<void> udp_socket::set_multicast_loop(bool on) noexcept {
  if (local_addr().is_v6())
    return set_option(io_.fd(), IPPROTO_IPV6, IPV6_MULTICAST_LOOP, on ? 1 : 0,
                      "set_multicast_loop");
  return set_option(io_.fd(), IPPROTO_IP, IP_MULTICAST_LOOP, on ? 1 : 0, "set_multicast_loop");
}
result<bool> udp_socket::multicast_loop() const noexcept {
  if (local_addr().is_v6())
    return eddy::detail::get_flag(io_.fd(), IPPROTO_IPV6, IPV6_MULTICAST_LOOP, "multicast_loop");
  return eddy::detail::get_flag(io_.fd(), IPPROTO_IP, IP_MULTICAST_LOOP, "multicast_loop");
}
result<void> udp_socket::set_multicast_ttl(int hops) noexcept {
  if (local_addr().is_v6())
    return set_option(io_.fd(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops, "set_multicast_ttl");
  return set_option(io_.fd(), IPPROTO_IP, IP_MULTICAST_TTL, hops, "set_multicast_ttl");
}
result<int> udp_socket::multicast_ttl() const noexcept {
  if (local_addr().is_v6())
    return get_option(io_.fd(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, "multicast_ttl");
  return get_option(io_.fd(), IPPROTO_IP, IP_MULTICAST_TTL, "multicast_ttl");
}

}}}  // namespace eddy::EDDY_ABI::net
