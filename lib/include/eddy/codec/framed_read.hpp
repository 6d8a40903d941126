#pragma once

#include <type_traits>
#include <utility>

#include <eddy/codec/concepts.hpp>
#include <eddy/codec/detail/frame_reading.hpp>
#include <eddy/config.hpp>
#include <eddy/io/concepts.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace codec {

/// The frames that a decoder makes of a reader's bytes, as a stream: `framed_read(std::move(socket), lines(1024))`.
/// `R` is a reader by value, or a reference to one: `framed_read<net::tcp_stream&, lines>`.
///
/// It stays at its end once it has got there; `resume()` makes it go on. May be moved whenever it is not being
/// polled.
/// Threads: one task's at a time.
/// Cost: one block of 8 kB, which grows to the largest frame.
template <class R, decoder D>
  requires io::reader<R>
class [[nodiscard]] framed_read
    : public eddy::detail::frame_reading<framed_read<R, D>, std::remove_reference_t<R>, D> {
  using inner_type = std::remove_reference_t<R>;
  using reading = eddy::detail::frame_reading<framed_read, inner_type, D>;

 public:
  framed_read(R inner, D decoder) : inner_(std::forward<R>(inner)), decoder_(std::move(decoder)) {}
  /// With bytes that have been read already.
  framed_read(R inner, D decoder, byte_buffer read)
      : reading(std::move(read)), inner_(std::forward<R>(inner)), decoder_(std::move(decoder)) {}

  /// What it reads from. What is in the buffer is not there any more.
  inner_type& inner() noexcept { return inner_; }
  /// The decoder.
  D& decoder() noexcept { return decoder_; }
  /// Gives the reader back; what is in the buffer is lost.
  R into_inner() && {
    this->source_.stop();
    return std::forward<R>(inner_);
  }
  /// The same stream with the decoder `f(old decoder)`.
  template <class F>
  auto map_decoder(F f) && {
    using next = std::invoke_result_t<F, D>;
    return framed_read<R, next>(std::move(this->source_), std::forward<R>(inner_),
                                std::move(f)(std::move(decoder_)));
  }

 private:
  template <class R2, codec::decoder D2>
    requires io::reader<R2>
  friend class framed_read;
  framed_read(eddy::detail::frame_source<inner_type> source, R&& inner, D decoder)
      : reading(std::move(source)), inner_(std::forward<R>(inner)), decoder_(std::move(decoder)) {}

  R inner_;
  D decoder_;
};

template <class R, class D>
framed_read(R&&, D) -> framed_read<R, D>;
template <class R, class D>
framed_read(R&&, D, byte_buffer) -> framed_read<R, D>;

}}}  // namespace eddy::EDDY_ABI::codec
