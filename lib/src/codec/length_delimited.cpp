#include <eddy/codec/length_delimited.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <span>

#include <eddy/base/detail/misuse.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace codec {

namespace {

constexpr auto none_larger = std::numeric_limits<std::uint64_t>::max();

/// a + b; nothing when that is below 0 or above what 64 bits hold.
std::optional<std::uint64_t> sum(std::uint64_t a, std::ptrdiff_t b) noexcept {
  const auto magnitude = b < 0 ? 0 - static_cast<std::uint64_t>(b) : static_cast<std::uint64_t>(b);
  if (b < 0) return a < magnitude ? std::nullopt : std::optional(a - magnitude);
  return none_larger - a < magnitude ? std::nullopt : std::optional(a + magnitude);
}
std::optional<std::uint64_t> difference(std::uint64_t a, std::ptrdiff_t b) noexcept {
  if (b == std::numeric_limits<std::ptrdiff_t>::min()) return std::nullopt;
  return sum(a, -b);
}

std::uint64_t largest(std::size_t field_bytes) noexcept {
  return none_larger >> (64 - 8 * field_bytes);
}

error too_long(const char* operation, std::uint64_t length, std::size_t most) {
  return error::system(
      EMSGSIZE, operation,
      "a frame of " + std::to_string(length) + " bytes, more than " + std::to_string(most));
}
error senseless(const char* operation, std::uint64_t length) {
  return error::system(
      EPROTO, operation,
      "a frame whose length is " + std::to_string(length) + " before its adjustment");
}

}  // namespace

length_delimited::length_delimited(length_options options) : options_(options) {
  if (options_.length_field_length == 0 || options_.length_field_length > 8)
    eddy::detail::misuse("length_delimited: a length field has 1 to 8 bytes");
  set_max_frame_length(options_.max_frame_length);
}

void length_delimited::set_max_frame_length(std::size_t bytes) noexcept {
  const auto payload = sum(largest(options_.length_field_length), options_.length_adjustment);
  const std::uint64_t sayable = payload.value_or(options_.length_adjustment < 0 ? 0 : none_larger);
  options_.max_frame_length = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, sayable));
}

result<std::size_t> length_delimited::whole_length(const byte_buffer& from) const {
  const auto* field = from.data() + options_.length_field_offset;
  std::uint64_t said = 0;
  for (std::size_t i = 0; i < options_.length_field_length; ++i) {
    const bool big = options_.byte_order == std::endian::big;
    const auto at = big ? i : options_.length_field_length - 1 - i;
    said = said << 8 | static_cast<unsigned char>(field[at]);
  }
  const auto payload = sum(said, options_.length_adjustment);
  if (!payload) return senseless("decode", said);
  if (*payload > options_.max_frame_length)
    return too_long("decode", *payload, options_.max_frame_length);
  const auto length = static_cast<std::size_t>(*payload);
  // Nothing would be taken for it, and it would come for ever.
  if (skipped() + length == 0) return senseless("decode", said);
  if (std::numeric_limits<std::size_t>::max() - skipped() < length)
    return senseless("decode", said);
  return skipped() + length;
}

result<std::optional<std::string>> length_delimited::decode(byte_buffer& from) {
  using answer = result<std::optional<std::string>>;
  if (awaited_ == 0) {
    const auto head = options_.length_field_offset + options_.length_field_length;
    if (from.size() < std::max(head, skipped())) return answer(std::in_place);
    auto length = whole_length(from);
    if (!length) return std::move(length).error();
    awaited_ = *length;
  }
  if (from.size() < awaited_) return answer(std::in_place);
  from.consume(skipped());
  answer frame(std::in_place, from.take(awaited_ - skipped()));
  awaited_ = 0;
  return frame;
}

result<std::optional<std::string>> length_delimited::decode_eof(byte_buffer& from) {
  auto r = decode(from);
  if (!r || *r || from.empty()) return r;
  awaited_ = 0;
  return error(errc::unexpected_end, "decode", "half a frame");
}

result<void> length_delimited::encode(io::const_buffer frame, byte_buffer& to) {
  if (frame.size() > options_.max_frame_length)
    return too_long("encode", frame.size(), options_.max_frame_length);
  const auto said = difference(frame.size(), options_.length_adjustment);
  if (!said || *said > largest(options_.length_field_length))
    return senseless("encode", frame.size());
  std::array<char, 8> head;
  for (std::size_t i = 0; i < options_.length_field_length; ++i) {
    const bool big = options_.byte_order == std::endian::big;
    const auto at = big ? options_.length_field_length - 1 - i : i;
    head[at] = static_cast<char>(*said >> (8 * i));
  }
  to.reserve(options_.length_field_length + frame.size());
  to.append(std::span(head).first(options_.length_field_length));
  to.append(frame);
  return {};
}

}}}  // namespace eddy::EDDY_ABI::codec
