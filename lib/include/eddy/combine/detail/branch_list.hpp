#pragma once

#include <cstddef>
#include <ranges>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/core/detail/branch_set.hpp>

// Lists of branches, as `select_any` and `join_all` take them: the elements of a container that is given by
// rvalue, and of a view that makes them, are taken; those of a container or view that goes on owning them are
// lent: polled in place and left alive.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class R>
inline constexpr bool lends_elements_v =
    std::is_lvalue_reference_v<std::ranges::range_reference_t<R>> &&
    (std::is_lvalue_reference_v<R> || std::ranges::view<std::remove_cvref_t<R>>);

template <class R>
using listed_branch = std::conditional_t<lends_elements_v<R>, std::ranges::range_reference_t<R>,
                                         std::ranges::range_value_t<R>>;

template <class R>
concept branch_range = std::ranges::input_range<R> && awaitable<std::ranges::range_value_t<R>>;

template <branch_range R>
auto branches_of(R&& range) {
  branch_set<listed_branch<R>> set;
  std::size_t key = 0;
  for (auto&& x : range) {
    if constexpr (lends_elements_v<R>)
      set.insert(key++, x);
    else
      set.insert(key++, std::move(x));
  }
  return set;
}

}}}  // namespace eddy::EDDY_ABI::detail
