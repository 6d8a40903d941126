#include <eddy/io/descriptor_io.hpp>

#include <unistd.h>

#include <cerrno>
#include <utility>

#include <eddy/base/error.hpp>

#include "io/quiet_write.hpp"

namespace eddy::inline EDDY_ABI::detail {

namespace {

bool would_block(int code) noexcept { return code == EAGAIN || code == EWOULDBLOCK; }

// Budget is spent before the call: what it has moved is never held back. Only EAGAIN clears: a short read of a
// terminal is a line, and the next one may be there.
template <class Call>
polled<result<std::size_t>> transfer(io_state& io, interest kind, io_waiter& w, context& cx,
                                     const char* operation, Call call) noexcept {
  using answer = result<std::size_t>;
  for (;;) {
    const auto state = io.poll_ready(kind, w, cx);
    if (state == io_poll::waiting) return pending;
    if (state == io_poll::elsewhere) return answer(awaited_elsewhere());
    if (!cx.proceed()) return pending;
    const auto tick = io.tick();
    const ::ssize_t n = call();
    if (n >= 0) return answer(static_cast<std::size_t>(n));
    const int code = errno;
    if (code == EINTR) continue;
    if (!would_block(code)) return answer(error::system(code, operation));
    if (state == io_poll::ended) return answer(awaited_after_the_end(operation));
    io.clear(kind, tick);
  }
}

template <class Call>
result<std::size_t> at_once(io_state& io, interest kind, const char* operation,
                            Call call) noexcept {
  ::ssize_t n = 0;
  do n = call();
  while (n < 0 && errno == EINTR);
  if (n >= 0) return static_cast<std::size_t>(n);
  const int code = errno;
  if (would_block(code)) io.clear_now(kind);
  return error::system(code, operation);
}

}  // namespace

polled<result<std::size_t>> descriptor_read_leaf::poll(context& cx) noexcept {
  return transfer(*io_, interest::read, waiter_, cx, "read",
                  [this] { return ::read(io_->fd, to_.data(), to_.size()); });
}

polled<result<std::size_t>> descriptor_write_leaf::poll(context& cx) noexcept {
  return transfer(*io_, interest::write, waiter_, cx, "write",
                  [this] { return write_quietly(io_->fd, from_.data(), from_.size()); });
}

polled<result<void>> descriptor_write_all_leaf::poll(context& cx) noexcept {
  while (!rest_.empty()) {
    auto p = transfer(*io_, interest::write, waiter_, cx, "write",
                      [this] { return write_quietly(io_->fd, rest_.data(), rest_.size()); });
    if (!p) return pending;
    if (!p->has_value()) return result<void>(std::move(*p).error());
    rest_ = io::const_buffer(static_cast<const char*>(rest_.data()) + **p, rest_.size() - **p);
  }
  return result<void>();
}

result<std::size_t> try_read_descriptor(const io_handle& io, io::buffer to) noexcept {
  return at_once(io.state(), interest::read, "read",
                 [&] { return ::read(io.fd(), to.data(), to.size()); });
}

result<std::size_t> try_write_descriptor(const io_handle& io, io::const_buffer from) noexcept {
  return at_once(io.state(), interest::write, "write",
                 [&] { return write_quietly(io.fd(), from.data(), from.size()); });
}

}  // namespace eddy::inline EDDY_ABI::detail
