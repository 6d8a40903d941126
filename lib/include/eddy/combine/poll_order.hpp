#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// First argument of `select`, `join` and their like: the branches are asked in their order, always.
struct biased_t {
  explicit constexpr biased_t() noexcept = default;
};
inline constexpr biased_t biased{};

namespace detail {

template <std::size_t I>
using index = std::integral_constant<std::size_t, I>;

template <std::size_t I, class F>
bool call_at(F& f) noexcept {
  return f(index<I>());
}

template <class F, std::size_t... I>
constexpr auto calls_at(std::index_sequence<I...>) {
  return std::array<bool (*)(F&) noexcept, sizeof...(I)>{&call_at<I, F>...};
}
template <class F, std::size_t N>
inline constexpr auto calls_below = calls_at<F>(std::make_index_sequence<N>());

/// Calls `f(index<I>())` for each I below N, round from one of them, until one says true. `seed` below N
/// goes up from there, one below 2 N goes down from `seed` - N. With a drawn seed, of any two each comes
/// before the other in half of the orders.
template <std::size_t N, class F>
bool in_order(std::uint32_t seed, F& f) noexcept {
  if constexpr (N == 2) {  // up from 0 is down from 1
    const bool first = (seed & 1) == 0;
    if (first && f(index<0>())) return true;
    if (f(index<1>())) return true;
    return !first && f(index<0>());
  } else {
    const bool down = seed >= N;
    std::size_t at = down ? seed - N : seed;
    for (std::size_t left = N; left != 0; --left) {
      if (calls_below<F, N>[at](f)) return true;
      if (down)
        at = (at == 0 ? N : at) - 1;
      else
        at = at + 1 == N ? 0 : at + 1;
    }
    return false;
  }
}

}  // namespace detail

}}  // namespace eddy::EDDY_ABI
