#pragma once
// The writing side of framed and framed_write.
//
// I1  A frame is encoded into the buffer whole, and bytes leave the buffer as the writer takes them. So whatever is
//     dropped, frames are never torn, nor written twice: what is left goes with the next flush.
//
// Threads: one task's at a time.

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/codec/concepts.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/detail/flush_step.hpp>
#include <eddy/io/detail/step.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Appends a frame to the buffer, or nothing.
template <class E, class F>
result<void> encode_whole(E& encoder, F&& frame, codec::byte_buffer& out) noexcept {
  const std::size_t before = out.size();
#if EDDY_EXCEPTIONS
  try {
#endif
    auto done = encoder.encode(std::forward<F>(frame), out);
    if (!done) out.truncate(before);
    return done;
#if EDDY_EXCEPTIONS
  } catch (...) {
    out.truncate(before);
    return error::current_exception();
  }
#endif
}

/// Passes on all that a buffer holds, and flushes the writer.
template <class W>
class drain {
 public:
  polled<result<void>> poll(context& cx, codec::byte_buffer& out, W& to) noexcept {
    while (!out.empty() || write_.running()) {
      auto p = write_.poll(cx, [&] { return to.write(out); });
      if (!p) return pending;
      if (!p->has_value()) return result<void>(to_error(std::move(*p).error()));
      const auto n = static_cast<std::size_t>(**p);
      if (n == 0) return result<void>(error(errc::closed, "write", "a writer took no bytes"));
      out.consume(n);
    }
    return flush_.poll(cx, to);
  }

 private:
  step<write_of<W>> write_;
  [[no_unique_address]] flush_step<W> flush_;
};

/// Waits until everything has been passed on; then `Close` ends the write side.
template <class S, class W, bool Close>
class [[nodiscard]] flush_frames_leaf {
 public:
  explicit flush_frames_leaf(S& s) noexcept : of_(&s) {}
  polled<result<void>> poll(context& cx) noexcept {
    auto p = drain_.poll(cx, of_->out_, of_->sink());
    if constexpr (Close && requires(W& w) { w.shutdown_write(); })
      if (p && p->has_value()) return of_->sink().shutdown_write();
    return p;
  }

 private:
  S* of_;
  drain<W> drain_;
};

/// Waits for room, then encodes a frame, which it holds or borrows; a `Send` passes it on at once.
template <class S, class W, class F, bool Send>
class [[nodiscard]] put_frame_leaf {
 public:
  template <class... A>
  explicit put_frame_leaf(S& s, A&&... frame) : of_(&s), frame_(std::forward<A>(frame)...) {}
  polled<result<void>> poll(context& cx) noexcept {
    if (!taken_) {
      if (of_->out_.size() >= of_->boundary_) {
        auto p = drain_.poll(cx, of_->out_, of_->sink());
        if (!p || !p->has_value()) return p;
      }
      if (!cx.proceed()) return pending;
      taken_ = true;
      auto done = encode_whole(of_->coder(), static_cast<F&&>(frame_), of_->out_);
      if (!done || !Send) return done;
    }
    return drain_.poll(cx, of_->out_, of_->sink());
  }

 private:
  S* of_;
  F frame_;
  drain<W> drain_;
  bool taken_ = false;
};

/// What `framed` and `framed_write` have in common. `Self` has `inner()` and `encoder()`.
template <class Self, class W, class E>
class frame_writing {
  // A frame given by name is borrowed, any other is moved into the leaf.
  template <class F>
  using held = std::conditional_t<std::is_lvalue_reference_v<F>, F, std::decay_t<F>>;
  template <class F, bool Send>
  using put = put_frame_leaf<frame_writing, W, held<F>, Send>;

 public:
  /// Takes a frame, and passes it on with all that was held back.
  ///
  /// Cancel safety: dropped before there was room, the frame is not taken; later it is, whole, and goes with the
  /// next flush.
  /// Lifetime: borrows the stream, and a frame that is an lvalue.
  /// Errors: those of the encoder, which leave nothing of the frame, and of the writer.
  template <class F>
    requires codec::encoder<E, F>
  put<F, true> send(F&& frame) {
    return put<F, true>(*this, std::forward<F>(frame));
  }
  /// Takes a frame and holds it back, for a flush or a send to pass it on. Once much is held back (see
  /// `set_backpressure_boundary`) it waits until that has been passed on.
  ///
  /// Cancel safety: dropped while it waits, the frame is not taken.
  /// Lifetime, Errors: as `send`.
  template <class F>
    requires codec::encoder<E, F>
  put<F, false> feed(F&& frame) {
    return put<F, false>(*this, std::forward<F>(frame));
  }
  /// Sends a frame of type F that is made of these: what g++ 12 can do with an aggregate inside a co_await.
  /// Cancel safety, Lifetime, Errors: as `send`.
  template <class F, class... A>
    requires codec::encoder<E, F>
  put<F, true> emplace(A&&... parts) {
    return put<F, true>(*this, std::forward<A>(parts)...);
  }
  /// Passes on all that is held back, and flushes the writer.
  /// Cancel safety: nothing is lost or written twice: the next flush goes on.
  flush_frames_leaf<frame_writing, W, false> flush() noexcept {
    return flush_frames_leaf<frame_writing, W, false>(*this);
  }
  /// The same, and ends the write side of a stream that has one to end.
  /// Cancel safety: as `flush`.
  flush_frames_leaf<frame_writing, W, true> close() noexcept {
    return flush_frames_leaf<frame_writing, W, true>(*this);
  }

  /// What is held back.
  codec::byte_buffer& write_buffer() noexcept { return out_; }
  /// So many bytes held back make the next `feed` or `send` wait until they are passed on: 8 kB at first.
  void set_backpressure_boundary(std::size_t bytes) noexcept { boundary_ = bytes; }
  std::size_t backpressure_boundary() const noexcept { return boundary_; }

 protected:
  frame_writing() : out_(frame_block) {}
  explicit frame_writing(codec::byte_buffer out) noexcept : out_(std::move(out)) {}
  frame_writing(codec::byte_buffer out, std::size_t boundary) noexcept
      : out_(std::move(out)), boundary_(boundary) {}
  frame_writing(frame_writing&&) = default;
  frame_writing& operator=(frame_writing&&) = default;
  ~frame_writing() = default;

  codec::byte_buffer out_;
  std::size_t boundary_ = frame_block;

 private:
  template <class, class, bool>
  friend class flush_frames_leaf;
  template <class, class, class, bool>
  friend class put_frame_leaf;
  W& sink() noexcept { return static_cast<Self&>(*this).inner(); }
  E& coder() noexcept { return static_cast<Self&>(*this).encoder(); }
};

}}}  // namespace eddy::EDDY_ABI::detail
