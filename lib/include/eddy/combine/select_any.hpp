#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/combine/detail/branch_list.hpp>
#include <eddy/combine/poll_order.hpp>
#include <eddy/config.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/runtime/detail/random.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// What won a `select_any`: its place in the list, from 0, and its value (a `unit` if it has none).
template <class T>
class selected_any {
  using stored = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*,
                                    detail::void_to_unit<T>>;

 public:
  using value_type = detail::void_to_unit<T>;
  template <class... A>
  explicit selected_any(std::size_t index, A&&... value)
      : value_(std::forward<A>(value)...), index_(index) {}
  /// Its place in the list.
  std::size_t index() const noexcept { return index_; }
  /// Its value.
  value_type& value() & noexcept {
    if constexpr (std::is_reference_v<T>)
      return *value_;
    else
      return value_;
  }
  value_type&& value() && noexcept { return static_cast<value_type&&>(value()); }

 private:
  stored value_;
  std::size_t index_;
};

namespace detail {

template <bool Biased, class X>
class [[nodiscard]] select_any_operation {
  using set = branch_set<X>;
  using T = typename set::value_type;
  using value_type = selected_any<T>;

 public:
  explicit select_any_operation(set branches) noexcept : branches_(std::move(branches)) {}

  polled<result<value_type>> poll(context& cx) noexcept {
    if (branches_.empty())
      return result<value_type>(
          error(errc::misuse, "select_any of nothing, or polled after its end"));
    if constexpr (!Biased) {
      if (!std::exchange(started_, true))
        branches_.rotate(draw(cx, static_cast<std::uint32_t>(branches_.size())));
    }
    auto p = branches_.poll_next(cx);
    if (!p) return pending;
    branches_.clear();
    auto& ended = **p;
    if (!ended.outcome) return result<value_type>(std::move(ended.outcome).error());
    return or_failed_move<value_type, error>([&]() -> polled<result<value_type>> {
      if constexpr (std::is_void_v<T>)
        return result<value_type>(std::in_place, ended.key);
      else if constexpr (std::is_reference_v<T>)
        return result<value_type>(std::in_place, ended.key, &*ended.outcome);
      else
        return result<value_type>(std::in_place, ended.key, *std::move(ended.outcome));
    });
  }

 private:
  set branches_;
  bool started_ = false;
};

}  // namespace detail

/// Awaits the first of a list of futures or leaves: `auto r = co_await eddy::select_any(std::move(downloads));`.
/// A container given by rvalue is emptied into it, and those that did not win are destroyed before the await
/// goes on. The leaves of a container given by lvalue (`join_handle`s, a deque of `pinned`), or behind a view,
/// are polled in place and left alive.
///
/// Those that are woken win in the order in which they were. The first poll asks all of them, round from a
/// place that the runtime's seeded generator draws; `select_any(eddy::biased, …)` from the first.
/// Cancel safety: that of each branch.
/// Lifetime: a lent leaf must not be polled by anybody else meanwhile, and outlive the await.
/// Errors: a winner that failed throws; an empty list is misuse.
/// Cost: a block a branch; a poll touches only the branches that were woken.
template <detail::branch_range R>
auto select_any(R&& range) {
  return detail::select_any_operation<false, detail::listed_branch<R>>(
      detail::branches_of(std::forward<R>(range)));
}
template <detail::branch_range R>
auto select_any(biased_t, R&& range) {
  return detail::select_any_operation<true, detail::listed_branch<R>>(
      detail::branches_of(std::forward<R>(range)));
}

}}  // namespace eddy::EDDY_ABI
