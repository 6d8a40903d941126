#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/config.hpp>
#include <eddy/core/branch.hpp>
#include <eddy/task/values.hpp>

namespace eddy::inline EDDY_ABI {

namespace detail {

/// One branch of a join, and its value once it has ended.
template <class X>
class part {
  using inner = branch<X>;
  using T = typename inner::value_type;

 public:
  using error_type = typename inner::error_type;
  using value_type = void_to_unit<T>;  // a reference stays one

  explicit part(X&& x) : inner_(std::forward<X>(x)) {}
  /// True when it has ended, with what is in `failed` if that is set by it.
  bool poll(context& cx, error& failed) noexcept {
    if (value_) return true;
    auto p = inner_.poll(cx);
    if (!p) return false;
    if (!p->has_value()) {
      failed = std::move(*p).error();
      return true;
    }
#if EDDY_EXCEPTIONS
    try {
#endif
      if constexpr (std::is_void_v<T>)
        value_.emplace();
      else if constexpr (std::is_reference_v<T>)
        value_.emplace(&**p);
      else
        value_.emplace(std::move(**p));
#if EDDY_EXCEPTIONS
    } catch (...) {
      failed = error::current_exception();
    }
#endif
    return true;
  }
  void drop() noexcept { inner_.drop(); }
  value_type take() {
    if constexpr (std::is_reference_v<T>)
      return static_cast<T>(**value_);
    else
      return *std::move(value_);
  }

 private:
  using stored =
      std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, value_type>;
  inner inner_;
  std::optional<stored> value_;
};

template <bool Try, class... X>
class [[nodiscard]] join_operation {
  using value_type = values<typename part<X>::value_type...>;
  using answer = polled<result<value_type>>;
  static_assert((std::is_same_v<typename part<X>::error_type, error> && ...),
                "eddy: a branch of join has an error type of its own: wrap it in attempt");

 public:
  explicit join_operation(X&&... x) : parts_(std::forward<X>(x)...) {}

  answer poll(context& cx) noexcept { return poll(cx, std::index_sequence_for<X...>()); }

 private:
  static constexpr std::uint64_t all = (std::uint64_t{1} << sizeof...(X)) - 1;

  template <std::size_t... I>
  answer poll(context& cx, std::index_sequence<I...>) noexcept {
    if (ended_ == over)
      return result<value_type>(error(errc::misuse, "a join was polled after it had ended"));
    const bool stop = (poll_one<I>(cx) || ...);
    if (!stop && ended_ != all) return pending;
    ended_ = over;
    (std::get<I>(parts_).drop(), ...);
    if (failure_) return result<value_type>(std::move(failure_));
    return or_failed_move<value_type, error>([&]() -> answer {
      return result<value_type>(std::in_place, value_type{std::get<I>(parts_).take()...});
    });
  }
  /// True when the others need not be asked any more.
  template <std::size_t I>
  bool poll_one(context& cx) noexcept {
    constexpr std::uint64_t bit = std::uint64_t{1} << I;
    if ((ended_ & bit) != 0) return false;
    error failed;
    if (!std::get<I>(parts_).poll(cx, failed)) return false;
    ended_ |= bit;
    if (!failed) return false;
    if (!failure_) failure_ = std::move(failed);
    return Try;
  }

  static constexpr std::uint64_t over = ~std::uint64_t{0};
  std::tuple<part<X>...> parts_;
  std::uint64_t ended_ = 0;  // a bit a branch
  error failure_;
};

}  // namespace detail

/// Awaits all of them, inside the current task: `auto [a, b] = co_await eddy::join(f(), g());`. A branch
/// without a value gives a `unit`. When one fails the others are still awaited; then the first failure is
/// thrown. To keep each outcome: `join(attempt(f()), attempt(g()))`.
///
/// Cancel safety: that of each branch; values that have come are lost.
/// Errors: a branch with an error type of its own is to be wrapped in `attempt`.
/// Cost: no allocation; each wake polls the branches that have not ended. For many, `join_all`.
template <class... X>
  requires(detail::awaitable<X> && ...)
auto join(X&&... branches) {
  static_assert(sizeof...(X) > 0 && sizeof...(X) <= 12,
                "eddy: join takes 1 to 12 branches; join_all takes a list");
  return detail::join_operation<false, X...>(std::forward<X>(branches)...);
}

/// The same, but the first failure ends it: the others, if given by value, are destroyed, and it is thrown.
/// Cancel safety, Errors, Cost: as `join`.
template <class... X>
  requires(detail::awaitable<X> && ...)
auto try_join(X&&... branches) {
  static_assert(sizeof...(X) > 0 && sizeof...(X) <= 12,
                "eddy: try_join takes 1 to 12 branches; try_join_all takes a list");
  return detail::join_operation<true, X...>(std::forward<X>(branches)...);
}

}  // namespace eddy::inline EDDY_ABI
