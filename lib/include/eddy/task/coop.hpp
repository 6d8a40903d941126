#pragma once

#include <cstdint>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/core/detail/chain.hpp>
#include <eddy/core/poll.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

class [[nodiscard]] consume_budget_leaf {
 public:
  polled<> poll(context& cx) noexcept {
    if (!cx.proceed()) return pending;
    return ready;
  }
};

template <class X>
class [[nodiscard]] unconstrained_operation {
  using inner = branch<X>;

 public:
  explicit unconstrained_operation(X&& x) : inner_(std::forward<X>(x)) {}

  auto poll(context& cx) noexcept -> decltype(std::declval<inner&>().poll(cx)) {
    coop_budget* const budget = context_access::budget(cx);
    if (budget == nullptr) return inner_.poll(cx);
    const std::uint32_t left = std::exchange(budget->left, UINT32_MAX);
    auto p = inner_.poll(cx);
    budget->left = left;
    return p;
  }

 private:
  inner inner_;
};

/// The budget of the task this thread polls; null: none.
const coop_budget* budget_here() noexcept;

}  // namespace detail

/// Spends one unit of the task's budget, and lets others run when none is left: for a loop that computes and awaits
/// nothing. `co_await eddy::consume_budget();`
///
/// Cancel safety: nothing is lost.
/// Cost: none, until the budget (128) is spent; then that of `yield_now`.
inline detail::consume_budget_leaf consume_budget() noexcept { return {}; }

/// Awaits `x`, a future or a leaf, without a budget: what is always ready in it does not let others run.
/// Cancel safety: that of `x`.
template <class X>
  requires detail::awaitable<X>
auto unconstrained(X&& x) {
  return detail::unconstrained_operation<X>(std::forward<X>(x));
}

namespace coop {

/// Whether the task that runs on this thread may go on before it has to let others run; true outside of tasks.
inline bool has_budget_remaining() noexcept {
  const auto* const budget = detail::budget_here();
  return budget == nullptr || budget->left != 0;
}

}  // namespace coop

}}  // namespace eddy::EDDY_ABI
