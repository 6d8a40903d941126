#pragma once

#include <cstddef>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S>
class [[nodiscard]] skip_stream : public adapter<skip_stream<S>, S> {
  using T = stream_value<S>;

 public:
  skip_stream(S&& s, std::size_t n) : adapter<skip_stream, S>(std::move(s)), left_(n) {}
  next_polled<T> poll_next(context& cx) noexcept {
    return poll_through<T>(this->inner_, cx, [this](T&& v, next_polled<T>& out) {
      if (left_ != 0)
        --left_;
      else
        give(out, std::move(v));
    });
  }

 private:
  std::size_t left_;
};

template <class S, class F>
class [[nodiscard]] skip_while_stream : public adapter<skip_while_stream<S, F>, S> {
  using T = stream_value<S>;

 public:
  skip_while_stream(S&& s, F f) : adapter<skip_while_stream, S>(std::move(s)), f_(std::move(f)) {}
  next_polled<T> poll_next(context& cx) noexcept {
    return poll_through<T>(this->inner_, cx, [this](T&& v, next_polled<T>& out) {
      if (!found_ && call_with(f_, std::as_const(v))) return;
      found_ = true;
      give(out, std::move(v));
    });
  }

 private:
  [[no_unique_address]] F f_;
  bool found_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
