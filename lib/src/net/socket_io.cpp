// Moving bytes: the leaves of <eddy/net/socket_io.hpp>.

#include <eddy/net/socket_io.hpp>

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include <eddy/base/error.hpp>

#include "io/transfer.hpp"
#include "io/vectors.hpp"
#include "net/direct_calls.hpp"
#include "net/socket.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

::msghdr message_of(vectors& v) noexcept {
  ::msghdr m{};
  m.msg_iov = v.parts;
  m.msg_iovlen = static_cast<decltype(m.msg_iovlen)>(v.count);
  return m;
}
::ssize_t send(int fd, vectors& v) noexcept {
  const auto m = message_of(v);
  return ::sendmsg(fd, &m, no_signal);
}
::ssize_t receive(int fd, vectors& v) noexcept {
  auto m = message_of(v);
  return ::recvmsg(fd, &m, 0);
}

auto receiving(const readiness& io, io::buffer to, int flags) noexcept {
  return
      [fd = io.fd, to, flags]() noexcept { return direct_recv(fd, to.data(), to.size(), flags); };
}
auto sending(const readiness& io, io::const_buffer from) noexcept {
  return [fd = io.fd, from]() noexcept {
    return direct_send(fd, from.data(), from.size(), no_signal);
  };
}

}  // namespace

polled<result<void>> ready_leaf::poll(context& cx) noexcept {
  switch (waiter_.io().poll_ready(kind_, waiter_, cx)) {
    case wait_result::waiting:
      return pending;
    case wait_result::elsewhere:
      return result<void>(awaited_elsewhere());
    case wait_result::ended:
      return result<void>(
          awaited_after_the_end(kind_ == direction::read ? "readable" : "writable"));
    case wait_result::ready:
      break;
  }
  if (!cx.proceed()) return pending;
  return result<void>();
}

// Of two polls of a read one finds nothing there and one reads. Apart, each does little.
polled<result<std::size_t>> read_leaf::poll(context& cx) noexcept {
  if (!io_->is_ready_here(direction::read, cx)) return wait(cx);
  if (!cx.proceed()) [[unlikely]]
    return pending;
  const auto tick = io_->tick();
  const ::ssize_t n = direct_recv(io_->fd, to_.data(), to_.size(), 0);
  if (n < 0) [[unlikely]]
    return try_again(cx, tick);
  if (is_short(n, to_.size())) io_->clear_short(direction::read, tick);
  return result<std::size_t>(static_cast<std::size_t>(n));
}

[[gnu::noinline]] polled<result<std::size_t>> read_leaf::wait(context& cx) noexcept {
  // Nothing asked for is there already.
  if (to_.empty()) return result<std::size_t>(0U);
  const wait_result state = io_->wait(direction::read, waiter_, cx);
  if (state == wait_result::waiting) return pending;
  return transfer(state, *io_, direction::read, waiter_, cx, "read", to_.size(),
                  receiving(*io_, to_, 0));
}

[[gnu::noinline]] polled<result<std::size_t>> read_leaf::try_again(context& cx,
                                                                   std::uint16_t tick) noexcept {
  if (error why = why_failed(*io_, direction::read, wait_result::ready, tick, "read"))
    return result<std::size_t>(std::move(why));
  return transfer(*io_, direction::read, waiter_, cx, "read", to_.size(), receiving(*io_, to_, 0));
}

polled<result<std::size_t>> peek_leaf::poll(context& cx) noexcept {
  if (to_.empty()) return result<std::size_t>(0U);
  // However short, it has taken nothing: none are "wanted".
  return transfer(*io_, direction::read, waiter_, cx, "peek", 0, receiving(*io_, to_, MSG_PEEK));
}

polled<result<std::size_t>> write_leaf::poll(context& cx) noexcept {
  if (from_.empty()) return result<std::size_t>(0U);
  return transfer(*io_, direction::write, waiter_, cx, "write", from_.size(), sending(*io_, from_));
}

// The usual one takes it all at once.
polled<result<void>> write_all_leaf::poll(context& cx) noexcept {
  if (!io_->is_ready_here(direction::write, cx) || rest_.empty()) return write_rest(cx);
  if (!cx.proceed()) [[unlikely]]
    return pending;
  const auto tick = io_->tick();
  const ::ssize_t n = direct_send(io_->fd, rest_.data(), rest_.size(), no_signal);
  if (n == static_cast<::ssize_t>(rest_.size())) [[likely]]
    return result<void>();
  if (n < 0) {
    if (error why = why_failed(*io_, direction::write, wait_result::ready, tick, "write"))
      return result<void>(std::move(why));
  } else {
    if (is_short(n, rest_.size())) io_->clear_short(direction::write, tick);
    advance(static_cast<std::size_t>(n));
  }
  return write_rest(cx);
}

