#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

template <class>
inline constexpr bool is_decoded_v = false;
template <class T>
inline constexpr bool is_decoded_v<result<std::optional<T>>> = true;
template <class R>
concept decoded = is_decoded_v<R>;

template <class D>
using decode_result = decltype(std::declval<D&>().decode(std::declval<codec::byte_buffer&>()));

}  // namespace detail

namespace codec {

/// Makes frames of bytes: `decode(byte_buffer&) -> result<std::optional<T>>` takes one frame out of the front of the
/// buffer, or answers nothing when it wants more bytes; then it is called again when there are some.
///
/// It may have two more things:
/// - `decode_eof(byte_buffer&)`, of the same type, is called instead when there will be no more bytes, until it
///   answers nothing. Without it bytes that make no frame are an error.
/// - `static constexpr bool resynchronises = true` says that it can go on behind a failure. Otherwise its stream
///   ends there.
///
/// What it throws is a failure too.
template <class D>
concept decoder = requires(D& d, byte_buffer& from) {
  { d.decode(from) } -> eddy::detail::decoded;
};

/// The frames a decoder makes.
template <decoder D>
using frame_of = typename eddy::detail::decode_result<D>::value_type::value_type;

/// Makes bytes of frames of type F: `encode(frame, byte_buffer&) -> result<void>` appends them to the buffer. If it
/// fails or throws, what it has appended is cut off again.
template <class E, class F>
concept encoder = requires(E& e, F&& frame, byte_buffer& to) {
  { e.encode(std::forward<F>(frame), to) } -> std::same_as<result<void>>;
};

}  // namespace codec

namespace detail {

template <class D>
inline constexpr bool resynchronises_v = requires { requires D::resynchronises; };

/// What is left at the end of the stream.
template <class D>
decode_result<D> decode_last(D& d, codec::byte_buffer& from) {
  if constexpr (requires { d.decode_eof(from); }) {
    return d.decode_eof(from);
  } else {
    auto r = d.decode(from);
    if (r.has_value() && !*r && !from.empty())
      return error(errc::unexpected_end, "decode", "bytes that make no frame");
    return r;
  }
}

/// What a stream of frames starts with, and when it passes on what it has been given.
inline constexpr std::size_t frame_block = 8192;

}  // namespace detail

}}  // namespace eddy::EDDY_ABI
