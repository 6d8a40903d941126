#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S, class A, class F>
class [[nodiscard]] fold_operation {
  using T = stream_value<S>;
  static constexpr bool in_place =
      requires(F& f, A& a, T&& v) { requires std::is_void_v<decltype(f(a, std::move(v)))>; };

 public:
  fold_operation(S&& s, A&& init, F&& f)
      : stream_(std::move(s)), value_(std::in_place, std::move(init)), f_(std::move(f)) {}
  polled<result<A>> poll(context& cx) noexcept {
    return or_failed_move<A, error>([&]() -> polled<result<A>> {
      for (;;) {
        auto p = poll_stream(stream_, cx);
        if (!p) return pending;
        if (!p->has_value()) return result<A>(unexpect, std::move(*p).error());
        if (!**p) return result<A>(std::in_place, *std::move(value_));
        add(*std::move(**p));
      }
    });
  }

 private:
  void add(T&& v) {
    if constexpr (in_place) {
      f_(*value_, std::move(v));
    } else {
      A next(f_(*std::move(value_), std::move(v)));
      value_.emplace(std::move(next));
    }
  }

  S stream_;
  std::optional<A> value_;
  [[no_unique_address]] F f_;
};

/// Looks for a value for which `f(v)` is `Wanted`: was there one (any), or none (all)?
template <class S, class F, bool Wanted>
class [[nodiscard]] search_leaf {
 public:
  search_leaf(S& s, F&& f) : stream_(&s), f_(std::move(f)) {}
  polled<result<bool>> poll(context& cx) noexcept {
    return or_failed_move<bool, error>([&]() -> polled<result<bool>> {
      for (;;) {
        auto p = poll_stream(*stream_, cx);
        if (!p) return pending;
        if (!p->has_value()) return result<bool>(unexpect, std::move(*p).error());
        if (!**p) return result<bool>(!Wanted);
        if (static_cast<bool>(call_with(f_, *std::move(**p))) == Wanted)
          return result<bool>(Wanted);
      }
    });
  }

 private:
  S* stream_;
  [[no_unique_address]] F f_;
};

}}}  // namespace eddy::EDDY_ABI::detail
