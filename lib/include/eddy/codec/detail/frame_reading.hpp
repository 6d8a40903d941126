#pragma once
// The reading side of framed and framed_read.
//
// I1  The buffer's room is lent to the read that runs; nothing touches the buffer before that read has ended or is
//     dropped. A dropped read has taken nothing, so frames are never torn.
// I2  The read lives while the stream waits; a move of the stream, or the end of the `next()` that waits, drops it.
//
// Threads: one task's at a time.

#include <algorithm>
#include <cstddef>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/codec/concepts.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/detail/step.hpp>
#include <eddy/stream/stream.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Bytes of a reader on their way to a decoder.
template <class R>
class frame_source {
 public:
  frame_source() : in_(frame_block) {}
  explicit frame_source(codec::byte_buffer in) : in_(std::move(in)), undecoded_(!in_.empty()) {
    if (in_.capacity() < frame_block) in_.reserve(frame_block - in_.size());
  }
  frame_source(frame_source&& other) noexcept
      : in_((other.read_.reset(), std::move(other.in_))),
        undecoded_(other.undecoded_),
        at_end_(other.at_end_),
        ended_(other.ended_) {}
  frame_source& operator=(frame_source&& other) noexcept {
    read_.reset();
    other.read_.reset();
    in_ = std::move(other.in_);
    undecoded_ = other.undecoded_;
    at_end_ = other.at_end_;
    ended_ = other.ended_;
    return *this;
  }

  template <class D>
  next_polled<codec::frame_of<D>> poll(context& cx, R& from, D& decoder) noexcept {
    next_polled<codec::frame_of<D>> out(pending);
    for (bool paid = false;; paid = true) {
      if (ended_) {
        finish(out);
        return out;
      }
      if (undecoded_) {
        if (!paid && !cx.proceed()) return out;  // a read has paid for what it brings
        catching(out, [&] { decode(out, decoder); });
        if (out) return out;
        if (ended_) continue;
      }
      error failed;
      if (!read(cx, from, failed)) return out;
      if (failed) {
        ended_ = true;
        fail(out, std::move(failed));
        return out;
      }
    }
  }
  void stop() noexcept { read_.reset(); }
  bool ended() const noexcept { return ended_; }
  void resume() noexcept {
    ended_ = at_end_ = false;
    undecoded_ = !in_.empty();
  }
  codec::byte_buffer& buffer() noexcept {
    stop();
    return in_;
  }

 private:
  template <class T, class D>
  void decode(next_polled<T>& out, D& decoder) {
    ended_ = !resynchronises_v<D>;  // unless it succeeds
    auto r = at_end_ ? decode_last(decoder, in_) : decoder.decode(in_);
    if (!r.has_value()) return fail(out, std::move(r).error());
    ended_ = at_end_ && !*r;
    undecoded_ = r->has_value();
    if (*r) give(out, *std::move(*r));
  }
  /// False while it waits.
  bool read(context& cx, R& from, error& failed) noexcept {
    io::buffer room;
    if (!read_.running()) {
      next_polled<int> grown(pending);
      catching(grown, [&] { room = in_.prepare(std::max<std::size_t>(in_.capacity() / 4, 1)); });
      if (grown) {
        failed = std::move(*grown).error();
        return true;
      }
    }
    auto p = read_.poll(cx, [&] { return from.read(room); });
    if (!p) return false;
    if (!p->has_value()) {
      failed = to_error(std::move(*p).error());
      return true;
    }
    const auto n = static_cast<std::size_t>(**p);
    in_.commit(n);
    at_end_ = n == 0;
    undecoded_ = true;
    return true;
  }

  codec::byte_buffer in_;
  step<read_of<R>> read_;
  bool undecoded_ = false;  // there may be a frame in the buffer
  bool at_end_ = false;     // no more bytes will come
  bool ended_ = false;
};

/// Waits for the next frame; takes its read along when it is dropped.
template <class S>
class [[nodiscard]] next_frame_leaf {
 public:
  explicit next_frame_leaf(S& s) noexcept : of_(&s) {}
  next_frame_leaf(next_frame_leaf&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
  next_frame_leaf& operator=(next_frame_leaf&&) = delete;
  ~next_frame_leaf() {
    if (of_ != nullptr) of_->stop_reading();
  }
  auto poll(context& cx) noexcept { return of_->poll_next(cx); }

 private:
  S* of_;
};

/// What `framed` and `framed_read` have in common. `Self` has `inner()` and `decoder()`.
template <class Self, class R, class D>
class frame_reading : public stream_base<Self> {
 public:
  /// Waits for the next frame; nothing at the end: `while (auto frame = co_await frames.next()) use(*frame);`.
  ///
  /// Cancel safety: nothing is lost: what has been read is in the buffer.
  /// Lifetime: borrows the stream.
  /// Errors: those of the reader and of the decoder. Behind a failure a decoder that resynchronises goes on with the
  /// frame after it; otherwise the stream is at its end.
  next_frame_leaf<Self> next() noexcept { return next_frame_leaf<Self>(self()); }
  next_polled<codec::frame_of<D>> poll_next(context& cx) noexcept {
    return source_.poll(cx, self().inner(), self().decoder());
  }
  bool is_terminated() const noexcept { return source_.ended(); }
  /// Goes on behind the end, or behind a failure: what is in the buffer is decoded, and then more is read.
  void resume() noexcept { source_.resume(); }
  /// What has been read and is not decoded yet.
  codec::byte_buffer& read_buffer() noexcept { return source_.buffer(); }

 protected:
  frame_reading() = default;
  explicit frame_reading(codec::byte_buffer in) : source_(std::move(in)) {}
  explicit frame_reading(frame_source<R> source) noexcept : source_(std::move(source)) {}
  frame_reading(frame_reading&&) = default;
  frame_reading& operator=(frame_reading&&) = default;
  ~frame_reading() = default;

  frame_source<R> source_;

 private:
  friend next_frame_leaf<Self>;
  void stop_reading() noexcept { source_.stop(); }
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

}}}  // namespace eddy::EDDY_ABI::detail
