#include <eddy/net/tcp_listener.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include <eddy/base/error.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/net/lookup.hpp>

#include "net/socket.hpp"

namespace eddy::inline EDDY_ABI::net {

using eddy::detail::interest;
using eddy::detail::io_handle;
using eddy::detail::io_poll;

namespace {

using namespace std::chrono_literals;

bool out_of_resources(int code) noexcept {
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

// What accept(2) says of a connection that is gone already; the next one may be well.
bool is_of_the_peer(int code) noexcept {
  switch (code) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
#ifdef ENONET
    case ENONET:
#endif
      return true;
    default:
      return false;
  }
}

// 0, or what failed.
int listen_at(int fd, const socket_address& at, const listen_options& options) noexcept {
  const auto set = [fd](int level, int name, bool on) {
    const int value = on ? 1 : 0;
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
  };
  if (!set(SOL_SOCKET, SO_REUSEADDR, options.reuse_address)) return errno;
  if (options.reuse_port && !set(SOL_SOCKET, SO_REUSEPORT, true)) return errno;
  if (at.is_v6() && !set(IPPROTO_IPV6, IPV6_V6ONLY, options.only_v6)) return errno;
  if (const int code = eddy::detail::bind_socket(fd, at); code != 0) return code;
  return ::listen(fd, options.backlog) == 0 ? 0 : errno;
}

result<tcp_listener> open_listener(const socket_address& at, const listen_options& options) {
  const auto failed = [&at](int code) { return error::system(code, "bind", at.to_string()); };
  if (!at) return failed(EINVAL);
  const int fd = eddy::detail::open_tcp(at);
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
  auto made = io_handle::adopt(fd, "listen");
  if (!made) return std::move(made).error();
  return tcp_listener(std::move(*made));
}

socket_address tcp_listener::local_addr() const noexcept {
  return eddy::detail::local_address(io_.fd());
}

result<accepted> tcp_listener::try_accept() noexcept {
  int code = 0;
  return take(code);
}

// `code` is what accept(2) failed with, or 0.
result<accepted> tcp_listener::take(int& code) noexcept {
  socket_address peer;
  const int fd = eddy::detail::accept_socket(io_.fd(), peer);
  code = fd < 0 ? errno : 0;
  if (code != 0) {
    if (code == EWOULDBLOCK) code = EAGAIN;
    if (code == EAGAIN) io_.state().clear_now(interest::read);
    return error::system(code, "accept");
  }
  delay_ = 0ms;
  auto made = tcp_stream::adopt(fd);
  if (!made) return std::move(made).error();
  accepted a{std::move(*made), peer};
  return a;
}

polled<result<accepted>> tcp_accept::poll(context& cx) noexcept {
  auto& io = listener_->io_.state();
  if (still_backing_off(cx)) return pending;
  for (;;) {
    const io_poll state = io.poll_ready(interest::read, waiter_, cx);
    if (state == io_poll::waiting) return pending;
    if (state == io_poll::elsewhere) return result<accepted>(eddy::detail::awaited_elsewhere());
    if (!cx.proceed()) return pending;
    int code = 0;
    auto made = listener_->take(code);
    if (code == EAGAIN) {
      if (state == io_poll::ended)
        return result<accepted>(eddy::detail::awaited_after_the_end("accept"));
      continue;
    }
    if (is_of_the_peer(code)) continue;
    if (!out_of_resources(code) || state == io_poll::ended) return made;
    back_off(cx);
    if (still_backing_off(cx)) return pending;
  }
}

void tcp_accept::back_off(context& cx) noexcept {
  auto& delay = listener_->delay_;
  delay = std::clamp(delay * 2, 1ms, 1000ms);
  pause_.emplace(eddy::sleep(delay));
  listener_->io_.state().wait_for_descriptor(waiter_, cx);
}

bool tcp_accept::still_backing_off(context& cx) noexcept {
  if (!pause_) return false;
  if (waiter_.linked() && !pause_->poll(cx)) {
    cx.store_waker(waiter_.who);
    return true;
  }
  if (waiter_.linked()) waiter_.unlink();
  pause_.reset();
  return false;
}

}  // namespace eddy::inline EDDY_ABI::net
