#pragma once

#include <utility>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S, class F>
class [[nodiscard]] filter_stream : public adapter<filter_stream<S, F>, S> {
  using T = stream_value<S>;

 public:
  filter_stream(S&& s, F f) : adapter<filter_stream, S>(std::move(s)), f_(std::move(f)) {}
  next_polled<T> poll_next(context& cx) noexcept {
    return poll_through<T>(this->inner_, cx, [this](T&& v, next_polled<T>& out) {
      if (call_with(f_, std::as_const(v))) give(out, std::move(v));
    });
  }

 private:
  [[no_unique_address]] F f_;
};

}}}  // namespace eddy::EDDY_ABI::detail
