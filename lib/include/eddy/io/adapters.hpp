#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/detail/step.hpp>

// Readers and writers made of others, or of nothing.

namespace eddy { inline namespace EDDY_ABI { namespace io {

/// The first `limit` bytes of `R`, and then the end. `R` by value or by reference, as everywhere here.
/// Cancel safety: that of `R`'s read.
template <class R>
  requires reader<R>
class take {
  class [[nodiscard]] read_leaf {
   public:
    read_leaf(take& t, buffer to) noexcept : of_(&t), to_(to) {}
    polled<result<std::size_t>> poll(context& cx) noexcept {
      if (of_->left_ == 0) return result<std::size_t>(0U);
      auto p = step_.poll(cx, [this] {
        const auto n = std::min<std::uint64_t>(to_.size(), of_->left_);
        return of_->inner_.read(buffer(to_.data(), static_cast<std::size_t>(n)));
      });
      if (!p) return pending;
      if (!p->has_value()) return result<std::size_t>(std::move(*p).error());
      of_->left_ -= **p;
      return result<std::size_t>(**p);
    }

   private:
    take* of_;
    buffer to_;
    eddy::detail::step<eddy::detail::read_of<R>> step_;
  };

 public:
  take(R inner, std::uint64_t limit) : inner_(std::forward<R>(inner)), left_(limit) {}
  read_leaf read(buffer to) noexcept { return read_leaf(*this, to); }
  /// How many bytes may still be read; can be set anew.
  std::uint64_t limit() const noexcept { return left_; }
  void set_limit(std::uint64_t n) noexcept { left_ = n; }
  /// What it reads from.
  std::remove_reference_t<R>& inner() noexcept { return inner_; }

 private:
  R inner_;
  std::uint64_t left_;
};
template <class R>
take(R&&, std::uint64_t) -> take<R>;

/// All of `A`, then all of `B`.
/// Cancel safety: that of their reads.
template <class A, class B>
  requires reader<A> && reader<B>
class chain {
  class [[nodiscard]] read_leaf {
   public:
    read_leaf(chain& c, buffer to) noexcept : of_(&c), to_(to) {}
    polled<result<std::size_t>> poll(context& cx) noexcept {
      if (!of_->first_ended_) {
        auto p = first_.poll(cx, [this] { return of_->first_.read(to_); });
        if (!p) return pending;
        if (!p->has_value()) return result<std::size_t>(std::move(*p).error());
        if (**p != 0 || to_.empty()) return result<std::size_t>(**p);
        of_->first_ended_ = true;
      }
      auto p = second_.poll(cx, [this] { return of_->second_.read(to_); });
      if (!p) return pending;
      if (!p->has_value()) return result<std::size_t>(std::move(*p).error());
      return result<std::size_t>(**p);
    }

   private:
    chain* of_;
    buffer to_;
    eddy::detail::step<eddy::detail::read_of<A>> first_;
    eddy::detail::step<eddy::detail::read_of<B>> second_;
  };

 public:
  chain(A first, B second) : first_(std::forward<A>(first)), second_(std::forward<B>(second)) {}
  read_leaf read(buffer to) noexcept { return read_leaf(*this, to); }
  /// What is read first.
  std::remove_reference_t<A>& first() noexcept { return first_; }
  /// What is read then.
  std::remove_reference_t<B>& second() noexcept { return second_; }

 private:
  A first_;
  B second_;
  bool first_ended_ = false;
};
template <class A, class B>
chain(A&&, B&&) -> chain<A, B>;

/// A reader and a writer as one stream.
template <class R, class W>
  requires reader<R> && writer<W>
class join {
 public:
  join(R r, W w) : reader_(std::forward<R>(r)), writer_(std::forward<W>(w)) {}
  auto read(buffer to) noexcept { return reader_.read(to); }
  auto write(const_buffer from) noexcept { return writer_.write(from); }
  auto flush() noexcept
    requires requires(std::remove_reference_t<W>& w) { w.flush(); }
  {
    return writer_.flush();
  }
  auto shutdown_write() noexcept
    requires requires(std::remove_reference_t<W>& w) { w.shutdown_write(); }
  {
    return writer_.shutdown_write();
  }
  /// What it reads from.
  std::remove_reference_t<R>& reader() noexcept { return reader_; }
  /// What it writes to.
  std::remove_reference_t<W>& writer() noexcept { return writer_; }

