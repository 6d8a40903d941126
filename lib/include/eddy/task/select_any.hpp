#pragma once

#include <cstddef>
#include <ranges>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/config.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/task/branch_set.hpp>

namespace eddy::inline EDDY_ABI {

/// What won a `select_any`: its place in the list, from 0, and its value (a `unit` if it has none).
template <class T>
class selected_any {
 public:
  using value_type = detail::void_to_unit<T>;
  template <class... A>
  explicit selected_any(std::size_t index, A&&... value)
      : value_(std::forward<A>(value)...), index_(index) {}
  std::size_t index() const noexcept { return index_; }
  value_type& value() & noexcept { return value_; }
  value_type&& value() && noexcept { return std::move(value_); }

 private:
  value_type value_;
  std::size_t index_;
};

namespace detail {

template <class X>
class [[nodiscard]] select_any_operation {
  using set = branch_set<X>;
  using T = typename set::value_type;
  static_assert(!std::is_reference_v<T>, "eddy: select_any of references: return a pointer");
  using value_type = selected_any<T>;

 public:
  explicit select_any_operation(set branches) noexcept : branches_(std::move(branches)) {}

  polled<result<value_type>> poll(context& cx) noexcept {
    if (branches_.empty())
      return result<value_type>(
          error(errc::misuse, "select_any of nothing, or polled after its end"));
    auto p = branches_.poll_next(cx);
    if (!p) return pending;
    branches_.clear();
    auto& ended = **p;
    if (!ended.outcome) return result<value_type>(std::move(ended.outcome).error());
    return or_failed_move<value_type, error>([&]() -> polled<result<value_type>> {
      if constexpr (std::is_void_v<T>)
        return result<value_type>(std::in_place, ended.key);
      else
        return result<value_type>(std::in_place, ended.key, *std::move(ended.outcome));
    });
  }

 private:
  set branches_;
};

template <std::ranges::input_range R>
auto branches_of(R&& range) {
  using X = std::remove_cvref_t<std::ranges::range_value_t<R>>;
  branch_set<X> set;
  std::size_t key = 0;
  for (auto& x : range) set.insert(key++, std::move(x));
  return set;
}

}  // namespace detail

/// Awaits the first of a list of futures or leaves, which it moves out of `range`. The others are destroyed
/// before the await goes on. `auto r = co_await eddy::select_any(std::move(downloads));`
///
/// Those that are ready together win in the order in which they became so.
/// Cancel safety: that of each branch.
/// Errors: a winner that failed throws; an empty list is misuse.
/// Cost: a block a branch; a poll touches only the branches that were woken.
template <std::ranges::input_range R>
  requires detail::awaitable<std::ranges::range_value_t<R>> && (!std::is_lvalue_reference_v<R>)
auto select_any(R&& range) {
  using X = std::remove_cvref_t<std::ranges::range_value_t<R>>;
  return detail::select_any_operation<X>(detail::branches_of(std::forward<R>(range)));
}

}  // namespace eddy::inline EDDY_ABI
