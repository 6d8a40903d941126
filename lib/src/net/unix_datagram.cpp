#include <eddy/net/unix_datagram.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <eddy/base/error.hpp>

#include "net/socket.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace net {

using eddy::detail::native_address;
using eddy::detail::registration;

result<unix_datagram> unix_datagram::unbound() {
  const int fd = eddy::detail::open_socket(AF_UNIX, SOCK_DGRAM);
  if (fd < 0) return error::system(errno, "socket");
  return adopt(fd);
}

result<unix_datagram> unix_datagram::bind(const unix_address& at) {
  auto made = unbound();
  if (!made) return made;
  if (const int code = eddy::detail::bind_socket(made->io_.fd(), native_address(at)); code != 0)
    return error::system(code, "bind", at.to_string());
  return made;
}

result<unix_datagram> unix_datagram::bind(std::string_view path) {
  auto at = unix_address::path(path);
  if (!at) return std::move(at).error();
  return bind(*at);
}

result<unix_datagram_pair> unix_datagram::pair() {
  int fds[2];
  if (!eddy::detail::open_pair(SOCK_DGRAM, fds)) return error::system(errno, "pair");
  auto first = adopt(fds[0]);
  auto second = adopt(fds[1]);
  if (!first) return std::move(first).error();
  if (!second) return std::move(second).error();
  return unix_datagram_pair{std::move(*first), std::move(*second)};
}

result<unix_datagram> unix_datagram::adopt(int fd) noexcept {
  auto made = registration::adopt(fd, "adopt");
  if (!made) return std::move(made).error();
  return unix_datagram(std::move(*made));
}

result<void> unix_datagram::connect(const unix_address& to) {
  if (const int code = eddy::detail::connect_socket(io_.fd(), native_address(to)); code != 0)
    return error::system(code, "connect", to.to_string());
  return {};
}

result<void> unix_datagram::connect(std::string_view path) {
  auto to = unix_address::path(path);
  if (!to) return std::move(to).error();
  return connect(*to);
}

result<void> unix_datagram::shutdown(shutdown_side side) noexcept {
  return eddy::detail::shut_down(io_, side);
}

unix_address unix_datagram::local_addr() const noexcept {
  return eddy::detail::local_address(io_.fd()).as<unix_address>();
}
unix_address unix_datagram::peer_addr() const noexcept {
  return eddy::detail::peer_address(io_.fd()).as<unix_address>();
}

}}}  // namespace eddy::EDDY_ABI::net
