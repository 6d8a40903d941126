#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/base/error.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/combine/detail/branch_list.hpp>
#include <eddy/config.hpp>
#include <eddy/core/poll.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// The values of a list, by their places, as they come.
template <class T>
class gathered {
  using element = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>;

 public:
  using type = std::vector<element>;
  explicit gathered(std::size_t n) : values_(n) {}
  void keep(std::size_t place, result<T>& one) {
    if constexpr (std::is_reference_v<T>)
      values_[place] = &*one;
    else
      values_[place].emplace(*std::move(one));
  }
  result<type> take() {
    type all;
    all.reserve(values_.size());
    for (auto& v : values_) all.push_back(*std::move(v));
    return all;
  }

 private:
  std::vector<std::optional<element>> values_;
};
template <>
class gathered<void> {
 public:
  using type = void;
  explicit gathered(std::size_t) noexcept {}
  static void keep(std::size_t, result<void>&) noexcept {}
  static result<void> take() noexcept { return {}; }
};

template <bool Try, class X>
class [[nodiscard]] join_all_operation {
  using set = branch_set<X>;
  using values = gathered<typename set::value_type>;
  using answer = result<typename values::type>;

 public:
  explicit join_all_operation(set branches)
      : branches_(std::move(branches)), values_(branches_.size()) {}

  polled<answer> poll(context& cx) noexcept {
    if (over_) return answer(error(errc::misuse, "a join_all was polled after it had ended"));
    while (!branches_.empty()) {
      auto p = branches_.poll_next(cx);
      if (!p) return pending;
      keep(**p);
      if (Try && failure_) branches_.clear();
    }
    over_ = true;
    if (failure_) return answer(std::move(failure_));
    return or_failed_move<typename values::type, error>(
        [&]() -> polled<answer> { return values_.take(); });
  }

 private:
  void keep(typename set::ended& one) noexcept {
    if (!one.outcome) {
      if (!failure_) failure_ = std::move(one.outcome).error();
      return;
    }
#if EDDY_EXCEPTIONS
    try {
#endif
      values_.keep(one.key, one.outcome);
#if EDDY_EXCEPTIONS
    } catch (...) {
      if (!failure_) failure_ = error::current_exception();
    }
#endif
  }

  set branches_;
  [[no_unique_address]] values values_;
  error failure_;
  bool over_ = false;
};

}  // namespace detail

/// Awaits a whole list of futures or leaves: a vector of their values in the order of the list (pointers, if
/// they are references), or nothing if they have none. When one fails the others are still awaited; then the
/// first failure is thrown. What is taken out of `range` and what is lent is as with `select_any`.
///
/// Cancel safety: that of each branch; values that have come are lost.
/// Lifetime: a lent leaf must not be polled by anybody else meanwhile, and outlive the await.
/// Cost: a block a branch, two vectors of values; a poll touches only the branches that were woken.
template <detail::branch_range R>
auto join_all(R&& range) {
  return detail::join_all_operation<false, detail::listed_branch<R>>(
      detail::branches_of(std::forward<R>(range)));
}

/// The same, but the first failure destroys the others and is thrown.
/// Cancel safety, Lifetime, Cost: as `join_all`.
template <detail::branch_range R>
auto try_join_all(R&& range) {
  return detail::join_all_operation<true, detail::listed_branch<R>>(
      detail::branches_of(std::forward<R>(range)));
}

}}  // namespace eddy::EDDY_ABI
