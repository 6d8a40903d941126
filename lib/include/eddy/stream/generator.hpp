#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/chain.hpp>
#include <eddy/core/future.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/stream/stream.hpp>

namespace eddy { inline namespace EDDY_ABI {

template <class T>
class generator;

namespace detail {

/// A yield is a leaf that is pending once: the chain stops at it, and its next run goes on behind it.
template <class T>
class yield_awaiter {
 public:
  explicit yield_awaiter(T* given) noexcept : given_(given) {}
  explicit yield_awaiter(const T& copied) : copy_(copied) {}
  yield_awaiter(yield_awaiter&&) = delete;

  static bool await_ready() noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> h) noexcept {
    chain& c = *h.promise().owner;
    h.promise().yielded = given_ != nullptr ? given_ : &*copy_;
    c.next = h;
    c.leaf = this;
    c.step = [](void*, context&) noexcept { return true; };
  }
  static void await_resume() noexcept {}

 private:
  T* given_ = nullptr;
  std::optional<T> copy_;
};

/// A generator's frame holds its chain, so that the generator itself may be moved at any time.
template <class T>
class generator_promise : public promise_base, public await_rules<generator_promise<T>> {
 public:
  generator_promise() noexcept {
    static_assert(alignof(generator_promise) <= 16);
    owner = &own;
    own.next = std::coroutine_handle<generator_promise>::from_promise(*this);
  }
  template <class... A>
    requires(sizeof...(A) > 0)
  explicit generator_promise(const A&... parameters) noexcept : generator_promise() {
    note_parameters(*this, (may_move(parameters) && ...));
  }
  generator<T> get_return_object(const void* place = __builtin_source_location()) noexcept;
  static generator<T> get_return_object_on_allocation_failure() noexcept;
  void return_void() noexcept {}
  yield_awaiter<T> yield_value(T&& v) noexcept { return yield_awaiter<T>(&v); }
  yield_awaiter<T> yield_value(const T& v)
    requires std::is_copy_constructible_v<T>
  {
    return yield_awaiter<T>(v);
  }
#if EDDY_EXCEPTIONS
  void unhandled_exception() noexcept { failure = std::current_exception(); }
#else
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
#endif
  static final_awaiter final_suspend() noexcept { return {}; }

  chain own;
  T* yielded = nullptr;
};

}  // namespace detail

/// A coroutine that yields values one after the other and may await in between: a stream.
/// `eddy::generator<int> ticks() { for (int i = 0;; ++i) { co_await eddy::sleep(1s); co_yield i; } }`
///
/// It runs only while its next value is awaited. A yielded lvalue is copied, an rvalue moved. The generator may be
/// moved at any time.
/// Cancel safety: dropping an await of `next()` leaves the generator where it is, nothing is lost; dropping
/// the generator destroys the coroutine where it stands.
/// Errors: what the body throws is thrown by the await of `next()`; then the stream is at its end. Awaiting one that
/// was moved from, or for whose frame there was no memory, is misuse.
/// Cost: one frame.
template <class T>
class [[nodiscard]] generator : public stream_base<generator<T>> {
 public:
  using value_type = T;
  using promise_type = detail::generator_promise<T>;
  static_assert(!std::is_reference_v<T>, "eddy: a generator yields values: use a pointer");

  generator(generator&& other) noexcept
      : frame_(std::exchange(other.frame_, {})), ended_(other.ended_) {}
  generator& operator=(generator&& other) noexcept {
    std::swap(frame_, other.frame_);
    std::swap(ended_, other.ended_);
    return *this;
  }
  ~generator() {
    if (frame_) frame_.promise().own.destroy();
  }
  friend bool may_move(const generator& g) noexcept {  // a parameter: detail::may_move
    return is_send_v<T> && (!g.frame_ || detail::is_send_frame(g.frame_));
  }

  detail::next_polled<T> poll_next(context& cx) noexcept {
    detail::next_polled<T> out(pending);
    if (!frame_) {
      ended_ ? detail::finish<T>(out)
             : detail::fail<T>(out, error(errc::misuse, "an empty generator was awaited"));
      return out;
    }
    auto& p = frame_.promise();
    // A value for which there was no budget waits here until the next poll.
    if (p.yielded == nullptr && p.own.run(cx)) {
      end(out);
    } else if (p.yielded != nullptr && cx.proceed()) {
      T& v = *std::exchange(p.yielded, nullptr);
      detail::catching<T>(out, [&] { detail::give<T>(out, std::move(v)); });
    }
    return out;
  }
  /// True once it has come to its end.
  bool is_terminated() const noexcept { return ended_; }

 private:
  friend promise_type;
  explicit generator(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

  void end(detail::next_polled<T>& out) noexcept {
    const auto frame = std::exchange(frame_, {});
    ended_ = true;
#if EDDY_EXCEPTIONS
    if (frame.promise().failure) {
      detail::fail<T>(out, error::from_exception(std::move(frame.promise().failure)));
      frame.destroy();
      return;
    }
#endif
    frame.destroy();
    detail::finish<T>(out);
  }

  std::coroutine_handle<promise_type> frame_;
  bool ended_ = false;
};

namespace detail {

template <class T>
generator<T> generator_promise<T>::get_return_object(const void* place) noexcept {
  site = place;
  return generator<T>(std::coroutine_handle<generator_promise>::from_promise(*this));
}
template <class T>
generator<T> generator_promise<T>::get_return_object_on_allocation_failure() noexcept {
  return generator<T>({});
}

}  // namespace detail

}}  // namespace eddy::EDDY_ABI
