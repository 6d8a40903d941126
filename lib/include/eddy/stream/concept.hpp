#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// What a stream's `poll_next` answers: an optional, or a result of one.
template <class S>
using next_answer =
    typename decltype(std::declval<S&>().poll_next(std::declval<context&>()))::value_type;
template <class S>
using next_outcome = typename outcome<next_answer<S>>::value_type;

}  // namespace detail

/// Values that come one after the other: anything with `poll_next(context&) noexcept` that answers
/// `polled<std::optional<T>>`, or `polled<result<std::optional<T>>>` if it can fail. Nothing is the end.
///
/// A stream may be moved whenever it is not being polled, also while its last answer was "pending": its next
/// poll stores a waker anew. After its end it answers nothing again. Whether it goes on after a failure is for
/// it to say. Derive from `stream_base`, or hand it to `stream_of`, for `next()` and the adapters.
template <class S>
concept stream = requires(std::remove_reference_t<S>& s, context& cx) {
  { s.poll_next(cx) } noexcept -> detail::answers_polled;
  requires detail::is_optional_v<detail::next_outcome<std::remove_reference_t<S>>>;
};

/// The type of a stream's values.
template <stream S>
using stream_value = typename detail::next_outcome<std::remove_reference_t<S>>::value_type;

namespace detail {

/// Waits for a stream's next value.
template <class S>
class [[nodiscard]] stream_next_leaf {
 public:
  explicit stream_next_leaf(S& s) noexcept : stream_(&s) {}
  auto poll(context& cx) noexcept { return stream_->poll_next(cx); }

 private:
  S* stream_;
};

// What every stream of eddy's own answers.
template <class T>
using next_result = result<std::optional<T>>;
template <class T>
using next_polled = polled<next_result<T>>;

/// Polls any stream.
template <class S>
next_polled<stream_value<S>> poll_stream(S& s, context& cx) noexcept {
  using T = stream_value<S>;
  if constexpr (std::is_same_v<next_answer<S>, next_result<T>>) {
    return s.poll_next(cx);
  } else {
    static_assert(
        !outcome<next_answer<S>>::fails,
        "eddy: a stream that fails with an error type of its own: make its failures values");
    auto p = s.poll_next(cx);
    if (!p) return pending;
    return or_failed_move<std::optional<T>, error>(
        [&]() -> next_polled<T> { return next_result<T>(std::in_place, std::move(*p)); });
  }
}

/// True once the stream knows, without being polled, that nothing more will come.
template <class S>
bool terminated(const S& s) noexcept {
  if constexpr (requires { s.is_terminated(); })
    return s.is_terminated();
  else
    return false;
}

// An answer is a local that starts as pending, is filled in once, and is the only thing its function returns, so
// that it is made where the caller wants it and no value is moved once more.

template <class T>
void finish(next_polled<T>& out) noexcept {
  out.emplace(std::in_place);
}
template <class T>
void fail(next_polled<T>& out, error e) noexcept {
  out.emplace(unexpect, std::move(e));
}
/// Throws what making the value throws; `catching` makes a failure of it.
template <class T, class... A>
void give(next_polled<T>& out, A&&... value) {
  out.emplace(std::in_place, std::in_place, std::forward<A>(value)...);
}

template <class T>
next_polled<T> end_of_stream() noexcept {
  return next_result<T>(std::in_place);
}

/// Runs `f`, which fills in `out` or leaves it pending; what it throws is a failure.
template <class T, class F>
void catching([[maybe_unused]] next_polled<T>& out, F f) noexcept {
#if EDDY_EXCEPTIONS
  try {
#endif
    f();
#if EDDY_EXCEPTIONS
  } catch (...) {
    fail(out, error::current_exception());
  }
#endif
}

/// Polls `inner` until `step(value, out)` has filled in an answer; its end and its failures are passed on.
template <class U, class S, class Step>
next_polled<U> poll_through(S& inner, context& cx, Step step) noexcept {
  next_polled<U> out(pending);
  while (!out) {
    auto p = poll_stream(inner, cx);
    if (!p) break;
    if (!p->has_value())
      fail(out, std::move(*p).error());
    else if (!**p)
      finish(out);
    else
      catching(out, [&] { step(*std::move(**p), out); });
  }
  return out;
}

/// Was this answer the end?
template <class T>
bool is_end(next_polled<T>& p) noexcept {
  return p && p->has_value() && !**p;
}
/// Was this answer a value?
template <class T>
bool is_value(next_polled<T>& p) noexcept {
  return p && p->has_value() && **p;
}

}  // namespace detail

}}  // namespace eddy::EDDY_ABI
