#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A range whose elements are found by their number: it may move, and no iterator is kept over a move.
template <class R>
class indexed_range {
  using difference = std::ranges::range_difference_t<R>;

 public:
  explicit indexed_range(R&& r) : range_(std::move(r)) {}
  bool at_end() { return here() == std::ranges::end(range_); }
  auto here() { return std::ranges::begin(range_) + at_; }
  void advance() { ++at_; }

 private:
  R range_;
  difference at_ = 0;
};

/// Any other range: it stays where its iterator expects it.
template <class R>
class boxed_range {
 public:
  explicit boxed_range(R&& r) : block_(std::make_unique<block>(std::move(r))) {}
  bool at_end() { return block_->at == std::ranges::end(block_->range); }
  auto& here() { return block_->at; }
  void advance() { ++block_->at; }

 private:
  struct block {
    explicit block(R&& r) : range(std::move(r)), at(std::ranges::begin(range)) {}
    R range;
    std::ranges::iterator_t<R> at;
  };
  std::unique_ptr<block> block_;
};

template <class R>
class [[nodiscard]] range_stream : public stream_base<range_stream<R>> {
  using T = std::ranges::range_value_t<R>;
  using elements =
      std::conditional_t<std::ranges::random_access_range<R>, indexed_range<R>, boxed_range<R>>;

 public:
  explicit range_stream(R&& r) : elements_(std::move(r)) {}
  next_polled<T> poll_next(context& cx) noexcept {
    next_polled<T> out(pending);
    if (!cx.proceed()) return out;
    catching(out, [&] {
      ended_ = ended_ || elements_.at_end();
      if (ended_)
        finish(out);
      else
        give_element(out);
    });
    return out;
  }
  bool is_terminated() const noexcept { return ended_; }

 private:
  void give_element(next_polled<T>& out) {
    struct advance_at_end {
      elements* of;
      ~advance_at_end() { of->advance(); }
    } guard{&elements_};
    if constexpr (std::ranges::view<R>)
      give(out, *elements_.here());
    else
      give(out, std::ranges::iter_move(elements_.here()));
  }

  elements elements_;
  bool ended_ = false;
};

/// One value, or none.
template <class T>
class [[nodiscard]] once_stream : public stream_base<once_stream<T>> {
 public:
  once_stream() noexcept = default;
  explicit once_stream(T&& value) : value_(std::move(value)) {}
  next_polled<T> poll_next(context&) noexcept {
    next_polled<T> out(pending);
    if (!value_) {
      finish(out);
    } else {
      catching(out, [&] { give(out, *std::move(value_)); });
      value_.reset();
    }
    return out;
  }
  bool is_terminated() const noexcept { return !value_; }

 private:
  std::optional<T> value_;
};

template <class T>
class [[nodiscard]] pending_stream : public stream_base<pending_stream<T>> {
 public:
  next_polled<T> poll_next(context&) noexcept { return pending; }
};

}}}  // namespace eddy::EDDY_ABI::detail
