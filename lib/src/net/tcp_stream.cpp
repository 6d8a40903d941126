#include <eddy/net/tcp_stream.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/net/lookup.hpp>
#include <eddy/net/resolver.hpp>

#include "net/connect_race.hpp"
#include "net/socket.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace net {

using eddy::detail::descriptor_kind;
using eddy::detail::direction;
using eddy::detail::get_option;
using eddy::detail::registration;
using eddy::detail::set_option;
using eddy::detail::wait_result;

// ---- connect

error tcp_connect::failed(int code) const {
  return error::system(code, "connect", to_.to_string());
}

// Afterwards `io_` is a socket on its way, or an error says why not.
error tcp_connect::begin() {
  if (!to_) return failed(EINVAL);
  const int fd =
      given_ ? by_.release() : eddy::detail::open_socket(eddy::detail::family_of(to_), SOCK_STREAM);
  if (fd < 0) return failed(given_ ? EBADF : errno);
  auto made = registration::adopt(fd, "connect", descriptor_kind::tcp_stream);
  if (!made) return std::move(made).error();
  io_ = std::move(*made);
  const int code = eddy::detail::connect_socket(io_.fd(), eddy::detail::native_address(to_));
  if (code == EINPROGRESS)
    io_.state().clear_now(direction::write);  // writable will mean: decided
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
    switch (io_.state().poll_ready(direction::write, waiter_, cx)) {
      case wait_result::waiting:
        return pending;
      case wait_result::elsewhere:
        return result<tcp_stream>(eddy::detail::awaited_elsewhere());
      case wait_result::ended:
        return result<tcp_stream>(eddy::detail::awaited_after_the_end("connect"));
      case wait_result::ready:
        break;
    }
    if (!cx.proceed()) return pending;
    const auto tick = io_.state().tick();
    if (auto p = finish()) return p;
    io_.state().clear(direction::write, tick);
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

future<result<tcp_stream>> connect_any(std::string host_port, connect_options options) {
  auto& with = options.with != nullptr ? *options.with : system_resolver();
  auto found = co_await attempt(lookup_host(std::move(host_port), with));
  if (!found) co_return std::move(found).error();
  if (found->size() == 1) co_return co_await attempt(tcp_stream::connect(found->front()));
  co_return co_await attempt(eddy::detail::connect_race(std::move(*found), options.attempt_delay));
}

}  // namespace

operation<tcp_stream> tcp_stream::connect(std::string host_port, connect_options options) {
  return operation<tcp_stream>(connect_any(std::move(host_port), options));
}

result<tcp_stream> tcp_stream::adopt(int fd) noexcept {
  auto made = registration::adopt(fd, "adopt", descriptor_kind::tcp_stream);
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

#ifdef TCP_QUICKACK
result<void> tcp_stream::set_quickack(bool on) noexcept {
  return set_option(io_.fd(), IPPROTO_TCP, TCP_QUICKACK, on ? 1 : 0, "set_quickack");
}
result<bool> tcp_stream::quickack() const noexcept {
  return eddy::detail::get_flag(io_.fd(), IPPROTO_TCP, TCP_QUICKACK, "quickack");
}
#else
result<void> tcp_stream::set_quickack(bool) noexcept {
  return error::system(EOPNOTSUPP, "set_quickack");
}
result<bool> tcp_stream::quickack() const noexcept { return error::system(EOPNOTSUPP, "quickack"); }
#endif

result<void> tcp_stream::set_keepalive(bool on) noexcept {
  return set_option(io_.fd(), SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0, "set_keepalive");
}
result<void> tcp_stream::set_keepalive(const keepalive_options& options) noexcept {
  return eddy::detail::set_keepalive(io_.fd(), options);
}
result<bool> tcp_stream::keepalive() const noexcept {
  return eddy::detail::get_flag(io_.fd(), SOL_SOCKET, SO_KEEPALIVE, "keepalive");
}

result<void> tcp_stream::set_linger(std::optional<std::chrono::seconds> time) noexcept {
  return eddy::detail::set_linger(io_.fd(), time);
}
result<std::optional<std::chrono::seconds>> tcp_stream::linger() const noexcept {
  return eddy::detail::linger(io_.fd());
}

result<void> tcp_stream::set_ttl(int hops) noexcept {
  return eddy::detail::set_hops(io_.fd(), hops);
}
result<int> tcp_stream::ttl() const noexcept { return eddy::detail::hops(io_.fd()); }

}}}  // namespace eddy::EDDY_ABI::net
