#pragma once

#include <utility>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>
#include <eddy/time/clock.hpp>
#include <eddy/time/detail/movable_timer.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S>
class [[nodiscard]] throttle_stream : public adapter<throttle_stream<S>, S> {
  using T = stream_value<S>;

 public:
  throttle_stream(S&& s, duration distance)
      : adapter<throttle_stream, S>(std::move(s)), distance_(distance) {}
  next_polled<T> poll_next(context& cx) noexcept {
    auto p = may_pull(cx) ? poll_stream(this->inner_, cx) : next_polled<T>(pending);
    if (is_value<T>(p) && distance_ > duration::zero()) {
      pause_.reset(to_nanoseconds(saturating_add(clock::now(), distance_)));
      pauses_ = true;
    }
    return p;
  }

 private:
  bool may_pull(context& cx) noexcept {
    if (pauses_ && pause_.poll_elapsed(cx)) pauses_ = false;
    return !pauses_;
  }

  duration distance_;
  movable_timer pause_;
  bool pauses_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
