#pragma once

#include <cstddef>
#include <type_traits>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

template <class T>
struct is_send;

namespace detail {

template <class T>
concept says_not_send = requires { typename T::not_send; };

// An instance of a class template is what its arguments are: containers, optional, tuple and variant, smart
// pointers, reference_wrapper, channels, guards.
template <class T>
struct parts_are_send : std::true_type {};
template <template <class...> class C, class... T>
struct parts_are_send<C<T...>> : std::conjunction<is_send<T>...> {};
template <template <class, std::size_t> class C, class T, std::size_t N>
struct parts_are_send<C<T, N>> : is_send<T> {};  // array, span

}  // namespace detail

/// Whether another thread may go on with a T: moved there, or destroyed there.
///
/// True unless the type says `using not_send = void;` or this is specialised for it. References, pointers
/// and `this` count as what they refer to, an instance of a class template as its type arguments. It does not
/// look into other classes: a struct with an `rc` in it says `not_send` itself.
/// A type may be incomplete; what it says later is then not seen.
template <class T>
struct is_send : std::bool_constant<!detail::says_not_send<T> && detail::parts_are_send<T>::value> {
};
template <class T>
struct is_send<const T> : is_send<T> {};
template <class T>
struct is_send<volatile T> : is_send<T> {};
template <class T>
struct is_send<const volatile T> : is_send<T> {};
template <class T>
struct is_send<T&> : is_send<T> {};
template <class T>
struct is_send<T&&> : is_send<T> {};
template <class T>
struct is_send<T*> : is_send<T> {};
template <class T>
  requires std::is_same_v<T, std::remove_cv_t<T>>
struct is_send<T[]> : is_send<T> {};
template <class T, std::size_t N>
  requires std::is_same_v<T, std::remove_cv_t<T>>
struct is_send<T[N]> : is_send<T> {};

/// `is_send<T>::value`.
template <class T>
inline constexpr bool is_send_v = is_send<T>::value;

}}  // namespace eddy::EDDY_ABI
