#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/branch.hpp>
#include <eddy/runtime/random.hpp>
#include <eddy/task/selected.hpp>

namespace eddy::inline EDDY_ABI {

/// First argument of `select`: its branches are asked in their order, always.
struct biased_t {
  explicit constexpr biased_t() noexcept = default;
};
inline constexpr biased_t biased{};

namespace detail {

/// One branch of a select. `poll` answers, `enabled` says whether it takes part (any more).
template <class X>
class arm : public branch<X> {
 public:
  using branch<X>::branch;
  static constexpr bool enabled() noexcept { return true; }
};

/// `when(condition, x)`.
template <class X>
class [[nodiscard]] guarded {
 public:
  guarded(bool enabled, X&& x) : x_(std::forward<X>(x)), enabled_(enabled) {}

 private:
  friend arm<guarded>;
  X x_;
  bool enabled_;
};
template <class X>
class arm<guarded<X>> : public branch<X> {
 public:
  explicit arm(guarded<X>&& g) : branch<X>(std::forward<X>(g.x_)), enabled_(g.enabled_) {}
  bool enabled() const noexcept { return enabled_; }

 private:
  bool enabled_;
};

/// `some(x)`.
template <class X>
class [[nodiscard]] if_some {
 public:
  explicit if_some(X&& x) : x_(std::forward<X>(x)) {}

 private:
  friend arm<if_some>;
  X x_;
};
template <class X>
class arm<if_some<X>> {
  using inner = branch<X>;

 public:
  using value_type = typename inner::value_type::value_type;
  using error_type = typename inner::error_type;

  explicit arm(if_some<X>&& s) : inner_(std::forward<X>(s.x_)) {}
  polled<result<value_type, error_type>> poll(context& cx) noexcept {
    auto p = inner_.poll(cx);
    if (!p) return pending;
    if (!p->has_value()) return result<value_type, error_type>(unexpected(std::move(*p).error()));
    if (!**p) {
      enabled_ = false;
      inner_.drop();
      return pending;
    }
    return or_failed_move<value_type, error_type>([&]() -> polled<result<value_type, error_type>> {
      return result<value_type, error_type>(std::in_place, *std::move(**p));
    });
  }
  void drop() noexcept { inner_.drop(); }
  bool enabled() const noexcept { return enabled_; }

 private:
  inner inner_;
  bool enabled_ = true;
};

/// `otherwise(value)`.
template <class T>
class [[nodiscard]] last_resort {
 public:
  explicit last_resort(T value) : value_(std::move(value)) {}

 private:
  friend arm<last_resort>;
  T value_;
};
template <class T>
class arm<last_resort<T>> {
 public:
  using value_type = T;
  using error_type = error;
  explicit arm(last_resort<T>&& l) : value_(std::move(l.value_)) {}
  static void drop() noexcept {}
  static constexpr bool enabled() noexcept { return false; }
  T& value() noexcept { return value_; }

 private:
  T value_;
};
template <class X>
inline constexpr bool is_last_resort_v = false;
template <class T>
inline constexpr bool is_last_resort_v<last_resort<T>> = true;
template <class X>
inline constexpr bool is_arm_wrapper_v = is_last_resort_v<X>;
template <class X>
inline constexpr bool is_arm_wrapper_v<guarded<X>> = true;
template <class X>
inline constexpr bool is_arm_wrapper_v<if_some<X>> = true;

template <class X>
concept selectable = awaitable<X> || is_arm_wrapper_v<std::remove_cvref_t<X>>;

template <bool Biased, class... X>
class [[nodiscard]] select_operation {
  using arms = std::tuple<arm<X>...>;
  using value_type = selected<typename arm<X>::value_type...>;
  using answer = polled<result<value_type>>;
  static constexpr std::size_t count = sizeof...(X);
  static_assert((std::is_same_v<typename arm<X>::error_type, error> && ...),
                "eddy: a branch of select has an error type of its own: wrap it in attempt");
  static constexpr bool has_last_resort = (is_last_resort_v<X> || ...);

 public:
  explicit select_operation(X&&... x) : arms_(std::forward<X>(x)...) {}

  answer poll(context& cx) noexcept {
    if (ended_)
      return result<value_type>(error(errc::misuse, "a select was polled after it had ended"));
    answer a = pending;
    const std::uint32_t start = Biased ? 0 : draw(cx, count);
    bool found = poll_from<0>(cx, start, a);
    if constexpr (!Biased) found = found || poll_before<0>(cx, start, a);
    if (!found && any_enabled(std::index_sequence_for<X...>())) return a;
    ended_ = true;
    if (!found) fall_back(a);
    std::apply([](auto&... each) { (each.drop(), ...); }, arms_);
    return a;
  }

