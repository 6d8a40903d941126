#include <eddy/io/standard.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "io/quiet_write.hpp"
#include "io/standard_pump.hpp"
#include "io/standard_stream.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

const char* name_of(int fd) noexcept {
  return fd == 0 ? "standard input" : fd == 1 ? "standard output" : "standard error";
}

// I1. -1: it cannot be opened again, or not be watched.
int open_again(int fd) noexcept {
  struct stat what;
  if (::fstat(fd, &what) != 0) return -1;
  if (!S_ISFIFO(what.st_mode) && !(S_ISCHR(what.st_mode) && ::isatty(fd) != 0)) return -1;
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return ::open(path, (fd == 0 ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

}  // namespace

error failed(int fd, int code) noexcept {
  return error::system(code, fd == 0 ? "read" : "write", name_of(fd));
}

bool standard_stream::is_watched() noexcept {
  if (by_pump_) return false;
  if (io_.valid()) return true;
  if (const int again = open_again(fd_); again >= 0) {
    auto made = registration::adopt(again, "open");
    if (made) io_ = std::move(*made);
  }
  by_pump_ = !io_.valid();
  return !by_pump_;
}

template <class Call, class Pump>
polled<result<std::size_t>> standard_stream::transfer(direction kind, standard_leaf& leaf,
                                                      context& cx, Call call,
                                                      Pump call_pump) noexcept {
  using answer = result<std::size_t>;
  for (bool anew = false;;) {
    auto& io = io_.state();
    const auto state = io.poll_ready(kind, leaf.waiter_, cx);
    if (state == wait_result::waiting) return pending;
    if (state != wait_result::ready && !std::exchange(anew, true)) {  // I2
      if (leaf.waiter_.is_waiting()) leaf.waiter_.leave();
      io_ = {};
      if (!is_watched()) return call_pump();
      continue;
    }
    if (!cx.proceed()) return pending;
    const auto tick = io.tick();
    const ::ssize_t n = call(io.fd);
    if (n >= 0) return answer(static_cast<std::size_t>(n));
    const int code = errno;
    if (code == EINTR) continue;
    if (code != EAGAIN && code != EWOULDBLOCK) return answer(failed(fd_, code));
    if (state != wait_result::ready) return answer(awaited_after_the_end(name_of(fd_)));
    io.clear(kind, tick);
  }
}

polled<result<std::size_t>> standard_stream::poll_read(standard_leaf& leaf, context& cx,
                                                       io::buffer to) noexcept {
  const auto by_pump = [&] { return standard_pump::of(fd_).poll_read(cx, leaf.job_, to); };
  if (to.empty()) return result<std::size_t>(0U);
  if (leaf.job_ || !is_watched()) return by_pump();
  return transfer(
      direction::read, leaf, cx, [&](int fd) { return ::read(fd, to.data(), to.size()); }, by_pump);
}

polled<result<std::size_t>> standard_stream::poll_write(standard_leaf& leaf, context& cx,
                                                        io::const_buffer from) noexcept {
  const auto by_pump = [&] { return standard_pump::of(fd_).poll_write(cx, leaf.job_, from); };
  if (from.empty()) return result<std::size_t>(0U);
  if (leaf.job_ || !is_watched()) return by_pump();
  return transfer(
      direction::write, leaf, cx,
      [&](int fd) { return write_quietly(fd, from.data(), from.size()); }, by_pump);
}

// ---- what the public header calls

void close_standard_stream::operator()(standard_stream* s) const noexcept { delete s; }
standard_stream_ptr open_standard_stream(int fd) {
  return standard_stream_ptr(new standard_stream(fd));
}

standard_leaf::~standard_leaf() {
  if (job_) standard_pump::of(of_->fd()).drop(job_);
}
polled<result<std::size_t>> standard_read_leaf::poll(context& cx) noexcept {
  return of_->poll_read(*this, cx, to_);
}
polled<result<std::size_t>> standard_write_leaf::poll(context& cx) noexcept {
  return of_->poll_write(*this, cx, from_);
}

}}}  // namespace eddy::EDDY_ABI::detail