 private:
  R reader_;
  W writer_;
};
template <class R, class W>
join(R&&, W&&) -> join<R, W>;

namespace adapters_detail {

/// The answer of what never waits; it spends budget, so that a loop over it lets others run.
class [[nodiscard]] at_once {
 public:
  explicit at_once(std::size_t n) noexcept : n_(n) {}
  polled<result<std::size_t>> poll(context& cx) const noexcept {
    if (!cx.proceed()) return pending;
    return result<std::size_t>(n_);
  }

 private:
  std::size_t n_;
};

}  // namespace adapters_detail

/// At its end from the beginning, as a reader; takes everything, as a writer.
class empty {
 public:
  adapters_detail::at_once read(buffer) noexcept { return adapters_detail::at_once(0); }
  adapters_detail::at_once write(const_buffer from) noexcept {
    return adapters_detail::at_once(from.size());
  }
};

/// Takes everything and keeps nothing.
class sink {
 public:
  adapters_detail::at_once write(const_buffer from) noexcept {
    return adapters_detail::at_once(from.size());
  }
};

/// The same byte for ever.
class repeat {
  class [[nodiscard]] read_leaf {
   public:
    read_leaf(char b, buffer to) noexcept : byte_(b), to_(to) {}
    polled<result<std::size_t>> poll(context& cx) noexcept {
      if (!cx.proceed()) return pending;
      if (!to_.empty()) std::memset(to_.data(), byte_, to_.size());
      return result<std::size_t>(to_.size());
    }

   private:
    char byte_;
    buffer to_;
  };

 public:
  explicit repeat(char byte) noexcept : byte_(byte) {}
  read_leaf read(buffer to) noexcept { return read_leaf(byte_, to); }

 private:
  char byte_;
};

/// Reads from memory. A buffered reader: what it has is its buffer.
/// Lifetime: borrows the bytes.
class memory_reader {
  class [[nodiscard]] read_leaf {
   public:
    read_leaf(memory_reader& m, buffer to) noexcept : of_(&m), to_(to) {}
    polled<result<std::size_t>> poll(context& cx) noexcept {
      if (!cx.proceed()) return pending;
      const std::size_t n = std::min(to_.size(), of_->rest_.size());
      if (n != 0) std::memcpy(to_.data(), of_->rest_.data(), n);
      of_->consume(n);
      return result<std::size_t>(n);
    }

   private:
    memory_reader* of_;
    buffer to_;
  };
  class [[nodiscard]] fill_leaf {
   public:
    explicit fill_leaf(memory_reader& m) noexcept : of_(&m) {}
    polled<result<const_buffer>> poll(context& cx) noexcept {
      if (!cx.proceed()) return pending;
      return result<const_buffer>(of_->rest_);
    }

   private:
    memory_reader* of_;
  };

 public:
  explicit memory_reader(const_buffer bytes) noexcept : rest_(bytes) {}
  read_leaf read(buffer to) noexcept { return read_leaf(*this, to); }
  fill_leaf fill() noexcept { return fill_leaf(*this); }
  void consume(std::size_t n) noexcept {
    n = std::min(n, rest_.size());
    rest_ = const_buffer(static_cast<const char*>(rest_.data()) + n, rest_.size() - n);
  }
  /// What has not been read.
  const_buffer rest() const noexcept { return rest_; }

 private:
  const_buffer rest_;
};

/// Appends to a string. Lifetime: borrows it.
class memory_writer {
  class [[nodiscard]] write_leaf {
   public:
    write_leaf(std::string& to, const_buffer from) noexcept : to_(&to), from_(from) {}
    polled<result<std::size_t>> poll(context& cx) noexcept {
      if (!cx.proceed()) return pending;
      return eddy::detail::or_failed_move<std::size_t, error>(
          [this]() -> polled<result<std::size_t>> {
            make_room();
            to_->append(static_cast<const char*>(from_.data()), from_.size());
            return result<std::size_t>(from_.size());
          });
    }

   private:
    // A string cannot grow in place: by four, what is there is copied a third as often as by two.
    void make_room() {
      const auto least = to_->size() + from_.size();
      if (to_->capacity() < least) to_->reserve(std::max(least, to_->capacity() * 4));
    }

    std::string* to_;
    const_buffer from_;
  };

 public:
  explicit memory_writer(std::string& to) noexcept : to_(&to) {}
  write_leaf write(const_buffer from) noexcept { return write_leaf(*to_, from); }

 private:
  std::string* to_;
};

}}}  // namespace eddy::EDDY_ABI::io
