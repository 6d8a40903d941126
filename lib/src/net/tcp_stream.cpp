#include <eddy/net/tcp_stream.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>
#include <vector>

#include <eddy/base/error.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/net/lookup.hpp>

#include "net/socket.hpp"

namespace eddy::inline EDDY_ABI::net {

using eddy::detail::get_option;
using eddy::detail::interest;
using eddy::detail::io_handle;
using eddy::detail::io_poll;
using eddy::detail::set_option;

// ---- connect

error tcp_connect::failed(int code) const {
  return error::system(code, "connect", to_.to_string());
}

// Afterwards `io_` is a socket on its way, or an error says why not.
error tcp_connect::begin() {
  if (!to_) return failed(EINVAL);
  const int fd = eddy::detail::open_socket(eddy::detail::family_of(to_), SOCK_STREAM);
  if (fd < 0) return failed(errno);
  auto made = io_handle::adopt(fd, "connect");
  if (!made) return std::move(made).error();
  io_ = std::move(*made);
  const int code = eddy::detail::connect_socket(io_.fd(), eddy::detail::native_address(to_));
  if (code == EINPROGRESS)
    io_.state().clear_now(interest::write);  // writable will mean: decided
  else if (code != 0)
    return failed(code);
  return {};
}

polled<result<tcp_stream>> tcp_connect::poll(context& cx) noexcept {
  if (!begun_) {
    begun_ = true;
    if (error e = begin()) {
      io_ = {};
      return result<tcp_stream>(std::move(e));
    }
  }
  for (;;) {
    switch (io_.state().poll_ready(interest::write, waiter_, cx)) {
      case io_poll::waiting:
        return pending;
      case io_poll::elsewhere:
        return result<tcp_stream>(eddy::detail::awaited_elsewhere());
      case io_poll::ended:
        return result<tcp_stream>(eddy::detail::awaited_after_the_end("connect"));
      case io_poll::ready:
        break;
    }
    if (!cx.proceed()) return pending;
    const auto tick = io_.state().tick;
    if (auto p = finish()) return p;
    io_.state().clear(interest::write, tick);
  }
}

// Pending: it was woken for nothing, and the connection is still on its way.
polled<result<tcp_stream>> tcp_connect::finish() noexcept {
  const auto code = get_option(io_.fd(), SOL_SOCKET, SO_ERROR, "connect");
  if (!code || *code != 0) {
    io_ = {};
    return result<tcp_stream>(code ? failed(*code) : code.error());
  }
  if (eddy::detail::peer_address(io_.fd()).size == 0 && errno == ENOTCONN) return pending;
  return result<tcp_stream>(tcp_stream(std::move(io_)));
}

namespace {

future<result<tcp_stream>> connect_any(std::string host_port) {
  auto found = co_await attempt(lookup_host(std::move(host_port)));
  if (!found) co_return std::move(found).error();
  error why;
  for (const auto& address : *found) {
    auto made = co_await attempt(tcp_stream::connect(address));
    if (made) co_return made;
    why = std::move(made).error();
  }
  co_return why;
}

}  // namespace

operation<tcp_stream> tcp_stream::connect(std::string host_port) {
  return operation<tcp_stream>(connect_any(std::move(host_port)));
}

result<tcp_stream> tcp_stream::adopt(int fd) noexcept {
  auto made = io_handle::adopt(fd, "adopt");
  if (!made) return std::move(made).error();
  return tcp_stream(std::move(*made));
}

// ---- the rest

socket_address tcp_stream::local_addr() const noexcept {
  return eddy::detail::local_address(io_.fd()).as<socket_address>();
}
socket_address tcp_stream::peer_addr() const noexcept {
  return eddy::detail::peer_address(io_.fd()).as<socket_address>();
}

result<void> tcp_stream::set_nodelay(bool on) noexcept {
  return set_option(io_.fd(), IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0, "set_nodelay");
}
result<bool> tcp_stream::nodelay() const noexcept {
  return eddy::detail::get_flag(io_.fd(), IPPROTO_TCP, TCP_NODELAY, "nodelay");
}

result<void> tcp_stream::set_keepalive(bool on) noexcept {
  return set_option(io_.fd(), SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0, "set_keepalive");
}
result<void> tcp_stream::set_keepalive(const keepalive_options& options) noexcept {
#ifdef TCP_KEEPIDLE
  constexpr int idle = TCP_KEEPIDLE;
#else
  constexpr int idle = TCP_KEEPALIVE;
#endif
  const struct {
    int name;
    std::chrono::seconds::rep value;
  } parts[] = {{idle, options.idle.count()},
               {TCP_KEEPINTVL, options.interval.count()},
               {TCP_KEEPCNT, options.count}};
  for (const auto& part : parts) {
    if (part.value == 0) continue;
    auto set =
        set_option(io_.fd(), IPPROTO_TCP, part.name, static_cast<int>(part.value), "set_keepalive");
    if (!set) return set;
  }
  return set_keepalive(true);
}
result<bool> tcp_stream::keepalive() const noexcept {
  return eddy::detail::get_flag(io_.fd(), SOL_SOCKET, SO_KEEPALIVE, "keepalive");
}

result<void> tcp_stream::set_linger(std::optional<std::chrono::seconds> time) noexcept {
  ::linger l{};
  l.l_onoff = time ? 1 : 0;
  l.l_linger = time ? static_cast<decltype(l.l_linger)>(time->count()) : 0;
  if (::setsockopt(io_.fd(), SOL_SOCKET, SO_LINGER, &l, sizeof l) != 0)
    return error::system(errno, "set_linger");
  return {};
}
result<std::optional<std::chrono::seconds>> tcp_stream::linger() const noexcept {
  ::linger l{};
  ::socklen_t size = sizeof l;
  if (::getsockopt(io_.fd(), SOL_SOCKET, SO_LINGER, &l, &size) != 0)
    return error::system(errno, "linger");
  std::optional<std::chrono::seconds> time;
  if (l.l_onoff != 0) time = std::chrono::seconds(l.l_linger);
  return time;
}

result<void> tcp_stream::set_ttl(int hops) noexcept {
  return eddy::detail::set_hops(io_.fd(), hops);
}
result<int> tcp_stream::ttl() const noexcept { return eddy::detail::hops(io_.fd()); }

}  // namespace eddy::inline EDDY_ABI::net
