#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/chain.hpp>
#include <eddy/core/future.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/stream/stream.hpp>

namespace eddy::inline EDDY_ABI {

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
/// It runs only while its next value is awaited. Its values may not be references.
/// Cancel safety: dropping an await of `next()` leaves the generator where it is, nothing is lost; dropping
/// the generator destroys the coroutine where it stands.
/// Errors: what the body throws is thrown by the await of `next()`; then the stream is at its end.
/// Cost: one frame.
template <class T>
class [[nodiscard]] generator : public stream_base<generator<T>> {
 public:
  using value_type = T;
  using promise_type = detail::generator_promise<T>;
  static_assert(!std::is_reference_v<T>, "eddy: a generator yields values: use a pointer");

  generator(generator&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  generator& operator=(generator&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~generator() {
    if (frame_) frame_.promise().own.destroy();
  }

  polled<result<std::optional<T>>> poll_next(context& cx) noexcept {
    using answer = result<std::optional<T>>;
    if (!frame_) return answer(std::nullopt);
    auto& p = frame_.promise();
    if (p.own.run(cx)) return end();
    if (p.yielded == nullptr) return pending;
    T& v = *std::exchange(p.yielded, nullptr);
    return detail::or_failed_move<std::optional<T>, error>(
        [&]() -> polled<answer> { return answer(std::in_place, std::move(v)); });
  }

 private:
  friend promise_type;
  explicit generator(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

  result<std::optional<T>> end() noexcept {
    const auto frame = std::exchange(frame_, {});
    result<std::optional<T>> last(std::nullopt);
#if EDDY_EXCEPTIONS
    if (frame.promise().failure)
      last = unexpected(error::from_exception(std::move(frame.promise().failure)));
#endif
    frame.destroy();
    return last;
  }

  std::coroutine_handle<promise_type> frame_;
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

}  // namespace eddy::inline EDDY_ABI
