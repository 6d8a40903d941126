#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>
#include <variant>

#include <eddy/base/misuse.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/config.hpp>

namespace eddy::inline EDDY_ABI {

/// Which branch of a `select` was ready first, and its value. `T` is void for a branch without one.
template <class... T>
class [[nodiscard]] selected {
  template <class U>
  using stored =
      std::conditional_t<std::is_void_v<U>, unit,
                         std::conditional_t<std::is_reference_v<U>,
                                            std::add_pointer_t<std::remove_reference_t<U>>, U>>;
  template <std::size_t I>
  using type_at =
      typename std::variant_alternative_t<I, std::variant<std::type_identity<T>...>>::type;

 public:
  template <std::size_t I, class... A>
  explicit selected(std::in_place_index_t<I> which, A&&... args)
      : value_(which, std::forward<A>(args)...) {}

  /// The place of the winner among the arguments of `select`, from 0; `biased` does not count.
  std::size_t index() const noexcept { return value_.index(); }

  /// The winner's value. Misuse when branch `I` is not the winner.
  template <std::size_t I>
  std::add_lvalue_reference_t<type_at<I>> get() & {
    check(I);
    if constexpr (std::is_reference_v<type_at<I>>)
      return *std::get<I>(value_);
    else if constexpr (!std::is_void_v<type_at<I>>)
      return std::get<I>(value_);
  }
  template <std::size_t I>
  type_at<I> get() && {
    check(I);
    if constexpr (std::is_reference_v<type_at<I>>)
      return static_cast<type_at<I>>(*std::get<I>(value_));
    else if constexpr (!std::is_void_v<type_at<I>>)
      return std::get<I>(std::move(value_));
  }
  /// The winner's value, or null when branch `I` is not the winner. Not for a branch without a value.
  template <std::size_t I>
  auto* get_if() noexcept {
    static_assert(!std::is_void_v<type_at<I>>, "eddy: this branch has no value: compare index()");
    if constexpr (std::is_reference_v<type_at<I>>)
      return index() == I ? std::get<I>(value_) : nullptr;
    else
      return std::get_if<I>(&value_);
  }
  /// Calls the function of the winner's place, with its value if it has one.
  template <class... F>
    requires(sizeof...(F) == sizeof...(T))
  decltype(auto) visit(F&&... functions) && {
    return call<0>(std::forward<F>(functions)...);
  }

 private:
  void check(std::size_t i) const {
    if (index() != i) detail::misuse("selected::get of a branch that did not win");
  }
  template <std::size_t I, class First, class... Rest>
  decltype(auto) call(First&& first, Rest&&... rest) {
    if constexpr (sizeof...(Rest) == 0) {
      return call_one<I>(std::forward<First>(first));
    } else {
      if (index() == I) return call_one<I>(std::forward<First>(first));
      return call<I + 1>(std::forward<Rest>(rest)...);
    }
  }
  template <std::size_t I, class F>
  decltype(auto) call_one(F&& f) {
    if constexpr (std::is_void_v<type_at<I>>)
      return std::forward<F>(f)();
    else
      return std::forward<F>(f)(std::move(*this).template get<I>());
  }

  std::variant<stored<T>...> value_;
};

}  // namespace eddy::inline EDDY_ABI
