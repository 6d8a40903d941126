#pragma once

#include <cstddef>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/task/branch_set.hpp>
#include <eddy/task/select_any.hpp>

namespace eddy::inline EDDY_ABI {

namespace detail {

template <bool Try, class X>
class [[nodiscard]] join_all_operation {
  using set = branch_set<X>;
  using T = typename set::value_type;
  static_assert(!std::is_reference_v<T>, "eddy: join_all of references: return pointers");
  static constexpr bool valued = !std::is_void_v<T>;
  using value_type = std::conditional_t<valued, std::vector<void_to_unit<T>>, void>;

 public:
  explicit join_all_operation(set branches) : branches_(std::move(branches)) {
    if constexpr (valued) values_.resize(branches_.size());
  }

  polled<result<value_type>> poll(context& cx) noexcept {
    if (over_)
      return result<value_type>(error(errc::misuse, "a join_all was polled after it had ended"));
    while (!branches_.empty()) {
      auto p = branches_.poll_next(cx);
      if (!p) return pending;
      keep(**p);
      if (Try && failure_) branches_.clear();
    }
    over_ = true;
    if (failure_) return result<value_type>(std::move(failure_));
    if constexpr (valued)
      return or_failed_move<value_type, error>([&]() -> polled<result<value_type>> {
        value_type all;
        all.reserve(values_.size());
        for (auto& v : values_) all.push_back(*std::move(v));
        return result<value_type>(std::move(all));
      });
    else
      return result<value_type>();
  }

 private:
  void keep(typename set::ended& one) noexcept {
    if (!one.outcome) {
      if (!failure_) failure_ = std::move(one.outcome).error();
      return;
    }
    if constexpr (valued) {
#if EDDY_EXCEPTIONS
      try {
#endif
        values_[one.key].emplace(*std::move(one.outcome));
#if EDDY_EXCEPTIONS
      } catch (...) {
        if (!failure_) failure_ = error::current_exception();
      }
#endif
    }
  }

  set branches_;
  [[no_unique_address]] std::conditional_t<valued, std::vector<std::optional<void_to_unit<T>>>,
                                           unit> values_;
  error failure_;
  bool over_ = false;
};

}  // namespace detail

/// Awaits a whole list of futures or leaves, which it moves out of `range`: a vector of their values in the
/// order of the list, or nothing if they have none. When one fails the others are still awaited; then the
/// first failure is thrown.
///
/// Cancel safety: that of each branch; values that have come are lost.
/// Cost: a block a branch; a poll touches only the branches that were woken.
template <std::ranges::input_range R>
  requires detail::awaitable<std::ranges::range_value_t<R>> && (!std::is_lvalue_reference_v<R>)
auto join_all(R&& range) {
  using X = std::remove_cvref_t<std::ranges::range_value_t<R>>;
  return detail::join_all_operation<false, X>(detail::branches_of(std::forward<R>(range)));
}

/// The same, but the first failure destroys the others and is thrown.
/// Cancel safety, Cost: as `join_all`.
template <std::ranges::input_range R>
  requires detail::awaitable<std::ranges::range_value_t<R>> && (!std::is_lvalue_reference_v<R>)
auto try_join_all(R&& range) {
  using X = std::remove_cvref_t<std::ranges::range_value_t<R>>;
  return detail::join_all_operation<true, X>(detail::branches_of(std::forward<R>(range)));
}

}  // namespace eddy::inline EDDY_ABI