 private:
  template <std::size_t I>
  bool poll_from(context& cx, std::uint32_t start, answer& a) noexcept {
    if constexpr (I == count) {
      return false;
    } else {
      return (I >= start && poll_one<I>(cx, a)) || poll_from<I + 1>(cx, start, a);
    }
  }
  template <std::size_t I>
  bool poll_before(context& cx, std::uint32_t start, answer& a) noexcept {
    if constexpr (I + 1 >= count) {
      return false;
    } else {
      return I < start && (poll_one<I>(cx, a) || poll_before<I + 1>(cx, start, a));
    }
  }
  template <std::size_t I>
  bool poll_one(context& cx, answer& a) noexcept {
    if constexpr (is_last_resort_v<std::tuple_element_t<I, std::tuple<X...>>>) {
      return false;
    } else {
      auto& each = std::get<I>(arms_);
      using T = typename std::remove_reference_t<decltype(each)>::value_type;
      if (!each.enabled()) return false;
      auto p = each.poll(cx);
      if (!p) return false;
      if (!p->has_value()) {
        std::construct_at(&a, result<value_type>(unexpected(std::move(*p).error())));
        return true;
      }
      std::construct_at(&a, or_failed_move<value_type, error>([&]() -> answer {
        if constexpr (std::is_void_v<T>)
          return result<value_type>(std::in_place, std::in_place_index<I>);
        else if constexpr (std::is_reference_v<T>)
          return result<value_type>(std::in_place, std::in_place_index<I>, &**p);
        else
          return result<value_type>(std::in_place, std::in_place_index<I>, std::move(**p));
      }));
      return true;
    }
  }
  template <std::size_t... I>
  bool any_enabled(std::index_sequence<I...>) const noexcept {
    return (std::get<I>(arms_).enabled() || ...);
  }
  void fall_back(answer& a) noexcept {
    if constexpr (has_last_resort) {
      constexpr std::size_t last = count - 1;
      std::construct_at(&a, or_failed_move<value_type, error>([&]() -> answer {
        return result<value_type>(std::in_place, std::in_place_index<last>,
                                  std::move(std::get<last>(arms_).value()));
      }));
    } else {
      std::construct_at(
          &a, result<value_type>(error(
                  errc::misuse, "every branch of a select is disabled, and it has no otherwise")));
    }
  }

  arms arms_;
  bool ended_ = false;
};

template <class... X>
constexpr bool last_resort_is_last() {
  constexpr bool is[] = {is_last_resort_v<std::remove_cvref_t<X>>...};
  for (std::size_t i = 0; i + 1 < sizeof...(X); ++i)
    if (is[i]) return false;
  return true;
}

}  // namespace detail

/// A branch that takes part only if `condition` holds: `select(when(n < 10, rx.recv()), …)`. The
/// condition is looked at once, when the select is made.
template <class X>
  requires detail::awaitable<X>
auto when(bool condition, X&& x) {
  return detail::guarded<X>(condition, std::forward<X>(x));
}

/// A branch that wins with what is in the optional that `x` gives, and drops out when that is empty: a
/// channel that has been closed does not win for ever.
template <class X>
  requires detail::awaitable<X>
auto some(X&& x) {
  return detail::if_some<X>(std::forward<X>(x));
}

/// The last argument of a `select`: its value when every other branch is disabled or has dropped out.
template <class T>
auto otherwise(T value) {
  return detail::last_resort<T>(std::move(value));
}

/// Awaits several futures or leaves and goes on with the first that is ready: `auto r = co_await
/// eddy::select(sleep(1s), fetch()); switch (r.index()) …`. A winner that failed throws from the await.
///
/// All run inside the current task. Each poll asks them from a place that the runtime's seeded generator
/// draws, so that none starves another, and stops at the first that is ready: nothing is taken out of a
/// loser. `select(eddy::biased, …)` asks in their order.
/// Given by value, the losers are destroyed before the await goes on. Given by lvalue (a leaf of your own,
/// or a future that `pin` fixed) they stay as they are, for the next round; mind that what is not polled
/// makes no progress and keeps the locks it holds.
/// Cancel safety: that of each branch.
/// Errors: all disabled and no `otherwise` is misuse. A branch with an error type of its own (a channel's
/// send) is to be wrapped in `attempt`.
/// Cost: no allocation; some instructions a branch and poll.
template <class... X>
  requires(detail::selectable<X> && ...)
auto select(X&&... branches) {
  static_assert(sizeof...(X) > 0, "eddy: select of nothing would wait for ever");
  static_assert(detail::last_resort_is_last<X...>(),
                "eddy: otherwise is the last argument of select");
  return detail::select_operation<false, X...>(std::forward<X>(branches)...);
}
template <class... X>
  requires(detail::selectable<X> && ...)
auto select(biased_t, X&&... branches) {
  static_assert(sizeof...(X) > 0, "eddy: select of nothing would wait for ever");
  static_assert(detail::last_resort_is_last<X...>(),
                "eddy: otherwise is the last argument of select");
  return detail::select_operation<true, X...>(std::forward<X>(branches)...);
}

}  // namespace eddy::inline EDDY_ABI
