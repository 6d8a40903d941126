#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/codec/concepts.hpp>
#include <eddy/codec/detail/frame_reading.hpp>
#include <eddy/codec/detail/frame_writing.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/detail/step.hpp>
#include <eddy/net/datagram_socket.hpp>
#include <eddy/stream/stream.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace codec {
template <class S, decoder C>
class udp_framed;
}

namespace detail {

template <class S>
using recv_from_of = decltype(std::declval<S&>().recv_from(std::declval<io::buffer>()));
template <class S>
using sender_of = std::remove_cvref_t<decltype(branch<recv_from_of<S>>::value_type::from)>;

/// Encodes a frame and sends it as one datagram.
template <class U, class S, class F>
class [[nodiscard]] send_frame_leaf {
  using address = sender_of<S>;

 public:
  template <class A>
  send_frame_leaf(U& u, A&& frame, const address& to)
      : of_(&u), frame_(std::forward<A>(frame)), to_(to) {}
  polled<result<void>> poll(context& cx) noexcept {
    if (!encoded_) {
      of_->out_.clear();
      auto done = encode_whole(of_->codec(), static_cast<F&&>(frame_), of_->out_);
      if (!done) return done;
      encoded_ = true;
    }
    auto p = send_.poll(cx, [this] { return of_->inner().send_to(of_->out_, to_); });
    if (!p) return pending;
    if (!p->has_value()) return result<void>(std::move(*p).error());
    if (**p != of_->out_.size())
      return result<void>(error(errc::unexpected_end, "send_to", "a datagram sent in part"));
    return result<void>();
  }

 private:
  U* of_;
  F frame_;
  address to_;
  step<decltype(std::declval<S&>().send_to(std::declval<io::const_buffer>(),
                                           std::declval<const address&>()))>
      send_;
  bool encoded_ = false;
};

}  // namespace detail

namespace codec {

/// Frames in datagrams: a stream of pairs of a frame and its sender, `send(frame, to)` the other way. `S` is a
/// `udp_socket` (a `unix_datagram` will do) by value or by reference; several may borrow one socket.
///
/// A datagram may hold several frames, and none reaches over its end. One that is longer than 64 kB is cut off.
/// Errors: a datagram that cannot be decoded is one failure, or one a frame if the codec resynchronises. The stream
/// goes on behind any failure, and has no end.
/// Threads: one task's at a time.
/// Cost: one block of 64 kB, and one for the frames that are sent.
template <class S, decoder C>
class [[nodiscard]] udp_framed : public stream_base<udp_framed<S, C>> {
  using socket = std::remove_reference_t<S>;
  using address = eddy::detail::sender_of<socket>;
  using value = std::pair<frame_of<C>, address>;

 public:
  udp_framed(S inner, C codec)
      : inner_(std::forward<S>(inner)), codec_(std::move(codec)), in_(longest) {}
  udp_framed(udp_framed&& other) noexcept(std::is_nothrow_move_constructible_v<C>)
      : inner_((other.receive_.reset(), std::forward<S>(other.inner_))),
        codec_(std::move(other.codec_)),
        in_(std::move(other.in_)),
        out_(std::move(other.out_)),
        from_(other.from_) {}
  udp_framed& operator=(udp_framed&&) = delete;

  /// Waits for the next frame: `auto got = co_await framed.next(); use(got->first, got->second);`
  /// Cancel safety: nothing is lost.
  /// Lifetime: borrows the stream.
  eddy::detail::next_frame_leaf<udp_framed> next() noexcept {
    return eddy::detail::next_frame_leaf<udp_framed>(*this);
  }
  eddy::detail::next_polled<value> poll_next(context& cx) noexcept {
    eddy::detail::next_polled<value> out(pending);
    for (bool paid = false; !out; paid = true) {
      if (from_) {
        if (!paid && !cx.proceed()) break;  // receiving has paid for the first
        eddy::detail::catching(out, [&] { decode(out); });
        if (out && !out->has_value() && !eddy::detail::resynchronises_v<C>) from_.reset();
        continue;
      }
      in_.clear();
      auto p = receive_.poll(cx, [this] { return inner_.recv_from(in_.prepare(0)); });
      if (!p) break;
      if (!p->has_value()) {
        eddy::detail::fail(out, std::move(*p).error());
        break;
      }
      in_.commit((**p).size);
      from_ = (**p).from;
    }
    return out;
  }

  /// Sends a frame as one datagram.
  ///
  /// Cancel safety: dropped before the await went on, nothing was sent.
  /// Lifetime: borrows the stream, and a frame that is an lvalue.
  template <class F>
    requires encoder<C, F>
  auto send(F&& frame, const address& to) {
    using held = std::conditional_t<std::is_lvalue_reference_v<F>, F, std::decay_t<F>>;
    return eddy::detail::send_frame_leaf<udp_framed, socket, held>(*this, std::forward<F>(frame),
                                                                   to);
  }

  /// The socket.
  socket& inner() noexcept { return inner_; }
  /// The codec.
  C& codec() noexcept { return codec_; }
  /// Gives the socket back; frames of a datagram that has come are lost.
  S into_inner() && {
    receive_.reset();
    return std::forward<S>(inner_);
  }

 private:
  static constexpr std::size_t longest = 65536;
  template <class, class, class>
  friend class eddy::detail::send_frame_leaf;
  friend eddy::detail::next_frame_leaf<udp_framed>;
  void stop_reading() noexcept { receive_.reset(); }
  void decode(eddy::detail::next_polled<value>& out) {
    auto r = eddy::detail::decode_last(codec_, in_);
    if (!r.has_value())
      eddy::detail::fail(out, std::move(r).error());
    else if (*r)
      eddy::detail::give(out, *std::move(*r), *from_);
    else
      from_.reset();
  }

  S inner_;
  C codec_;
  byte_buffer in_;
  byte_buffer out_;
  std::optional<address> from_;  // of the datagram that is being decoded
  eddy::detail::step<eddy::detail::recv_from_of<socket>> receive_;
};

template <class S, class C>
udp_framed(S&&, C) -> udp_framed<S, C>;

}  // namespace codec

}}  // namespace eddy::EDDY_ABI
