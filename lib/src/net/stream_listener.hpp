#pragma once
// The compiled part of <eddy/net/stream_listener.hpp>: whoever has a listener instantiates it.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/net/stream_listener.hpp>

#include "net/socket.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace net {

namespace accept_detail {

inline bool out_of_resources(int code) noexcept {
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

// What accept(2) says of a connection that is gone already; the next one may be well.
inline bool is_of_the_peer(int code) noexcept {
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

}  // namespace accept_detail

template <class Stream>
result<accepted_stream<Stream>> stream_listener<Stream>::try_accept() noexcept {
  int code = 0;
  return take(code);
}

// `code` is what accept(2) failed with, or 0.
template <class Stream>
result<accepted_stream<Stream>> stream_listener<Stream>::take(int& code) noexcept {
  eddy::detail::native_address peer;
  const auto tick = io_.state().tick();
  const int fd = eddy::detail::accept_socket(io_.fd(), peer);
  code = fd < 0 ? errno : 0;
  if (code != 0) {
    if (code == EWOULDBLOCK) code = EAGAIN;
    if (code == EAGAIN) io_.state().clear_tried(eddy::detail::direction::read, tick);
    return error::system(code, "accept");
  }
  auto made = Stream::adopt(fd);
  if (!made) return std::move(made).error();
  accepted a{std::move(*made), peer.template as<typename Stream::address_type>()};
  return a;
}

template <class Stream>
polled<result<accepted_stream<Stream>>> stream_accept<Stream>::poll(context& cx) noexcept {
  auto& io = listener_->io_.state();
  if (still_backing_off(cx)) return pending;
  for (;;) {
    const eddy::detail::wait_result state =
        io.poll_ready(eddy::detail::direction::read, waiter_, cx);
    if (state == eddy::detail::wait_result::waiting) return pending;
    if (state == eddy::detail::wait_result::elsewhere)
      return result<accepted_stream<Stream>>(eddy::detail::awaited_elsewhere());
    if (!cx.proceed()) return pending;
    int code = 0;
    auto made = listener_->take(code);
    if (code == EAGAIN) {
      if (state == eddy::detail::wait_result::ended)
        return result<accepted_stream<Stream>>(eddy::detail::awaited_after_the_end("accept"));
      continue;
    }
    if (accept_detail::is_of_the_peer(code)) continue;
    if (!accept_detail::out_of_resources(code) || state == eddy::detail::wait_result::ended)
      return made;
    back_off(cx);
    if (still_backing_off(cx)) return pending;
  }
}

template <class Stream>
void stream_accept<Stream>::back_off(context& cx) noexcept {
  delay_ = std::clamp(delay_ * 2, std::chrono::milliseconds(1), std::chrono::milliseconds(1000));
  pause_.emplace(eddy::sleep(delay_));
  listener_->io_.state().wait_for_descriptor(waiter_, cx);
}

template <class Stream>
bool stream_accept<Stream>::still_backing_off(context& cx) noexcept {
  if (!pause_) return false;
  if (waiter_.stay(cx) && !pause_->poll(cx)) return true;
  if (waiter_.is_waiting()) waiter_.leave();
  pause_.reset();
  return false;
}

}}}  // namespace eddy::EDDY_ABI::net
