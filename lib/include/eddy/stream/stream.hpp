#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>

namespace eddy::inline EDDY_ABI {

namespace detail {

template <class>
inline constexpr bool is_optional_v = false;
template <class T>
inline constexpr bool is_optional_v<std::optional<T>> = true;

/// What a stream's `poll_next` answers: an optional, or a result of one.
template <class S>
using next_answer =
    typename decltype(std::declval<S&>().poll_next(std::declval<context&>()))::value_type;
template <class S>
using next_outcome = typename outcome<next_answer<S>>::value_type;

}  // namespace detail

/// Values that come one after the other: anything with `poll_next(context&) noexcept` that answers
/// `polled<std::optional<T>>`, or `polled<result<std::optional<T>>>` if it can fail. Nothing is the end.
template <class S>
concept stream = requires(std::remove_reference_t<S>& s, context& cx) {
  { s.poll_next(cx) } noexcept -> detail::answers_polled;
  requires detail::is_optional_v<detail::next_outcome<std::remove_reference_t<S>>>;
};

template <stream S>
using stream_value = typename detail::next_outcome<std::remove_reference_t<S>>::value_type;

namespace detail {

/// Waits for a stream's next value.
template <class S>
class [[nodiscard]] next_leaf {
 public:
  explicit next_leaf(S& s) noexcept : stream_(&s) {}
  auto poll(context& cx) noexcept { return stream_->poll_next(cx); }

 private:
  S* stream_;
};

}  // namespace detail

/// What every stream of eddy's own derives from.
template <class Self>
class stream_base {
 public:
  /// Waits for the next value: `while (auto v = co_await s.next()) use(*v);`. Nothing: the stream has ended.
  /// Cancel safety: nothing is lost.
  auto next() noexcept { return detail::next_leaf<Self>(static_cast<Self&>(*this)); }
};

}  // namespace eddy::inline EDDY_ABI
