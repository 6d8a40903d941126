#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>
#include <eddy/time/clock.hpp>
#include <eddy/time/detail/movable_timer.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S>
class [[nodiscard]] timeout_stream : public adapter<timeout_stream<S>, S> {
  using T = stream_value<S>;

 public:
  timeout_stream(S&& s, duration limit) : adapter<timeout_stream, S>(std::move(s)), limit_(limit) {}
  next_polled<T> poll_next(context& cx) noexcept {
    auto p = poll_stream(this->inner_, cx);
    if (p) {
      if (phase_ == phase::waits) timer_.stop();
      phase_ = phase::idle;
    } else if (has_elapsed(cx)) {
      phase_ = phase::told;
      fail<T>(p, error(errc::elapsed, "timeout"));
    }
    return p;
  }

 private:
  enum class phase : std::uint8_t {
    idle,
    waits,
    told
  };  // told: of the value that is waited for now

  bool has_elapsed(context& cx) noexcept {
    if (phase_ == phase::told) return false;
    if (std::exchange(phase_, phase::waits) == phase::idle) return timer_.start(cx, limit_);
    return timer_.poll_elapsed(cx);
  }

  duration limit_;
  movable_timer timer_;
  phase phase_ = phase::idle;
};

}}}  // namespace eddy::EDDY_ABI::detail
