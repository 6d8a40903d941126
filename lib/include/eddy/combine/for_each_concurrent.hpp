#pragma once

#include <cstddef>
#include <ranges>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch_set.hpp>
#include <eddy/core/future.hpp>
#include <eddy/core/poll.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// Until one of a set has ended; its failure. Not for an empty set.
class [[nodiscard]] next_of_set {
 public:
  explicit next_of_set(branch_set<future<>>& s) noexcept : set_(&s) {}
  polled<result<void>> poll(context& cx) noexcept {
    auto p = set_->poll_next(cx);
    if (!p) return pending;
    return std::move((*p)->outcome);
  }

 private:
  branch_set<future<>>* set_;
};

template <class R, class F>
future<> run_for_each(std::size_t limit, R range, F f) {
  branch_set<future<>> running;
  for (auto&& item : range) {
    if (running.size() == limit) co_await next_of_set(running);
    running.insert(0, f(std::forward<decltype(item)>(item)));
  }
  while (!running.empty()) co_await next_of_set(running);
}

}  // namespace detail

/// Calls `f(item)`, which returns a `future<>`, for every item of `range` in turn, and runs at most `limit` of
/// these futures at once, inside the current task: concurrent, not parallel, each polled only when it was
/// woken itself. `range` and `f` move into the operation and outlive every future, so `f` may be a coroutine
/// with captures and items may be taken by reference. The first failure destroys the others and is thrown, and
/// `f` is called no more.
///
/// Cancel safety: dropping it destroys what runs.
/// Errors: a limit of 0 is misuse.
/// Cost: a frame, and a block an item that runs.
template <std::ranges::input_range R, class F>
  requires std::is_invocable_r_v<future<>, F&, std::ranges::range_reference_t<R>>
future<> for_each_concurrent(std::size_t limit, R range, F f) {
  if (limit == 0) detail::misuse("for_each_concurrent with a limit of 0 would wait for ever");
  return detail::run_for_each<R, F>(limit, std::move(range), std::move(f));
}

}}  // namespace eddy::EDDY_ABI
