#pragma once

#include <optional>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S>
class [[nodiscard]] fuse_stream : public adapter<fuse_stream<S>, S> {
  using T = stream_value<S>;

 public:
  explicit fuse_stream(S&& s) : adapter<fuse_stream, S>(std::move(s)) {}
  next_polled<T> poll_next(context& cx) noexcept {
    auto p = ended_ ? end_of_stream<T>() : poll_stream(this->inner_, cx);
    ended_ = ended_ || is_end<T>(p);
    return p;
  }
  bool is_terminated() const noexcept { return ended_ || terminated(this->inner_); }

 private:
  bool ended_ = false;
};

template <class S>
class [[nodiscard]] notify_close_stream : public adapter<notify_close_stream<S>, S> {
  using T = stream_value<S>;
  using U = std::optional<T>;

 public:
  explicit notify_close_stream(S&& s) : adapter<notify_close_stream, S>(std::move(s)) {}
  next_polled<U> poll_next(context& cx) noexcept { return said_ ? end_of_stream<U>() : tell(cx); }
  bool is_terminated() const noexcept { return said_; }

 private:
  next_polled<U> tell(context& cx) noexcept {
    next_polled<U> out(pending);
    auto p = poll_stream(this->inner_, cx);
    said_ = is_end<T>(p);
    if (p) {
      catching(out, [&] {
        if (p->has_value())
          give(out, std::move(**p));
        else
          fail(out, std::move(*p).error());
      });
    }
    return out;
  }

  bool said_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
