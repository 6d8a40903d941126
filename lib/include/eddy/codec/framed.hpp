#pragma once

#include <type_traits>
#include <utility>

#include <eddy/codec/concepts.hpp>
#include <eddy/codec/detail/frame_reading.hpp>
#include <eddy/codec/detail/frame_writing.hpp>
#include <eddy/codec/framed_read.hpp>
#include <eddy/codec/framed_write.hpp>
#include <eddy/config.hpp>
#include <eddy/io/concepts.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace codec {

/// What a `framed` is made of, with the bytes that are in it.
template <class S, class C>
struct framed_parts {
  framed_parts(S stream, C coder) : inner(std::forward<S>(stream)), codec(std::move(coder)) {}

  S inner;                   ///< the stream
  C codec;                   ///< the codec
  byte_buffer read_buffer;   ///< read and not decoded
  byte_buffer write_buffer;  ///< encoded and not written
};

/// A stream of bytes seen as frames both ways: reads as `framed_read` does, writes as `framed_write` does, with one
/// codec: `framed peer(std::move(socket), lines(1024));`.
///
/// Two tasks that want a way each split the stream of bytes first (`io::split`, `tcp_stream::split`) and put a
/// `framed_read` and a `framed_write` on the halves.
/// Threads: one task's at a time.
/// Cost: two blocks of 8 kB, which grow to the largest frame.
template <class S, decoder C>
  requires io::reader<S> && io::writer<S>
class [[nodiscard]] framed
    : public eddy::detail::frame_reading<framed<S, C>, std::remove_reference_t<S>, C>,
      public eddy::detail::frame_writing<framed<S, C>, std::remove_reference_t<S>, C> {
  using inner_type = std::remove_reference_t<S>;
  using reading = eddy::detail::frame_reading<framed, inner_type, C>;
  using writing = eddy::detail::frame_writing<framed, inner_type, C>;

 public:
  framed(S inner, C codec) : inner_(std::forward<S>(inner)), codec_(std::move(codec)) {}
  explicit framed(framed_parts<S, C> parts)
      : reading(std::move(parts.read_buffer)),
        writing(std::move(parts.write_buffer)),
        inner_(std::forward<S>(parts.inner)),
        codec_(std::move(parts.codec)) {}

  /// The stream of bytes. What has been read is not there any more, what is held back is not there yet.
  inner_type& inner() noexcept { return inner_; }
  /// The codec.
  C& codec() noexcept { return codec_; }
  /// Gives the stream back; what is in the buffers is lost.
  S into_inner() && {
    this->source_.stop();
    return std::forward<S>(inner_);
  }
  /// Gives everything back.
  framed_parts<S, C> into_parts() && {
    byte_buffer read = std::move(this->read_buffer());
    framed_parts<S, C> parts(std::forward<S>(inner_), std::move(codec_));
    parts.read_buffer = std::move(read);
    parts.write_buffer = std::move(this->out_);
    return parts;
  }
  /// The same stream with the codec `f(old codec)`.
  template <class F>
  auto map_codec(F f) && {
    using next = std::invoke_result_t<F, C>;
    return framed<S, next>(std::move(this->source_), std::move(this->out_), this->boundary_,
                           std::forward<S>(inner_), std::move(f)(std::move(codec_)));
  }

 private:
  friend reading;
  friend writing;
  template <class S2, codec::decoder C2>
    requires io::reader<S2> && io::writer<S2>
  friend class framed;
  framed(eddy::detail::frame_source<inner_type> source, byte_buffer out, std::size_t boundary,
         S&& inner, C codec)
      : reading(std::move(source)),
        writing(std::move(out), boundary),
        inner_(std::forward<S>(inner)),
        codec_(std::move(codec)) {}
  C& decoder() noexcept { return codec_; }
  C& encoder() noexcept { return codec_; }

  S inner_;
  C codec_;
};

template <class S, class C>
framed(S&&, C) -> framed<S, C>;

}}}  // namespace eddy::EDDY_ABI::codec
