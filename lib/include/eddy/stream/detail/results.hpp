#pragma once

#include <type_traits>
#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>
#include <eddy/stream/detail/then.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S>
class [[nodiscard]] results_stream : public adapter<results_stream<S>, S> {
  using T = stream_value<S>;
  using U = result<T>;

 public:
  explicit results_stream(S&& s) : adapter<results_stream, S>(std::move(s)) {}
  next_polled<U> poll_next(context& cx) noexcept {
    next_polled<U> out(pending);
    auto p = poll_stream(this->inner_, cx);
    if (!p) return out;
    catching(out, [&] {
      if (!p->has_value())
        give(out, unexpect, std::move(*p).error());
      else if (!**p)
        finish(out);
      else
        give(out, std::in_place, *std::move(**p));
    });
    return out;
  }
};

template <class S>
class [[nodiscard]] values_stream : public adapter<values_stream<S>, S> {
  using R = stream_value<S>;
  static_assert(is_result_v<R>, "eddy: values() is for a stream of results");
  using T = typename R::value_type;
  static_assert(!std::is_reference_v<T>, "eddy: a stream yields values: use a pointer");
  using U = void_to_unit<T>;

 public:
  explicit values_stream(S&& s) : adapter<values_stream, S>(std::move(s)) {}
  next_polled<U> poll_next(context& cx) noexcept {
    return poll_through<U>(this->inner_, cx,
                           [](R&& r, next_polled<U>& out) { give_outcome(out, std::move(r)); });
  }
};

}}}  // namespace eddy::EDDY_ABI::detail
