#pragma once

#include <cerrno>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/future.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/net/socket_io.hpp>
#include <eddy/runtime/detail/readiness.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

// What `f` says as a result: one of its own, or a system call's number, where a negative one stands for errno.
template <class F, class... Args>
auto call_io(F& f, Args&... args) {
  using answer = std::invoke_result_t<F&, Args&...>;
  if constexpr (is_result_v<answer>) {
    return f(args...);
  } else {
    static_assert(
        std::signed_integral<answer>,
        "eddy: what is tried on an async_fd returns a result, or what a system call does: a signed "
        "number, negative for an error in errno");
    answer n{};
    do n = f(args...);
    while (n < 0 && errno == EINTR);
    if (n < 0) return result<answer>(error::system(errno, "io"));
    return result<answer>(n);
  }
}

inline bool says_would_block(const error& e) noexcept {
  return e == std::errc::resource_unavailable_try_again || e == std::errc::operation_would_block;
}

template <class Readiness, class F, class... Args>
auto try_and_clear(Readiness& of, F& f, Args&... args) {
  auto r = call_io(f, args...);
  if (!r && says_would_block(r.error())) of.clear_ready();
  return r;
}

class fd_ready_leaf;

}  // namespace detail

namespace net {

/// Reading or writing; a bit of what `async_fd` waits for.
using interest = eddy::detail::direction;

/// Says that a descriptor is ready, and takes it back when it turns out not to be; made by `async_fd::readable` and
/// `writable`. Borrows the `async_fd`.
class [[nodiscard]] fd_readiness {
 public:
  /// The descriptor is not ready after all, or no more: the next `readable` (or `writable`) waits for an event that
  /// comes after this object was made.
  void clear_ready() noexcept;
  /// Calls `f(args...)` and clears readiness when it says EAGAIN. `f` returns a `result`, which is given back, or
  /// as a system call does a signed number, negative for an error in errno; EINTR repeats it.
  template <class F, class... Args>
  auto try_io(F f, Args... args) {
    return eddy::detail::try_and_clear(*this, f, args...);
  }

 private:
  friend class eddy::detail::fd_ready_leaf;
  fd_readiness(eddy::detail::readiness& io, interest kind, std::uint16_t tick) noexcept
      : io_(&io), tick_(tick), kind_(kind) {}

  eddy::detail::readiness* io_;
  std::uint16_t tick_;
  interest kind_;
};

}  // namespace net

namespace detail {

class [[nodiscard]] fd_ready_leaf {
 public:
  fd_ready_leaf(const registration& io, direction kind) noexcept : io_(&io.state()), kind_(kind) {}
  polled<result<net::fd_readiness>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  io_waiter waiter_;
  direction kind_;
};

template <class F, class... Args>
using io_answer = decltype(call_io(std::declval<F&>(), std::declval<Args&>()...));

template <class F, class... Args>
future<io_answer<F, Args...>> io_when_ready(const registration* io, direction kind, F f,
                                            Args... args) {
  for (;;) {
    auto readiness = co_await attempt(fd_ready_leaf(*io, kind));
    if (!readiness) co_return io_answer<F, Args...>(unexpect, std::move(readiness).error());
    auto r = try_and_clear(*readiness, f, args...);
    if (r || !says_would_block(r.error())) co_return r;
  }
}

}  // namespace detail

namespace net {

/// A descriptor of any kind that the system can watch, and what it is ready for: a terminal, a device, an inotify or
/// an eventfd, the socket of a C library.
///
/// What cannot be watched because it is always ready (a file, /dev/null) is always ready here too. Readiness may be
/// wrong: it says that it is worth trying.
/// Cancel safety: a wait that is dropped has done nothing.
/// Threads: awaited on the runtime it was made on; may be dropped anywhere.
/// Lifetime: what is awaited borrows it. It may outlive its runtime: then waiting is an error, `errc::closed`.
/// Cost: one block of 256 bytes; waiting allocates nothing.
class async_fd {
 public:
  /// Takes over `fd`, inside a runtime, makes it non-blocking and closes it in the end; on failure at once.
  /// Errors: EEXIST when eddy watches this descriptor already, whose owner then goes on to own it.
  static result<async_fd> adopt(int fd) noexcept;
  /// Watches the descriptor of somebody else, who may close it at any time, before or after this object goes.
  /// It becomes non-blocking, whoever uses it. Any number may watch one. Cost: a descriptor more, a duplicate.
  static result<async_fd> watch(int fd) noexcept;

  /// Waits until reading may give something: bytes, the end, an error.
  eddy::detail::fd_ready_leaf readable() const noexcept { return {io_, interest::read}; }
  /// Waits until writing may take something, or fail.
  eddy::detail::fd_ready_leaf writable() const noexcept { return {io_, interest::write}; }

  /// Calls `f(args...)` whenever the descriptor is ready, until it says something else than EAGAIN:
  /// `auto n = co_await fd.async_io(net::interest::read, ::read, fd.native_handle(), data, size);`
  /// What `f` returns is told at `fd_readiness::try_io`.
  ///
  /// Cancel safety: between two calls of `f` nothing is lost; `f` and its arguments are destroyed.
  /// Cost: one coroutine frame.
  template <class F, class... Args>
  operation<typename eddy::detail::io_answer<F, Args...>::value_type> async_io(interest kind, F f,
                                                                               Args... args) const {
    using value = typename eddy::detail::io_answer<F, Args...>::value_type;
    return operation<value>(
        eddy::detail::io_when_ready<F, Args...>(&io_, kind, std::move(f), std::move(args)...));
  }
  /// Calls `f(args...)` now, ready or not. EAGAIN makes the next `readable` (or `writable`) wait.
  template <class F, class... Args>
  auto try_io(interest kind, F f, Args... args) const {
    const auto tick = io_.state().tick();
    auto r = eddy::detail::call_io(f, args...);
    if (!r && eddy::detail::says_would_block(r.error())) io_.state().clear_tried(kind, tick);
    return r;
  }

  /// The descriptor that is watched; of `watch`, the duplicate. Still this object's: do not close it.
  int native_handle() const noexcept { return io_.fd(); }
  /// Gives it away as a descriptor of another number, non-blocking as it is, which the caller closes.
  result<int> into_descriptor() && noexcept {
    return eddy::detail::give_away(std::exchange(io_, {}));
  }

 private:
  explicit async_fd(eddy::detail::registration io) noexcept : io_(std::move(io)) {}
  eddy::detail::registration io_;
};

}  // namespace net

}}  // namespace eddy::EDDY_ABI
