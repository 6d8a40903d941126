#pragma once

#include <cstddef>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S>
class [[nodiscard]] take_stream : public adapter<take_stream<S>, S> {
  using T = stream_value<S>;

 public:
  take_stream(S&& s, std::size_t n) : adapter<take_stream, S>(std::move(s)), left_(n) {}
  next_polled<T> poll_next(context& cx) noexcept {
    auto p = left_ == 0 ? end_of_stream<T>() : poll_stream(this->inner_, cx);
    if (is_value<T>(p)) --left_;
    return p;
  }
  bool is_terminated() const noexcept { return left_ == 0 || terminated(this->inner_); }

 private:
  std::size_t left_;
};

template <class S, class F>
class [[nodiscard]] take_while_stream : public adapter<take_while_stream<S, F>, S> {
  using T = stream_value<S>;

 public:
  take_while_stream(S&& s, F f) : adapter<take_while_stream, S>(std::move(s)), f_(std::move(f)) {}
  next_polled<T> poll_next(context& cx) noexcept {
    return ended_ ? end_of_stream<T>()
                  : poll_through<T>(this->inner_, cx, [this](T&& v, next_polled<T>& out) {
                      ended_ = !call_with(f_, std::as_const(v));
                      if (ended_)
                        finish(out);
                      else
                        give(out, std::move(v));
                    });
  }
  bool is_terminated() const noexcept { return ended_ || terminated(this->inner_); }

 private:
  [[no_unique_address]] F f_;
  bool ended_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
