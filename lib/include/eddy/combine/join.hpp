#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/combine/poll_order.hpp>
#include <eddy/combine/values.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/core/poll.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// One branch of a join, and its value once it has ended.
template <class X>
class part {
  using inner = branch<X>;
  using T = typename inner::value_type;

 public:
  using value_type = void_to_unit<T>;  // a reference stays one

  explicit part(X&& x) : inner_(std::forward<X>(x)) {}

  /// True when it has ended and, if it is a leaf by value, is gone. A failure is put into `failed`.
  bool poll(context& cx, error& failed) noexcept {
    if constexpr (is_future_v<X>) {
      return inner_.poll_into(cx, failed, [this](auto& promise) {
        if constexpr (std::is_void_v<T>)
          value_.emplace();
        else if constexpr (std::is_reference_v<T>)
          value_.emplace(promise.value());
        else
          value_.emplace(std::move(promise.value()));
      });
    } else {
      auto p = inner_.poll(cx);
      if (!p) return false;
      if (p->has_value())
        keep(*p, failed);
      else
        failed = to_error(std::move(*p).error());
      inner_.drop();
      return true;
    }
  }
  void drop() noexcept { inner_.drop(); }
  value_type take() {
    if constexpr (std::is_reference_v<T>)
      return static_cast<T>(**value_);
    else
      return *std::move(value_);
  }

 private:
  template <class R>
  void keep(R& outcome, [[maybe_unused]] error& failed) noexcept {
#if EDDY_EXCEPTIONS
    try {
#endif
      if constexpr (std::is_void_v<T>)
        value_.emplace();
      else if constexpr (std::is_reference_v<T>)
        value_.emplace(&*outcome);
      else
        value_.emplace(*std::move(outcome));
#if EDDY_EXCEPTIONS
    } catch (...) {
      failed = error::current_exception();
    }
#endif
  }

  using stored =
      std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, value_type>;
  inner inner_;
  std::optional<stored> value_;
};

template <bool Biased, bool Try, class... X>
class [[nodiscard]] join_operation {
  static constexpr std::size_t count = sizeof...(X);
  using value_type = values<typename part<X>::value_type...>;
  using answer = polled<result<value_type>>;

 public:
  explicit join_operation(X&&... x) : parts_(std::forward<X>(x)...) {}

  answer poll(context& cx) noexcept { return poll(cx, std::index_sequence_for<X...>()); }

 private:
  template <std::size_t... I>
  answer poll(context& cx, std::index_sequence<I...>) noexcept {
    answer a = pending;  // the only thing returned, so that nothing is moved
    if (over_) {
      a.emplace(error(errc::misuse, "a join was polled after it had ended"));
      return a;
    }
    const auto one = [&](auto place) noexcept { return poll_one<place>(cx); };
    bool stop = false;
    if constexpr (Biased || count < 2) {
      stop = (one(index<I>()) || ...);
    } else {
      stop = in_order<count>(first_, one);
      if (++first_ == count) first_ = 0;
    }
    if (!stop && ended_ != all) return a;
    over_ = true;
    (std::get<I>(parts_).drop(), ...);
    if (failure_) {
      a.emplace(std::move(failure_));
      return a;
    }
#if EDDY_EXCEPTIONS
    try {
#endif
      a.emplace(std::in_place, value_type{std::get<I>(parts_).take()...});
#if EDDY_EXCEPTIONS
    } catch (...) {
      a.emplace(error::current_exception());
    }
#endif
    return a;
  }
  /// True when the others need not be asked any more.
  template <std::size_t I>
  bool poll_one(context& cx) noexcept {
    constexpr std::uint16_t bit = 1U << I;
    if ((ended_ & bit) != 0) return false;
    error failed;
    if (!std::get<I>(parts_).poll(cx, failed)) return false;
    ended_ |= bit;
    if (!failed) return false;
    if (!failure_) failure_ = std::move(failed);
    return Try;
  }

  static constexpr std::uint16_t all = (1U << count) - 1;
  std::tuple<part<X>...> parts_;
  error failure_;
  std::uint16_t ended_ = 0;  // a bit a branch
  std::uint8_t first_ = 0;   // is asked first by the next poll
  bool over_ = false;
};

template <bool Try, class... X>
auto make_join(X&&... branches) {
  static_assert(sizeof...(X) <= 12, "eddy: join takes up to 12 branches; join_all takes a list");
  return join_operation<false, Try, X...>(std::forward<X>(branches)...);
}
template <bool Try, class... X>
auto make_join(biased_t, X&&... branches) {
  static_assert(sizeof...(X) <= 12, "eddy: join takes up to 12 branches; join_all takes a list");
  return join_operation<true, Try, X...>(std::forward<X>(branches)...);
}

}  // namespace detail

/// Awaits all of them, inside the current task: `auto [a, b] = co_await eddy::join(f(), g());`. A branch
/// without a value gives a `unit`. When one fails the others are still awaited; then the first failure is
/// thrown. To keep each outcome: `join(attempt(f()), attempt(g()))`.
///
/// The first poll asks them in their order, and each further one begins with the next, so that none can use
/// up the task's budget before the others every time. `join(eddy::biased, …)` always begins with the first.
/// Given by lvalue, a branch is polled in place and left alive.
/// Cancel safety: that of each branch; values that have come are lost.
/// Errors: a failure of an error type of the branch's own is thrown as it is; without exceptions such a
/// branch must be wrapped in `attempt`.
/// Cost: no allocation; each wake polls the branches that have not ended. For many, `join_all`.
template <class... X>
  requires(detail::awaitable<X> && ...)
auto join(X&&... branches) {
  return detail::make_join<false>(std::forward<X>(branches)...);
}
template <class... X>
  requires(detail::awaitable<X> && ...)
auto join(biased_t, X&&... branches) {
  return detail::make_join<false>(biased, std::forward<X>(branches)...);
}

/// The same, but the first failure ends it: the others, if given by value, are destroyed, and it is thrown.
/// Cancel safety, Errors, Cost: as `join`.
template <class... X>
  requires(detail::awaitable<X> && ...)
auto try_join(X&&... branches) {
  return detail::make_join<true>(std::forward<X>(branches)...);
}
template <class... X>
  requires(detail::awaitable<X> && ...)
auto try_join(biased_t, X&&... branches) {
  return detail::make_join<true>(biased, std::forward<X>(branches)...);
}

}}  // namespace eddy::EDDY_ABI
