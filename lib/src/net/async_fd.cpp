#include <eddy/net/async_fd.hpp>

#include <fcntl.h>

#include <cerrno>

namespace eddy { inline namespace EDDY_ABI { namespace net {

void fd_readiness::clear_ready() noexcept {
  if (!io_->is_always_ready()) io_->clear(kind_, tick_);
}

result<async_fd> async_fd::adopt(int fd) noexcept {
  auto made = eddy::detail::registration::adopt(fd, "adopt");
  if (!made) return std::move(made).error();
  return async_fd(std::move(*made));
}

// A duplicate: it stays what it is when the owner closes his, and the system takes two as well as one.
result<async_fd> async_fd::watch(int fd) noexcept {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return error::system(errno, "watch");
  return adopt(copy);
}

}}}  // namespace eddy::EDDY_ABI::net

namespace eddy { inline namespace EDDY_ABI { namespace detail {

polled<result<net::fd_readiness>> fd_ready_leaf::poll(context& cx) noexcept {
  using answer = result<net::fd_readiness>;
  const char* const operation = kind_ == direction::read ? "readable" : "writable";
  switch (io_->poll_ready(kind_, waiter_, cx)) {
    case wait_result::waiting:
      return pending;
    case wait_result::elsewhere:
      return answer(awaited_elsewhere());
    case wait_result::ended:
      return answer(awaited_after_the_end(operation));
    case wait_result::ready:
      break;
  }
  if (!cx.proceed()) return pending;
  return answer(net::fd_readiness(*io_, kind_, io_->tick()));
}

}}}  // namespace eddy::EDDY_ABI::detail
