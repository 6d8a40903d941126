#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// Which branch of a `select` was ready first, and its value. `T` is void for a branch without one.
template <class... T>
class selected {
  template <class U>
  using stored =
      std::conditional_t<std::is_void_v<U>, unit,
                         std::conditional_t<std::is_reference_v<U>,
                                            std::add_pointer_t<std::remove_reference_t<U>>, U>>;
  template <std::size_t I>
  using type_at = typename std::tuple_element_t<I, std::tuple<std::type_identity<T>...>>::type;

 public:
  template <std::size_t I, class... A>
  explicit selected(std::in_place_index_t<I> which, A&&... args)
      : value_(which, std::forward<A>(args)...) {}

  /// The place of the winner among the arguments of `select`, from 0; `biased` does not count.
  std::size_t index() const noexcept { return value_.index(); }

  /// The winner's value. Misuse when branch `I` is not the winner.
  template <std::size_t I>
  std::add_lvalue_reference_t<type_at<I>> get() & {
    return get_from<I, std::add_lvalue_reference_t<type_at<I>>>(*this);
  }
  template <std::size_t I>
  std::add_lvalue_reference_t<std::add_const_t<type_at<I>>> get() const& {
    return get_from<I, std::add_lvalue_reference_t<std::add_const_t<type_at<I>>>>(*this);
  }
  template <std::size_t I>
  type_at<I> get() && {
    return get_from<I, type_at<I>>(std::move(*this));
  }

  /// The winner's value, or null when branch `I` is not the winner. Not for a branch without a value.
  template <std::size_t I>
  auto* get_if() noexcept {
    return get_if_from<I>(*this);
  }
  template <std::size_t I>
  auto* get_if() const noexcept {
    return get_if_from<I>(*this);
  }

  /// Calls the function of the winner's place, with its value if it has one. All return the same type.
  template <class... F>
    requires(sizeof...(F) == sizeof...(T))
  decltype(auto) visit(F&&... functions) & {
    return call<0>(*this, std::forward<F>(functions)...);
  }
  template <class... F>
    requires(sizeof...(F) == sizeof...(T))
  decltype(auto) visit(F&&... functions) const& {
    return call<0>(*this, std::forward<F>(functions)...);
  }
  template <class... F>
    requires(sizeof...(F) == sizeof...(T))
  decltype(auto) visit(F&&... functions) && {
    return call<0>(std::move(*this), std::forward<F>(functions)...);
  }

 private:
  template <std::size_t I, class R, class Self>
  static R get_from(Self&& self) {
    if (self.index() != I) detail::misuse("selected::get of a branch that did not win");
    if constexpr (std::is_reference_v<type_at<I>>)
      return static_cast<R>(*std::get<I>(self.value_));
    else if constexpr (!std::is_void_v<type_at<I>>)
      return std::get<I>(std::forward<Self>(self).value_);
  }
  template <std::size_t I, class Self>
  static auto* get_if_from(Self& self) noexcept {
    static_assert(!std::is_void_v<type_at<I>>, "eddy: this branch has no value: compare index()");
    if constexpr (std::is_reference_v<type_at<I>>)
      return self.index() == I ? *std::get_if<I>(&self.value_) : nullptr;
    else
      return std::get_if<I>(&self.value_);
  }
  template <std::size_t I, class Self, class First, class... Rest>
  static decltype(auto) call(Self&& self, First&& first, Rest&&... rest) {
    if constexpr (sizeof...(Rest) == 0) {
      return call_one<I>(std::forward<Self>(self), std::forward<First>(first));
    } else {
      if (self.index() == I)
        return call_one<I>(std::forward<Self>(self), std::forward<First>(first));
      return call<I + 1>(std::forward<Self>(self), std::forward<Rest>(rest)...);
    }
  }
  template <std::size_t I, class Self, class F>
  static decltype(auto) call_one(Self&& self, F&& f) {
    if constexpr (std::is_void_v<type_at<I>>)
      return std::forward<F>(f)();
    else
      return std::forward<F>(f)(std::forward<Self>(self).template get<I>());
  }

  std::variant<stored<T>...> value_;
};

}}  // namespace eddy::EDDY_ABI
