#pragma once

#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// What `f(v)` is for a stream's value, as a value.
template <class S, class F>
using mapped_t = std::remove_cvref_t<std::invoke_result_t<F&, stream_value<S>>>;

template <class S, class F>
class [[nodiscard]] map_stream : public adapter<map_stream<S, F>, S> {
  using T = stream_value<S>;
  using U = mapped_t<S, F>;
  static_assert(!std::is_void_v<U>, "eddy: map to nothing: use fold, or return something");

 public:
  map_stream(S&& s, F f) : adapter<map_stream, S>(std::move(s)), f_(std::move(f)) {}
  next_polled<U> poll_next(context& cx) noexcept {
    return poll_through<U>(this->inner_, cx, [this](T&& v, next_polled<U>& out) {
      give(out, call_with(f_, std::move(v)));
    });
  }

 private:
  [[no_unique_address]] F f_;
};

template <class S, class F>
class [[nodiscard]] filter_map_stream : public adapter<filter_map_stream<S, F>, S> {
  using T = stream_value<S>;
  static_assert(is_optional_v<mapped_t<S, F>>, "eddy: filter_map wants f(v) to be an optional");
  using U = typename mapped_t<S, F>::value_type;

 public:
  filter_map_stream(S&& s, F f) : adapter<filter_map_stream, S>(std::move(s)), f_(std::move(f)) {}
  next_polled<U> poll_next(context& cx) noexcept {
    return poll_through<U>(this->inner_, cx, [this](T&& v, next_polled<U>& out) {
      auto u = call_with(f_, std::move(v));
      if (u) give(out, *std::move(u));
    });
  }

 private:
  [[no_unique_address]] F f_;
};

template <class S, class F>
class [[nodiscard]] map_while_stream : public adapter<map_while_stream<S, F>, S> {
  using T = stream_value<S>;
  static_assert(is_optional_v<mapped_t<S, F>>, "eddy: map_while wants f(v) to be an optional");
  using U = typename mapped_t<S, F>::value_type;

 public:
  map_while_stream(S&& s, F f) : adapter<map_while_stream, S>(std::move(s)), f_(std::move(f)) {}
  next_polled<U> poll_next(context& cx) noexcept {
    return ended_ ? end_of_stream<U>()
                  : poll_through<U>(this->inner_, cx, [this](T&& v, next_polled<U>& out) {
                      auto u = call_with(f_, std::move(v));
                      ended_ = !u;
                      if (u)
                        give(out, *std::move(u));
                      else
                        finish(out);
                    });
  }
  bool is_terminated() const noexcept { return ended_ || terminated(this->inner_); }

 private:
  [[no_unique_address]] F f_;
  bool ended_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
