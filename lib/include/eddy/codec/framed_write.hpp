#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <eddy/codec/concepts.hpp>
#include <eddy/codec/detail/frame_writing.hpp>
#include <eddy/config.hpp>
#include <eddy/io/concepts.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace codec {

/// Writes the frames it is given, as the bytes an encoder makes of them: `framed_write(std::move(socket), lines())`.
/// `W` is a writer by value, or a reference to one. What is not flushed when this is destroyed is lost.
///
/// Threads: one task's at a time.
/// Cost: one block of 8 kB, which grows to the largest frame.
template <class W, class E>
  requires io::writer<W>
class [[nodiscard]] framed_write
    : public eddy::detail::frame_writing<framed_write<W, E>, std::remove_reference_t<W>, E> {
  using inner_type = std::remove_reference_t<W>;
  using writing = eddy::detail::frame_writing<framed_write, inner_type, E>;

 public:
  framed_write(W inner, E encoder) : inner_(std::forward<W>(inner)), encoder_(std::move(encoder)) {}

  /// What it writes to. What is held back is not there yet.
  inner_type& inner() noexcept { return inner_; }
  /// The encoder.
  E& encoder() noexcept { return encoder_; }
  /// Gives the writer back; what is held back is lost.
  W into_inner() && { return std::forward<W>(inner_); }
  /// The same with the encoder `f(old encoder)`.
  template <class F>
  auto map_encoder(F f) && {
    using next = std::invoke_result_t<F, E>;
    return framed_write<W, next>(std::move(this->out_), this->boundary_, std::forward<W>(inner_),
                                 std::move(f)(std::move(encoder_)));
  }

 private:
  template <class W2, class E2>
    requires io::writer<W2>
  friend class framed_write;
  framed_write(byte_buffer out, std::size_t boundary, W&& inner, E encoder)
      : writing(std::move(out), boundary),
        inner_(std::forward<W>(inner)),
        encoder_(std::move(encoder)) {}

  W inner_;
  E encoder_;
};

template <class W, class E>
framed_write(W&&, E) -> framed_write<W, E>;

}}}  // namespace eddy::EDDY_ABI::codec
