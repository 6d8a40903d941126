#pragma once
// One system call that moves bytes or messages, tried when its descriptor is ready.
//
// I1  Budget is spent before the system call: what a call has moved is never held back.
// I2  After end of stream or an error a descriptor stays ready: the next call says the same at once.

#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/runtime/detail/readiness.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

inline bool would_block(int code) noexcept { return code == EAGAIN || code == EWOULDBLOCK; }

// Of bytes there are no more now, see readiness::clear_short; 0 is the end of the stream (I2).
inline bool is_short(::ssize_t moved, std::size_t wanted) noexcept {
  return moved > 0 && static_cast<std::size_t>(moved) < wanted;
}

// A call failed with `errno`: why the operation has, or an empty error when it is to be tried again, once the
// socket is ready.
error why_failed(readiness& io, direction kind, wait_result state, std::uint16_t tick,
                 const char* operation) noexcept;

// One successful `call`. Of `wanted` bytes it moves all there are; fewer say that there are no more now.
// Inlined: in a leaf's poll there is then no call but the one into the system.
template <class Call>
[[gnu::always_inline]] inline polled<result<std::size_t>> transfer(
    wait_result state, readiness& io, direction kind, io_waiter& w, context& cx,
    const char* operation, std::size_t wanted, Call call) noexcept {
  using answer = result<std::size_t>;
  for (;; state = io.poll_ready(kind, w, cx)) {
    if (state == wait_result::waiting) return pending;
    if (state == wait_result::elsewhere) [[unlikely]]
      return answer(awaited_elsewhere());
    if (!cx.proceed()) [[unlikely]]
      return pending;
    const auto tick = io.tick();
    const ::ssize_t n = call();
    if (n >= 0) [[likely]] {
      if (is_short(n, wanted) && state == wait_result::ready) io.clear_short(kind, tick);
      return answer(static_cast<std::size_t>(n));
    }
    if (error why = why_failed(io, kind, state, tick, operation)) return answer(std::move(why));
  }
}

template <class Call>
polled<result<std::size_t>> transfer(readiness& io, direction kind, io_waiter& w, context& cx,
                                     const char* operation, std::size_t wanted,
                                     Call call) noexcept {
  return transfer(io.poll_ready(kind, w, cx), io, kind, w, cx, operation, wanted, call);
}

template <class Call>
result<std::size_t> try_transfer(readiness& io, direction kind, const char* operation,
                                 std::size_t wanted, Call call) noexcept {
  const auto tick = io.tick();
  ::ssize_t n = 0;
  do n = call();
  while (n < 0 && errno == EINTR);
  if (n < 0) {
    const int code = errno;
    if (would_block(code)) io.clear_tried(kind, tick);
    return error::system(code, operation);
  }
  if (is_short(n, wanted) && !io.is_exact()) io.clear_tried(kind, tick);
  return static_cast<std::size_t>(n);
}

}}}  // namespace eddy::EDDY_ABI::detail
