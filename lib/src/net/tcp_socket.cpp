#include <eddy/net/tcp_socket.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include <eddy/base/error.hpp>

#include "net/socket.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace net {

using eddy::detail::get_flag;
using eddy::detail::set_option;

result<tcp_socket> tcp_socket::open(int family) noexcept {
  const int fd = eddy::detail::open_socket(family, SOCK_STREAM);
  if (fd < 0) return error::system(errno, "socket");
  return tcp_socket(fd);
}
result<tcp_socket> tcp_socket::v4() noexcept { return open(AF_INET); }
result<tcp_socket> tcp_socket::v6() noexcept { return open(AF_INET6); }
result<tcp_socket> tcp_socket::for_address(const socket_address& a) noexcept {
  if (!a) return error::system(EINVAL, "socket");
  return open(eddy::detail::family_of(a));
}
tcp_socket tcp_socket::adopt(int fd) noexcept { return tcp_socket(fd); }

result<void> tcp_socket::bind(const socket_address& at) {
  const int code =
      at ? eddy::detail::bind_socket(fd_.get(), eddy::detail::native_address(at)) : EINVAL;
  if (code != 0) return error::system(code, "bind", at.to_string());
  return {};
}

tcp_connect tcp_socket::connect(const socket_address& to) && noexcept {
  return tcp_connect(to, std::move(fd_));
}

result<tcp_listener> tcp_socket::listen(int backlog) && noexcept {
  auto taken = std::move(fd_);
  if (::listen(taken.get(), backlog) != 0) return error::system(errno, "listen");
  return tcp_listener::adopt(taken.release());
}

socket_address tcp_socket::local_addr() const noexcept {
  return eddy::detail::local_address(fd_.get()).as<socket_address>();
}

// ---- options

result<void> tcp_socket::set_reuse_address(bool on) noexcept {
  return set_option(fd_.get(), SOL_SOCKET, SO_REUSEADDR, on ? 1 : 0, "set_reuse_address");
}
result<bool> tcp_socket::reuse_address() const noexcept {
  return get_flag(fd_.get(), SOL_SOCKET, SO_REUSEADDR, "reuse_address");
}
result<void> tcp_socket::set_reuse_port(bool on) noexcept {
  return set_option(fd_.get(), SOL_SOCKET, SO_REUSEPORT, on ? 1 : 0, "set_reuse_port");
}
result<bool> tcp_socket::reuse_port() const noexcept {
  return get_flag(fd_.get(), SOL_SOCKET, SO_REUSEPORT, "reuse_port");
}
result<void> tcp_socket::set_only_v6(bool on) noexcept {
  return set_option(fd_.get(), IPPROTO_IPV6, IPV6_V6ONLY, on ? 1 : 0, "set_only_v6");
}
result<bool> tcp_socket::only_v6() const noexcept {
  return get_flag(fd_.get(), IPPROTO_IPV6, IPV6_V6ONLY, "only_v6");
}

result<void> tcp_socket::set_send_buffer_size(std::size_t bytes) noexcept {
  return eddy::detail::set_buffer_size(fd_.get(), SO_SNDBUF, bytes, "set_send_buffer_size");
}
result<std::size_t> tcp_socket::send_buffer_size() const noexcept {
  return eddy::detail::buffer_size(fd_.get(), SO_SNDBUF, "send_buffer_size");
}
result<void> tcp_socket::set_recv_buffer_size(std::size_t bytes) noexcept {
  return eddy::detail::set_buffer_size(fd_.get(), SO_RCVBUF, bytes, "set_recv_buffer_size");
}
result<std::size_t> tcp_socket::recv_buffer_size() const noexcept {
  return eddy::detail::buffer_size(fd_.get(), SO_RCVBUF, "recv_buffer_size");
}

result<void> tcp_socket::set_nodelay(bool on) noexcept {
  return set_option(fd_.get(), IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0, "set_nodelay");
}
result<bool> tcp_socket::nodelay() const noexcept {
  return get_flag(fd_.get(), IPPROTO_TCP, TCP_NODELAY, "nodelay");
}
result<void> tcp_socket::set_keepalive(bool on) noexcept {
  return set_option(fd_.get(), SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0, "set_keepalive");
}
result<void> tcp_socket::set_keepalive(const keepalive_options& options) noexcept {
  return eddy::detail::set_keepalive(fd_.get(), options);
}
result<bool> tcp_socket::keepalive() const noexcept {
  return get_flag(fd_.get(), SOL_SOCKET, SO_KEEPALIVE, "keepalive");
}
result<void> tcp_socket::set_linger(std::optional<std::chrono::seconds> time) noexcept {
  return eddy::detail::set_linger(fd_.get(), time);
}
result<std::optional<std::chrono::seconds>> tcp_socket::linger() const noexcept {
  return eddy::detail::linger(fd_.get());
}
result<void> tcp_socket::set_tos(int tos) noexcept { return eddy::detail::set_tos(fd_.get(), tos); }
result<int> tcp_socket::tos() const noexcept { return eddy::detail::tos(fd_.get()); }
result<void> tcp_socket::bind_device(std::string_view interface) {
  return eddy::detail::bind_device(fd_.get(), interface);
}
result<std::string> tcp_socket::device() const { return eddy::detail::device(fd_.get()); }

error tcp_socket::take_error() noexcept { return eddy::detail::take_error(fd_.get()); }

}}}  // namespace eddy::EDDY_ABI::net
