// Moving bytes through what is no socket: the leaves of <eddy/net/fd_io.hpp>.

#include <eddy/net/fd_io.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/net/socket_io.hpp>

#include "net/transfer.hpp"
#include "net/vectors.hpp"

namespace eddy::inline EDDY_ABI::detail {

namespace {

// While it lives this thread gets no SIGPIPE, and what a write has raised is gone afterwards.
class without_sigpipe {
 public:
  without_sigpipe() noexcept {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  without_sigpipe(const without_sigpipe&) = delete;
  ~without_sigpipe() {
    if (::sigismember(&before_, SIGPIPE) == 0) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  void take() const noexcept {
    ::sigset_t waiting;
    ::sigpending(&waiting);
    int taken = 0;  // one that is ignored is not there
    if (::sigismember(&waiting, SIGPIPE) == 1) ::sigwait(&pipe_, &taken);
  }

 private:
  ::sigset_t pipe_;
  ::sigset_t before_;
};

auto reading(int fd, io::buffer to) noexcept {
  return [fd, to]() noexcept { return ::read(fd, to.data(), to.size()); };
}

template <class Call>
auto writing(Call call) noexcept {
  return [call]() noexcept {
    const without_sigpipe guard;
    const ::ssize_t n = call();
    if (n < 0 && errno == EPIPE) {
      guard.take();
      errno = EPIPE;
    }
    return n;
  };
}

auto writing(int fd, io::const_buffer from) noexcept {
  return writing([fd, from]() noexcept { return ::write(fd, from.data(), from.size()); });
}

auto writing(int fd, const vectors& v) noexcept {
  return writing([fd, &v]() noexcept { return ::writev(fd, v.parts, static_cast<int>(v.count)); });
}

}  // namespace

polled<result<std::size_t>> fd_read_leaf::poll(context& cx) noexcept {
  if (to_.empty()) return result<std::size_t>(0U);
  return transfer(*io_, interest::read, waiter_, cx, "read", to_.size(), reading(io_->fd, to_));
}

polled<result<std::size_t>> fd_read_vectored_leaf::poll(context& cx) noexcept {
  vectors v(to_);
  if (v.bytes == 0) return result<std::size_t>(0U);
  return transfer(
      *io_, interest::read, waiter_, cx, "read", v.bytes,
      [&v, fd = io_->fd]() noexcept { return ::readv(fd, v.parts, static_cast<int>(v.count)); });
}

polled<result<std::size_t>> fd_write_leaf::poll(context& cx) noexcept {
  if (from_.empty()) return result<std::size_t>(0U);
  return transfer(*io_, interest::write, waiter_, cx, "write", from_.size(),
                  writing(io_->fd, from_));
}

polled<result<void>> fd_write_all_leaf::poll(context& cx) noexcept {
  while (!rest_.empty()) {
    auto p = transfer(*io_, interest::write, waiter_, cx, "write", rest_.size(),
                      writing(io_->fd, rest_));
    if (!p) return pending;
    if (!p->has_value()) return result<void>(std::move(*p).error());
    rest_ = io::const_buffer(static_cast<const char*>(rest_.data()) + **p, rest_.size() - **p);
  }
  return result<void>();
}

polled<result<std::size_t>> fd_write_vectored_leaf::poll(context& cx) noexcept {
  vectors v(from_);
  if (v.bytes == 0) return result<std::size_t>(0U);
  return transfer(*io_, interest::write, waiter_, cx, "write", v.bytes, writing(io_->fd, v));
}

result<std::size_t> try_fd_read(const io_handle& io, std::span<const io::buffer> to) noexcept {
  vectors v(to);
  if (v.bytes == 0) return 0U;
  return try_transfer(io.state(), interest::read, "read", v.bytes, [&v, fd = io.fd()]() noexcept {
    return ::readv(fd, v.parts, static_cast<int>(v.count));
  });
}

result<std::size_t> try_fd_write(const io_handle& io,
                                 std::span<const io::const_buffer> from) noexcept {
  vectors v(from);
  if (v.bytes == 0) return 0U;
  return try_transfer(io.state(), interest::write, "write", v.bytes, writing(io.fd(), v));
}

result<int> give_away_blocking(io_handle io) noexcept {
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

}  // namespace eddy::inline EDDY_ABI::detail
