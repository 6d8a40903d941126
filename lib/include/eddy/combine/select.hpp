#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/combine/arm.hpp>
#include <eddy/combine/poll_order.hpp>
#include <eddy/combine/selected.hpp>
#include <eddy/config.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/runtime/detail/random.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

template <bool Biased, class... X>
class [[nodiscard]] select_operation {
  static constexpr bool has_otherwise = (is_last_resort_v<X> || ...);
  static constexpr std::size_t count = sizeof...(X) - (has_otherwise ? 1 : 0);  // that are polled
  using arms = std::tuple<arm<X>...>;
  using value_type = selected<typename arm<X>::value_type...>;
  using answer = polled<result<value_type>>;

 public:
  explicit select_operation(X&&... x) : arms_(std::forward<X>(x)...) {}

  answer poll(context& cx) noexcept {
    answer a = pending;  // the only thing returned, so that nothing is moved
    if (ended_) {
      a.emplace(error(errc::misuse, "a select was polled after it had ended"));
      return a;
    }
    if (!cx.may_poll()) return a;
    if (!poll_arms(cx, a, std::make_index_sequence<count>())) return a;
    ended_ = true;
    std::apply([](auto&... each) { (each.drop(), ...); }, arms_);
    return a;
  }

 private:
  /// True when the select has ended, with what is in `a` then.
  template <std::size_t... I>
  bool poll_arms(context& cx, answer& a, std::index_sequence<I...>) noexcept {
    const auto one = [&](auto place) noexcept { return poll_one<place>(cx, a); };
    if constexpr (Biased || count < 2) {
      if ((one(index<I>()) || ...)) return true;
    } else {
      if (in_order<count>(draw(cx, 2 * count), one)) return true;
    }
    if ((std::get<I>(arms_).enabled() || ...)) return false;
    if constexpr (has_otherwise) {
      win<count>(a, std::get<count>(arms_).value());
    } else {
      a.emplace(
          error(errc::misuse, "every branch of a select is disabled, and it has no otherwise"));
    }
    return true;
  }
  template <std::size_t I>
  bool poll_one(context& cx, answer& a) noexcept {
    auto& each = std::get<I>(arms_);
    using asked = std::remove_reference_t<decltype(each)>;
    using T = typename asked::value_type;
    if (!each.enabled()) return false;
    auto p = each.ask(cx);
    if (!p) return false;
    if constexpr (asked::fails) {
      if (!p->has_value()) {
        a.emplace(to_error(std::move(*p).error()));
        return true;
      }
    }
    if constexpr (std::is_void_v<T>) {
      a.emplace(std::in_place, std::in_place_index<I>);
    } else {
      auto& value = [&]() -> auto& {
        if constexpr (asked::fails)
          return **p;
        else
          return *p;
      }();
      if constexpr (std::is_reference_v<T>)
        a.emplace(std::in_place, std::in_place_index<I>, &value);
      else
        win<I>(a, value);
    }
    return true;
  }
  template <std::size_t I, class T>
  static void win(answer& a, T& value) noexcept {
#if EDDY_EXCEPTIONS
    try {
#endif
      a.emplace(std::in_place, std::in_place_index<I>, std::move(value));
#if EDDY_EXCEPTIONS
    } catch (...) {
      a.emplace(error::current_exception());
    }
#endif
  }

  arms arms_;
  bool ended_ = false;
};

template <class... X>
constexpr void check_select() {
  static_assert(sizeof...(X) > 0, "eddy: select of nothing would wait for ever");
  constexpr bool is_otherwise[] = {is_last_resort_v<X>..., false};
  constexpr std::size_t found = [&] {
    std::size_t i = 0;
    while (i < sizeof...(X) && !is_otherwise[i]) ++i;
    return i;
  }();
  static_assert(found + 1 >= sizeof...(X), "eddy: otherwise is the last argument of select");
}

}  // namespace detail

/// Awaits several futures or leaves and goes on with the first that is ready: `auto r = co_await
/// eddy::select(sleep(1s), fetch()); switch (r.index()) …`. A winner that failed throws from the await.
///
/// All run inside the current task. Each poll asks them round from a place and in a direction that the
/// runtime's seeded generator draws, and stops at the first that is ready: nothing is taken out of a loser,
/// and of two that are always ready each wins half of the time. `select(eddy::biased, …)` asks in their order.
/// Given by value, the losers are destroyed before the await goes on. Given by lvalue (a leaf of your own,
/// or a future that `pin` fixed) they stay as they are, for the next round; mind that what is not polled
/// makes no progress and keeps the locks it holds. `when`, `some` and `otherwise` may stand around a branch.
/// Cancel safety: that of each branch.
/// Errors: all disabled and no `otherwise` is misuse. A failure of an error type of the branch's own (a
/// channel's send) is thrown as it is; without exceptions such a branch must be wrapped in `attempt`.
/// Cost: no allocation; a poll asks every branch up to the winner, so `select_any` is for long lists.
template <class... X>
  requires(detail::selectable<X> && ...)
auto select(X&&... branches) {
  detail::check_select<X...>();
  return detail::select_operation<false, X...>(std::forward<X>(branches)...);
}
template <class... X>
  requires(detail::selectable<X> && ...)
auto select(biased_t, X&&... branches) {
  detail::check_select<X...>();
  return detail::select_operation<true, X...>(std::forward<X>(branches)...);
}

}}  // namespace eddy::EDDY_ABI
