#pragma once

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

class context;

/// Says "not yet" in the answer of a `poll`: `return eddy::pending;`. Whoever says it has stored a
/// waker, or nobody will ever ask again.
struct pending_t {};
inline constexpr pending_t pending{};

/// Says "done" in the answer of a `poll` that has no value: `return eddy::ready;`.
struct ready_t {};
inline constexpr ready_t ready{};

namespace detail {
template <class>
inline constexpr bool is_optional_v = false;
template <class T>
inline constexpr bool is_optional_v<std::optional<T>> = true;
}  // namespace detail

/// What a `poll` answers: nothing yet, or a value of type `T` (`void` and references too).
///
/// A leaf that can fail answers `polled<result<T>>`: awaiting it gives the `T` or throws the error,
/// `attempt` gives the `result<T>`.
template <class T = void>
class [[nodiscard]] polled {
  using stored = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>;

 public:
  using value_type = T;

  constexpr polled(pending_t) noexcept {}
  constexpr polled(const polled& other) = default;
  constexpr polled& operator=(const polled& other) = default;
  constexpr polled& operator=(polled&& other) = default;
  /// Not trivial, so that an answer is made where its await wants it. In registers it would be put together in memory
  /// and read back whole before the stores of its parts are through, which stalls.
  constexpr polled(polled&& other) noexcept(std::is_nothrow_move_constructible_v<stored>)
    requires std::is_move_constructible_v<stored>
      : value_(std::move(other.value_)) {}
  template <class U = T>
    requires(!std::is_reference_v<T> && !std::is_same_v<std::remove_cvref_t<U>, polled> &&
             !std::is_same_v<std::remove_cvref_t<U>, pending_t> && std::is_constructible_v<T, U>)
  constexpr polled(U&& value) noexcept(std::is_nothrow_constructible_v<T, U>)
      : value_(std::in_place, std::forward<U>(value)) {}
  constexpr polled(T value) noexcept
    requires std::is_reference_v<T>
      : value_(&value) {}

  /// True once there is a value.
  constexpr bool is_ready() const noexcept { return value_.has_value(); }
  constexpr explicit operator bool() const noexcept { return is_ready(); }

  /// Makes the value of these, in place.
  template <class... A>
  constexpr void emplace(A&&... parts) {
    value_.emplace(std::forward<A>(parts)...);
  }

  /// The value, moved out. Only when `is_ready()`.
  constexpr T take() noexcept(std::is_reference_v<T> || std::is_nothrow_move_constructible_v<T>) {
    // An optional by its parts: a whole one would be read before the stores of its parts are through.
    if constexpr (std::is_reference_v<T>)
      return static_cast<T>(**value_);
    else if constexpr (detail::is_optional_v<T>)
      return value_->has_value() ? T(std::in_place, *std::move(*value_)) : T();
    else
      return std::move(*value_);
  }
  /// The value in place. Only when `is_ready()`.
  constexpr std::remove_reference_t<T>* operator->() noexcept { return &**this; }
  constexpr std::remove_reference_t<T>& operator*() & noexcept {
    if constexpr (std::is_reference_v<T>)
      return **value_;
    else
      return *value_;
  }

 private:
  std::optional<stored> value_;
};

template <>
class [[nodiscard]] polled<void> {
 public:
  using value_type = void;
  constexpr polled(pending_t) noexcept {}
  constexpr polled(ready_t) noexcept : ready_(true) {}
  constexpr bool is_ready() const noexcept { return ready_; }
  constexpr explicit operator bool() const noexcept { return ready_; }
  constexpr void take() const noexcept {}

 private:
  bool ready_ = false;
};

namespace detail {

template <class>
inline constexpr bool is_polled_v = false;
template <class T>
inline constexpr bool is_polled_v<polled<T>> = true;

template <class T>
concept answers_polled = is_polled_v<T>;

}  // namespace detail

/// A leaf: anything with `poll(context&) noexcept -> polled<T>`. It can be awaited, selected over,
/// and polled by hand. Pending means that it keeps a waker of the context and will wake it.
/// A leaf may be moved until its first poll and stays where it is from then on.
template <class L>
concept pollable = requires(std::remove_reference_t<L>& leaf, context& cx) {
  { leaf.poll(cx) } noexcept -> detail::answers_polled;
};

namespace detail {

/// How an answer of a leaf becomes the value of an await: a `result` is opened (and its error
/// thrown), anything else is handed over. A leaf that says `keeps_result` hands its result over.
template <class V>
struct outcome {
  using value_type = V;
  using error_type = error;
  static constexpr bool fails = false;
};
template <class T, class E>
struct outcome<result<T, E>> {
  using value_type = T;
  using error_type = E;
  static constexpr bool fails = true;
};
template <class V>
struct kept {
  using value_type = V;
  using error_type = error;
  static constexpr bool fails = false;
};

template <class L>
using answer_of = typename decltype(std::declval<std::remove_reference_t<L>&>().poll(
    std::declval<context&>()))::value_type;

template <class L>
inline constexpr bool keeps_result_v = requires { requires std::remove_cvref_t<L>::keeps_result; };

template <class L>
using outcome_of = std::conditional_t<keeps_result_v<L>, kept<answer_of<L>>, outcome<answer_of<L>>>;

template <class T>
using void_to_unit = std::conditional_t<std::is_void_v<T>, unit, T>;

/// What `f()` answers; a poll is noexcept, so if a user's value throws as it is moved out, that is a
/// failure in the answer.
template <class T, class E, class F>
polled<result<T, E>> or_failed_move(F f) noexcept {
#if EDDY_EXCEPTIONS
  try {
#endif
    return f();
#if EDDY_EXCEPTIONS
  } catch (...) {
    if constexpr (std::is_constructible_v<result<T, E>, unexpected<error>>)
      return result<T, E>(unexpected(error::current_exception()));
    else
      fatal("the move of a leaf's value threw, and its error type cannot say so");
  }
#endif
}

/// A leaf's failure as an `error`. One of a type of the leaf's own (a channel's, with the value in it) is
/// thrown and kept, so that the await of whatever combines leaves throws it as it is.
template <class E>
error to_error(E&& failure) noexcept {
  static_assert(!std::is_reference_v<E>);
  if constexpr (std::is_same_v<E, error>) {
    return std::move(failure);
  } else {
#if EDDY_EXCEPTIONS
    try {
      raise(std::move(failure));
    } catch (...) {
      return error::current_exception();
    }
#else
    static_assert(std::is_same_v<E, error>,
                  "eddy: a branch with an error type of its own: wrap it in attempt");
#endif
  }
}

}  // namespace detail

}}  // namespace eddy::EDDY_ABI
