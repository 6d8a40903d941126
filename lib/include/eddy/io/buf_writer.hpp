#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/detail/flush_step.hpp>
#include <eddy/io/detail/step.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace io {

/// Collects small writes and passes them on to `W` in large ones. `W` is a writer by value, or a reference to
/// one. `flush()` passes on what is held back, and flushes `W`; what is not flushed when this is destroyed is lost.
///
/// Cancel safety: nothing is lost and nothing is written twice: a write that is dropped has taken nothing, and a
/// flush goes on where it was.
/// Lifetime: an operation borrows it; do not move it meanwhile.
/// Cost: one block for the buffer.
template <class W>
  requires writer<W>
class buf_writer {
  class passing_on {
   public:
    explicit passing_on(buf_writer& b) noexcept : of_(&b) {}
    polled<result<void>> poll(context& cx) noexcept {
      while (!of_->buffered().empty()) {
        auto p = step_.poll(cx, [this] { return of_->inner_.write(of_->buffered()); });
        if (!p) return pending;
        if (!p->has_value()) return result<void>(std::move(*p).error());
        if (**p == 0) return result<void>(error(errc::closed, "write", "a writer took no bytes"));
        of_->written(**p);
      }
      return result<void>();
    }

   private:
    buf_writer* of_;
    eddy::detail::step<eddy::detail::write_of<W>> step_;
  };
  class [[nodiscard]] flush_leaf {
   public:
    explicit flush_leaf(buf_writer& b) noexcept : of_(&b) {}
    polled<result<void>> poll(context& cx) noexcept {
      auto p = passing_on_.poll(cx);
      if (!p || !p->has_value()) return p;
      return flush_.poll(cx, of_->inner_);
    }

   private:
    buf_writer* of_;
    passing_on passing_on_{*of_};
    [[no_unique_address]] eddy::detail::flush_step<std::remove_reference_t<W>> flush_;
  };
  class [[nodiscard]] write_leaf {
   public:
    write_leaf(buf_writer& b, const_buffer from) noexcept : of_(&b), from_(from) {}
    polled<result<std::size_t>> poll(context& cx) noexcept {
      if (!step_.running() && from_.size() > of_->room()) {
        auto p = passing_on_.poll(cx);
        if (!p) return pending;
        if (!p->has_value()) return result<std::size_t>(std::move(*p).error());
      }
      if (!step_.running() && from_.size() < of_->capacity_) {
        if (!cx.proceed()) return pending;
        of_->keep(from_);
        return result<std::size_t>(from_.size());
      }
      auto p = step_.poll(cx, [this] { return of_->inner_.write(from_); });
      if (!p) return pending;
      if (!p->has_value()) return result<std::size_t>(std::move(*p).error());
      return result<std::size_t>(**p);
    }

   private:
    buf_writer* of_;
    const_buffer from_;
    passing_on passing_on_{*of_};
    eddy::detail::step<eddy::detail::write_of<W>> step_;
  };

 public:
  /// Bytes of the buffer, if nothing is said.
  static constexpr std::size_t default_capacity = 8192;

  explicit buf_writer(W inner, std::size_t capacity = default_capacity)
      : inner_(std::forward<W>(inner)),
        data_(new char[std::max<std::size_t>(capacity, 1)]),
        capacity_(std::max<std::size_t>(capacity, 1)) {}

  /// Takes all of `from` if it is smaller than the buffer; a larger one goes past it.
  write_leaf write(const_buffer from) noexcept { return write_leaf(*this, from); }
  /// Passes on what is held back, and flushes the inner writer if it has a flush.
  flush_leaf flush() noexcept { return flush_leaf(*this); }
  /// What is held back.
  const_buffer buffered() const noexcept {
    return const_buffer(data_.get() + first_, end_ - first_);
  }
  /// What it writes to. What is held back is not there yet.
  std::remove_reference_t<W>& inner() noexcept { return inner_; }
  /// Gives the inner writer back; what is held back is lost.
  W into_inner() && { return std::forward<W>(inner_); }

  // Reads go through, so that a stream may be written with a buffer and read without one.
  auto read(buffer to) noexcept
    requires reader<W>
  {
    return inner_.read(to);
  }
  /// Ends the inner stream's write side; flush before.
  auto shutdown_write() noexcept
    requires requires(std::remove_reference_t<W>& w) { w.shutdown_write(); }
  {
    return inner_.shutdown_write();
  }

 private:
  std::size_t room() const noexcept { return capacity_ - end_; }
  void keep(const_buffer from) noexcept {
    if (from.size() != 0) std::memcpy(data_.get() + end_, from.data(), from.size());
    end_ += from.size();
  }
  void written(std::size_t n) noexcept {
    first_ += n;
    if (first_ == end_) first_ = end_ = 0;
  }

  W inner_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_;
  std::size_t first_ = 0;
  std::size_t end_ = 0;
};

template <class W>
buf_writer(W&&) -> buf_writer<W>;
template <class W>
buf_writer(W&&, std::size_t) -> buf_writer<W>;

}}}  // namespace eddy::EDDY_ABI::io
