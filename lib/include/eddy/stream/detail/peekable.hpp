#pragma once

#include <optional>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S>
class [[nodiscard]] stream_peek_leaf {
 public:
  explicit stream_peek_leaf(S& s) noexcept : stream_(&s) {}
  auto poll(context& cx) noexcept { return stream_->poll_peek(cx); }

 private:
  S* stream_;
};

template <class S>
class [[nodiscard]] peekable_stream : public adapter<peekable_stream<S>, S> {
  using T = stream_value<S>;
  using seen = result<T*>;

 public:
  explicit peekable_stream(S&& s) : adapter<peekable_stream, S>(std::move(s)) {}

  /// Waits for the next value and leaves it where it is; null at the end. It may be changed there, and is
  /// what `next()` gives.
  /// Cancel safety: nothing is lost.
  /// Lifetime: the pointer is good until the next `next()`, or a move of the stream.
  auto peek() noexcept { return stream_peek_leaf<peekable_stream>(*this); }
  polled<seen> poll_peek(context& cx) noexcept {
    if (!seen_ && !ended_) {
      auto p = poll_stream(this->inner_, cx);
      if (!p) return pending;
      if (!p->has_value()) return seen(unexpect, std::move(*p).error());
      if (!**p) {
        ended_ = true;
      } else {
        return or_failed_move<T*, error>([&]() -> polled<seen> {
          seen_.emplace(*std::move(**p));
          return seen(&*seen_);
        });
      }
    }
    return seen(seen_ ? &*seen_ : nullptr);
  }

  next_polled<T> poll_next(context& cx) noexcept {
    auto p = seen_ ? take_seen() : ended_ ? end_of_stream<T>() : poll_stream(this->inner_, cx);
    ended_ = ended_ || is_end<T>(p);
    return p;
  }
  bool is_terminated() const noexcept { return !seen_ && (ended_ || terminated(this->inner_)); }

 private:
  next_polled<T> take_seen() noexcept {
    next_polled<T> out(pending);
    catching(out, [&] { give(out, *std::move(seen_)); });
    seen_.reset();
    return out;
  }

  std::optional<T> seen_;
  bool ended_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
