#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/detail/step.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace io {

/// Reads from `R` in large pieces and hands them out in small ones. `R` is a reader by value, or a reference to
/// one: `buf_reader<tcp_stream&>`.
///
/// Cancel safety: nothing is lost: what was read is in the buffer.
/// Lifetime: an operation borrows it; do not move it meanwhile.
/// Cost: one block for the buffer.
template <class R>
  requires reader<R>
class buf_reader {
  class [[nodiscard]] fill_leaf {
   public:
    explicit fill_leaf(buf_reader& b) noexcept : of_(&b) {}
    polled<result<const_buffer>> poll(context& cx) noexcept {
      if (!of_->buffered().empty()) {
        if (!cx.proceed()) return pending;
        return result<const_buffer>(of_->buffered());
      }
      auto p = step_.poll(cx, [this] { return of_->inner_.read(of_->whole()); });
      if (!p) return pending;
      if (!p->has_value()) return result<const_buffer>(std::move(*p).error());
      of_->first_ = 0;
      of_->end_ = **p;
      return result<const_buffer>(of_->buffered());
    }

   private:
    buf_reader* of_;
    eddy::detail::step<eddy::detail::read_of<R>> step_;
  };
  class [[nodiscard]] read_leaf {
   public:
    read_leaf(buf_reader& b, buffer to) noexcept : of_(&b), to_(to) {}
    polled<result<std::size_t>> poll(context& cx) noexcept {
      if (to_.empty()) return result<std::size_t>(0U);
      // What would fill the buffer anyway goes past it.
      if (step_.running() || (of_->buffered().empty() && to_.size() >= of_->capacity_)) {
        auto p = step_.poll(cx, [this] { return of_->inner_.read(to_); });
        if (!p) return pending;
        if (!p->has_value()) return result<std::size_t>(std::move(*p).error());
        return result<std::size_t>(**p);
      }
      auto p = fill_.poll(cx);
      if (!p) return pending;
      if (!p->has_value()) return result<std::size_t>(std::move(*p).error());
      const std::size_t n = std::min((**p).size(), to_.size());
      if (n != 0) std::memcpy(to_.data(), (**p).data(), n);
      of_->consume(n);
      return result<std::size_t>(n);
    }

   private:
    buf_reader* of_;
    buffer to_;
    fill_leaf fill_{*of_};
    eddy::detail::step<eddy::detail::read_of<R>> step_;
  };

 public:
  /// Bytes of the buffer, if nothing is said.
  static constexpr std::size_t default_capacity = 8192;

  explicit buf_reader(R inner, std::size_t capacity = default_capacity)
      : inner_(std::forward<R>(inner)),
        data_(new char[std::max<std::size_t>(capacity, 1)]),
        capacity_(std::max<std::size_t>(capacity, 1)) {}

  read_leaf read(buffer to) noexcept { return read_leaf(*this, to); }
  /// What is in the buffer, after reading some if it is empty; nothing at the end of the stream. Borrowed until
  /// the next operation.
  fill_leaf fill() noexcept { return fill_leaf(*this); }
  /// Takes the first `n` bytes out of the buffer, at most what is in it.
  void consume(std::size_t n) noexcept { first_ += std::min(n, end_ - first_); }
  /// What is in the buffer, without reading.
  const_buffer buffered() const noexcept {
    return const_buffer(data_.get() + first_, end_ - first_);
  }
  /// What it reads from. What was read ahead is not there any more.
  std::remove_reference_t<R>& inner() noexcept { return inner_; }
  /// Gives the inner reader back; what is in the buffer is lost.
  R into_inner() && { return std::forward<R>(inner_); }

  // Writes go through, so that a stream may be read with a buffer and written without one.
  auto write(const_buffer from) noexcept
    requires writer<R>
  {
    return inner_.write(from);
  }
  auto flush() noexcept
    requires requires(std::remove_reference_t<R>& r) { r.flush(); }
  {
    return inner_.flush();
  }
  auto shutdown_write() noexcept
    requires requires(std::remove_reference_t<R>& r) { r.shutdown_write(); }
  {
    return inner_.shutdown_write();
  }

 private:
  buffer whole() noexcept { return buffer(data_.get(), capacity_); }

  R inner_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_;
  std::size_t first_ = 0;
  std::size_t end_ = 0;
};

template <class R>
buf_reader(R&&) -> buf_reader<R>;
template <class R>
buf_reader(R&&, std::size_t) -> buf_reader<R>;

}}}  // namespace eddy::EDDY_ABI::io
