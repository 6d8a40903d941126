#pragma once

#include <bitset>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace codec {

/// Pieces between delimiters, any byte of a set: `any_delimiter(",;\n", ";")` reads up to the next of three, and
/// writes ";" behind each piece. Two delimiters in a row have an empty piece between them; the last piece needs none.
///
/// Errors: `std::errc::message_size` for a piece of more than the maximum length, once; the rest of it is skipped and
/// the next one is read.
/// Cost: a string a piece.
class any_delimiter {
 public:
  static constexpr bool resynchronises = true;
  /// Pieces of any length.
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  explicit any_delimiter(std::string_view delimiters = ",;\n\r", std::string written = ",",
                         std::size_t max_length = unlimited);

  /// Bytes of a piece at most.
  std::size_t max_length() const noexcept { return max_length_; }

  result<std::optional<std::string>> decode(byte_buffer& from);
  result<std::optional<std::string>> decode_eof(byte_buffer& from);
  result<void> encode(std::string_view piece, byte_buffer& to);

 private:
  std::bitset<256> delimiters_;
  std::string written_;
  std::size_t max_length_;
  std::size_t searched_ = 0;  // bytes at the front of the buffer among which there is no delimiter
  bool skipping_ = false;     // the rest of a piece that was too long
};

}}}  // namespace eddy::EDDY_ABI::codec
