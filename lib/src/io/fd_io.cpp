// Moving bytes through what is no socket: the leaves of <eddy/io/detail/fd_io.hpp>.

#include <eddy/io/detail/fd_io.hpp>

#include <sys/uio.h>
#include <unistd.h>

#include <utility>

#include <eddy/base/error.hpp>

#include "io/quiet_write.hpp"
#include "io/transfer.hpp"
#include "io/vectors.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

auto reading(int fd, io::buffer to) noexcept {
  return [fd, to]() noexcept { return ::read(fd, to.data(), to.size()); };
}

auto writing(int fd, io::const_buffer from) noexcept {
  return [fd, from]() noexcept { return write_quietly(fd, from.data(), from.size()); };
}

auto writing(int fd, const vectors& v) noexcept {
  return [fd, &v]() noexcept { return write_quietly(fd, v.parts, static_cast<int>(v.count)); };
}

}  // namespace

polled<result<std::size_t>> fd_read_leaf::poll(context& cx) noexcept {
  if (to_.empty()) return result<std::size_t>(0U);
  return transfer(*io_, direction::read, waiter_, cx, "read", to_.size(), reading(io_->fd, to_));
}

polled<result<std::size_t>> fd_read_vectored_leaf::poll(context& cx) noexcept {
  vectors v(to_);
  if (v.bytes == 0) return result<std::size_t>(0U);
  return transfer(
      *io_, direction::read, waiter_, cx, "read", v.bytes,
      [&v, fd = io_->fd]() noexcept { return ::readv(fd, v.parts, static_cast<int>(v.count)); });
}

polled<result<std::size_t>> fd_write_leaf::poll(context& cx) noexcept {
  if (from_.empty()) return result<std::size_t>(0U);
  return transfer(*io_, direction::write, waiter_, cx, "write", from_.size(),
                  writing(io_->fd, from_));
}

polled<result<void>> fd_write_all_leaf::poll(context& cx) noexcept {
  while (!rest_.empty()) {
    auto p = transfer(*io_, direction::write, waiter_, cx, "write", rest_.size(),
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
  return transfer(*io_, direction::write, waiter_, cx, "write", v.bytes, writing(io_->fd, v));
}

result<std::size_t> try_fd_read(const registration& io, std::span<const io::buffer> to) noexcept {
  vectors v(to);
  if (v.bytes == 0) return 0U;
  return try_transfer(io.state(), direction::read, "read", v.bytes, [&v, fd = io.fd()]() noexcept {
    return ::readv(fd, v.parts, static_cast<int>(v.count));
  });
}

result<std::size_t> try_fd_write(const registration& io,
                                 std::span<const io::const_buffer> from) noexcept {
  vectors v(from);
  if (v.bytes == 0) return 0U;
  return try_transfer(io.state(), direction::write, "write", v.bytes, writing(io.fd(), v));
}

}}}  // namespace eddy::EDDY_ABI::detail