[[gnu::noinline]] polled<result<void>> write_all_leaf::write_rest(context& cx) noexcept {
  while (!rest_.empty()) {
    auto p =
        transfer(*io_, direction::write, waiter_, cx, "write", rest_.size(), sending(*io_, rest_));
    if (!p) return pending;
    if (!p->has_value()) return result<void>(std::move(*p).error());
    advance(**p);
  }
  return result<void>();
}

polled<result<std::size_t>> read_vectored_leaf::poll(context& cx) noexcept {
  vectors v(to_);
  if (v.bytes == 0) return result<std::size_t>(0U);
  return transfer(*io_, direction::read, waiter_, cx, "read", v.bytes,
                  [&v, fd = io_->fd]() noexcept { return receive(fd, v); });
}

polled<result<std::size_t>> write_vectored_leaf::poll(context& cx) noexcept {
  vectors v(from_);
  if (v.bytes == 0) return result<std::size_t>(0U);
  return transfer(*io_, direction::write, waiter_, cx, "write", v.bytes,
                  [&v, fd = io_->fd]() noexcept { return send(fd, v); });
}

polled<result<void>> write_all_vectored_leaf::poll(context& cx) noexcept {
  for (;;) {
    while (!rest_.empty() && done_ >= rest_.front().size()) {
      done_ -= rest_.front().size();
      rest_ = rest_.subspan(1);
    }
    if (rest_.empty()) return result<void>();
    vectors v(rest_, done_);
    auto p = transfer(*io_, direction::write, waiter_, cx, "write", v.bytes,
                      [&v, fd = io_->fd]() noexcept { return send(fd, v); });
    if (!p) return pending;
    if (!p->has_value()) return result<void>(std::move(*p).error());
    done_ += **p;
  }
}

result<std::size_t> try_read(const registration& io, io::buffer to) noexcept {
  if (to.empty()) return 0U;
  return try_transfer(io.state(), direction::read, "read", to.size(), receiving(io.state(), to, 0));
}
result<std::size_t> try_read_vectored(const registration& io,
                                      std::span<const io::buffer> to) noexcept {
  vectors v(to);
  if (v.bytes == 0) return 0U;
  return try_transfer(io.state(), direction::read, "read", v.bytes,
                      [&v, fd = io.fd()]() noexcept { return receive(fd, v); });
}
result<std::size_t> try_write(const registration& io, io::const_buffer from) noexcept {
  if (from.empty()) return 0U;
  return try_transfer(io.state(), direction::write, "write", from.size(),
                      sending(io.state(), from));
}
result<std::size_t> try_write_vectored(const registration& io,
                                       std::span<const io::const_buffer> from) noexcept {
  vectors v(from);
  if (v.bytes == 0) return 0U;
  return try_transfer(io.state(), direction::write, "write", v.bytes,
                      [&v, fd = io.fd()]() noexcept { return send(fd, v); });
}

result<void> shut_down(const registration& io, net::shutdown_side side) noexcept {
  const int how = side == net::shutdown_side::read    ? SHUT_RD
                  : side == net::shutdown_side::write ? SHUT_WR
                                                      : SHUT_RDWR;
  if (::shutdown(io.fd(), how) != 0) return error::system(errno, "shutdown");
  return {};
}

error take_error(const registration& io) noexcept { return take_error(io.fd()); }

result<int> give_away(registration io) noexcept {
  const int copy = ::fcntl(io.fd(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return error::system(errno, "into_descriptor");
  return copy;
}

result<int> give_away_blocking(registration io) noexcept {
  auto fd = give_away(std::move(io));
  if (!fd) return fd;
  const int flags = ::fcntl(*fd, F_GETFL);
  if (flags < 0 || ::fcntl(*fd, F_SETFL, flags & ~O_NONBLOCK) < 0) {
    const int code = errno;
    ::close(*fd);
    return error::system(code, "into_blocking_descriptor");
  }
  return fd;
}

}}}  // namespace eddy::EDDY_ABI::detail
