#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace codec {

/// Lines, without their ends when they are read ("\n" or "\r\n"; the last one needs none), with "\n" when they are
/// written.
///
/// Give it a maximum length when a stranger writes them: without one a line that never ends fills the memory.
/// Errors: `std::errc::message_size` for a line of more bytes than that, once; the rest of it is skipped and the
/// next line is read. `std::errc::illegal_byte_sequence` if UTF-8 is asked for and is not what comes. What is written
/// is not looked at.
/// Cost: a string a line.
class lines {
 public:
  static constexpr bool resynchronises = true;
  /// Lines of any length.
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  lines() noexcept = default;
  explicit lines(std::size_t max_length) noexcept : max_length_(max_length) {}
  /// From now on every line must be UTF-8.
  lines& require_utf8() & noexcept {
    utf8_ = true;
    return *this;
  }
  lines require_utf8() && noexcept { return require_utf8(); }

  /// Bytes of a line at most.
  std::size_t max_length() const noexcept { return max_length_; }

  result<std::optional<std::string>> decode(byte_buffer& from);
  result<std::optional<std::string>> decode_eof(byte_buffer& from);
  result<void> encode(std::string_view line, byte_buffer& to);

  /// As `decode` and `decode_eof`, but the line is a view into the buffer, good until more is read.
  result<std::optional<std::string_view>> decode_view(byte_buffer& from);
  /// As `decode_view`, at the end of the stream.
  result<std::optional<std::string_view>> decode_eof_view(byte_buffer& from);

 private:
  result<std::optional<std::string_view>> line(std::string_view text) const;

  std::size_t max_length_ = unlimited;
  std::size_t searched_ = 0;  // bytes at the front of the buffer in which there is no end of a line
  bool skipping_ = false;     // the rest of a line that was too long
  bool utf8_ = false;
};

/// The same with lines that are not copied: each is a view, good until the stream is asked for the next one.
/// Errors: as `lines`.
class line_views : public lines {
 public:
  /// As `lines`.
  using lines::lines;
  result<std::optional<std::string_view>> decode(byte_buffer& from) { return decode_view(from); }
  result<std::optional<std::string_view>> decode_eof(byte_buffer& from) {
    return decode_eof_view(from);
  }
};

}}}  // namespace eddy::EDDY_ABI::codec
