#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>
#include <eddy/time/clock.hpp>
#include <eddy/time/detail/movable_timer.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S>
class [[nodiscard]] chunks_timeout_stream : public adapter<chunks_timeout_stream<S>, S> {
  using T = stream_value<S>;
  using chunk = std::vector<T>;

 public:
  chunks_timeout_stream(S&& s, std::size_t most, duration limit)
      : adapter<chunks_timeout_stream, S>(std::move(s)), most_(most), limit_(limit) {}
  next_polled<chunk> poll_next(context& cx) noexcept {
    next_polled<chunk> out(pending);
    while (!out && !ended_ && !failed_ && chunk_.size() < most_) {
      auto p = poll_stream(this->inner_, cx);
      if (!p) break;
      if (!p->has_value())
        failed_ = std::move(*p).error();
      else if (!**p)
        ended_ = true;
      else
        catching(out, [&] { add(*std::move(**p)); });
    }
    if (!out && is_due(cx)) {
      timer_.stop();
      give(out, std::exchange(chunk_, {}));
    } else if (!out && chunk_.empty()) {
      if (failed_)
        fail(out, *std::exchange(failed_, std::nullopt));
      else if (ended_)
        finish(out);
    }
    return out;
  }
  bool is_terminated() const noexcept {
    return chunk_.empty() && !failed_ && (ended_ || terminated(this->inner_));
  }

  /// The values of a chunk that has not come yet.
  chunk take_remainder() noexcept {
    timer_.stop();
    return std::exchange(chunk_, {});
  }

 private:
  void add(T&& v) {
    if (chunk_.empty()) timer_.reset(to_nanoseconds(saturating_add(clock::now(), limit_)));
    chunk_.push_back(std::move(v));
  }
  bool is_due(context& cx) noexcept {
    if (chunk_.empty()) return false;
    return chunk_.size() >= most_ || ended_ || failed_ || timer_.poll_elapsed(cx);
  }

  std::size_t most_;
  duration limit_;
  chunk chunk_;
  std::optional<error> failed_;  // comes behind the chunk
  movable_timer timer_;          // runs while the chunk has values
  bool ended_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
