#include <eddy/net/tcp_listener.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include <eddy/base/error.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/net/lookup.hpp>

#include "net/socket.hpp"
#include "net/stream_listener.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace net {

using eddy::detail::registration;

namespace {

// 0, or what failed.
int listen_at(int fd, const socket_address& at, const listen_options& options) noexcept {
  const auto set = [fd](int level, int name, bool on) {
    const int value = on ? 1 : 0;
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
  };
  if (!set(SOL_SOCKET, SO_REUSEADDR, options.reuse_address)) return errno;
  if (options.reuse_port && !set(SOL_SOCKET, SO_REUSEPORT, true)) return errno;
  if (at.is_v6() && !set(IPPROTO_IPV6, IPV6_V6ONLY, options.only_v6)) return errno;
  if (const int code = eddy::detail::bind_socket(fd, eddy::detail::native_address(at)); code != 0)
    return code;
  return ::listen(fd, options.backlog) == 0 ? 0 : errno;
}

result<tcp_listener> open_listener(const socket_address& at, const listen_options& options) {
  const auto failed = [&at](int code) { return error::system(code, "bind", at.to_string()); };
  if (!at) return failed(EINVAL);
  const int fd = eddy::detail::open_socket(eddy::detail::family_of(at), SOCK_STREAM);
  if (fd < 0) return failed(errno);
  if (const int code = listen_at(fd, at, options); code != 0) {
    ::close(fd);
    return failed(code);
  }
  return tcp_listener::adopt(fd);
}

future<result<tcp_listener>> bind_one(socket_address at, listen_options options) {
  co_return open_listener(at, options);
}

future<result<tcp_listener>> bind_any(std::string host_port, listen_options options) {
  auto found = co_await attempt(lookup_host(std::move(host_port)));
  if (!found) co_return std::move(found).error();
  error why;
  for (const auto& address : *found) {
    auto made = open_listener(address, options);
    if (made) co_return made;
    why = std::move(made).error();
  }
  co_return why;
}

}  // namespace

operation<tcp_listener> tcp_listener::bind(std::string host_port, listen_options options) {
  return operation<tcp_listener>(bind_any(std::move(host_port), options));
}
operation<tcp_listener> tcp_listener::bind(const socket_address& at, listen_options options) {
  return operation<tcp_listener>(bind_one(at, options));
}

result<tcp_listener> tcp_listener::adopt(int fd) noexcept {
  auto made = registration::adopt(fd, "listen");
  if (!made) return std::move(made).error();
  return tcp_listener(std::move(*made));
}

socket_address tcp_listener::local_addr() const noexcept {
  return eddy::detail::local_address(io_.fd()).as<socket_address>();
}

template class stream_listener<tcp_stream>;
template class stream_accept<tcp_stream>;

}}}  // namespace eddy::EDDY_ABI::net
