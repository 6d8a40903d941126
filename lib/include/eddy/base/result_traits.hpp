#pragma once

// Which conversions a result offers, and how it keeps its value: what result.hpp asks of its types.

#include <type_traits>
#include <utility>

#include <eddy/base/unexpected.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

class error;
enum class errc;

template <class T, class E = error>
class result;

/// Whether T is a `result`.
template <class T>
inline constexpr bool is_result_v = false;
template <class T, class E>
inline constexpr bool is_result_v<result<T, E>> = true;

namespace detail {

// std::invoke with one argument; <functional> would cost more than all of this header.
template <class F, class A>
constexpr decltype(auto) call_with(F&& f, A&& argument) {
  if constexpr (std::is_member_function_pointer_v<std::remove_cvref_t<F>>)
    return (std::forward<A>(argument).*f)();
  else if constexpr (std::is_member_object_pointer_v<std::remove_cvref_t<F>>)
    return (std::forward<A>(argument).*f);
  else
    return std::forward<F>(f)(std::forward<A>(argument));
}

// What a result<T> keeps for its value.
template <class T>
struct result_value {
  using type = T;
};
template <class T>
struct result_value<T&> {
  using type = T*;
};
template <>
struct result_value<void> {
  using type = unit;
};

// A value may be made from a U: not from what has a constructor of its own, and not by an explicit
// conversion from `error`, which would turn a result<bool> into "true".
template <class T, class E, class U, class Bare = std::remove_cvref_t<U>>
constexpr bool result_takes_value() {
  if constexpr (std::is_void_v<T> || std::is_same_v<Bare, result<T, E>> ||
                std::is_same_v<Bare, std::in_place_t> || std::is_same_v<Bare, unexpect_t> ||
                is_unexpected_v<Bare>)
    return false;
  else if constexpr (std::is_same_v<std::remove_cv_t<T>, bool> && is_result_v<Bare>)
    return false;
  else if constexpr (std::is_lvalue_reference_v<T>)
    return std::is_lvalue_reference_v<U> &&
           std::is_convertible_v<std::remove_reference_t<U>*, std::remove_reference_t<T>*>;
  else if constexpr (std::is_same_v<Bare, E> && std::is_same_v<E, error>)
    return std::is_convertible_v<U, T>;
  else
    return std::is_constructible_v<T, U>;
}

template <class T, class E, class G>
constexpr bool result_takes_error() {
  using bare = std::remove_cvref_t<G>;
  if constexpr (std::is_same_v<E, error> &&
                (std::is_same_v<bare, error> || std::is_same_v<bare, errc>))
    return !result_takes_value<T, E, G>();
  else
    return false;
}

template <class T, class E, class U, class G, class From>
constexpr bool result_converts() {
  using other = std::remove_cvref_t<From>;
  if constexpr (std::is_same_v<other, result<T, E>> || std::is_void_v<T> != std::is_void_v<U> ||
                std::is_reference_v<T> != std::is_reference_v<U>)
    return false;
  else if constexpr (!std::is_void_v<T> && !std::is_same_v<std::remove_cv_t<T>, bool> &&
                     std::is_constructible_v<T, From>)
    return false;  // such a T takes the other result whole
  else if constexpr (std::is_void_v<T>)
    return true;
  else if constexpr (std::is_reference_v<T>)
    return std::is_convertible_v<std::remove_reference_t<U>*, std::remove_reference_t<T>*>;
  else if constexpr (std::is_lvalue_reference_v<From>)
    return std::is_constructible_v<T, const U&> && std::is_constructible_v<E, const G&>;
  else
    return std::is_constructible_v<T, U> && std::is_constructible_v<E, G>;
}

}  // namespace detail

}}  // namespace eddy::EDDY_ABI
