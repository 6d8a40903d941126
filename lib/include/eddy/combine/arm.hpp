#pragma once

#include <type_traits>
#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>

// The branches of a select, and what may be written around one: `when`, `some`, `otherwise`.

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// A branch, and whether it takes part (any more).
template <class X>
class arm : public branch<X> {
 public:
  using branch<X>::branch;
  static constexpr bool enabled() noexcept { return true; }
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
  static constexpr bool fails = true;

  explicit arm(if_some<X>&& s) : inner_(std::forward<X>(s.x_)) {}
  polled<result<value_type, error_type>> ask(context& cx) noexcept {
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
class arm<guarded<X>> : public arm<X> {
 public:
  explicit arm(guarded<X>&& g) : arm<X>(std::forward<X>(g.x_)), enabled_(g.enabled_) {}
  bool enabled() const noexcept { return enabled_ && arm<X>::enabled(); }

 private:
  bool enabled_;
};

/// `otherwise(value)`.
template <class T>
class [[nodiscard]] last_resort {
 public:
  explicit last_resort(T&& value) : value_(std::move(value)) {}

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
  T& value() noexcept { return value_; }

 private:
  T value_;
};

template <class X>
inline constexpr bool is_last_resort_v = false;
template <class T>
inline constexpr bool is_last_resort_v<last_resort<T>> = true;

template <class X>
inline constexpr bool is_if_some_v = false;
template <class X>
inline constexpr bool is_if_some_v<if_some<X>> = true;
template <class X>
inline constexpr bool is_guarded_v = false;
template <class X>
inline constexpr bool is_guarded_v<guarded<X>> = true;

/// What may stand in a select.
template <class X>
concept selectable = awaitable<X> || is_if_some_v<X> || is_guarded_v<X> || is_last_resort_v<X>;

}  // namespace detail

/// A branch of `select` that takes part only if `condition` holds: `select(when(n < 10, rx.recv()), …)`. The
/// condition is looked at once, when the select is made; `x` is made, and destroyed, in any case.
template <class X>
  requires detail::awaitable<X> || detail::is_if_some_v<X>
auto when(bool condition, X&& x) {
  return detail::guarded<X>(condition, std::forward<X>(x));
}

/// A branch of `select` that wins with what is in the optional that `x` gives, and drops out when that is
/// empty: a channel that has been closed does not win for ever.
template <class X>
  requires detail::awaitable<X>
auto some(X&& x) {
  return detail::if_some<X>(std::forward<X>(x));
}

/// The last argument of `select`: its value when every other branch is disabled or has dropped out.
template <class T>
auto otherwise(T value) {
  return detail::last_resort<T>(std::move(value));
}

}}  // namespace eddy::EDDY_ABI
