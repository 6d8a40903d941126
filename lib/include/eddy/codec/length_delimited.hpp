#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/config.hpp>
#include <eddy/io/buffer.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace codec {

/// How a frame's head says how long it is:
///
/// | `length_field_offset` | `length_field_length` | … up to `num_skip` | payload |
/// |---|---|---|---|
/// | bytes of other meaning | the length | other bytes | length + `length_adjustment` bytes |
struct length_options {
  /// Bytes of a payload at most; also what the length field can say, if that is less.
  std::size_t max_frame_length = std::size_t{8} * 1024 * 1024;
  std::size_t length_field_length = 4;  ///< 1 to 8 bytes
  /// Bytes before the length field; reading only.
  std::size_t length_field_offset = 0;
  std::ptrdiff_t length_adjustment = 0;  ///< -2: a length of two bytes that counts itself
  /// Bytes before the payload, if not offset and field; reading only.
  std::optional<std::size_t> num_skip = {};
  std::endian byte_order = std::endian::big;  ///< of the length field
};

/// Frames that say how long they are before their bytes. Read without their head, written behind one that has nothing
/// but the length.
///
/// Errors: `std::errc::message_size` for a frame of more bytes than the maximum, read or written;
/// `std::errc::protocol_error` for a length that makes no sense with its adjustment; `errc::unexpected_end` for half a
/// frame at the end. A length field of no, or more than eight, bytes is misuse.
/// Cost: a string a frame; memory for it as its bytes come, whatever its head promises.
class length_delimited {
 public:
  explicit length_delimited(length_options options = {});

  /// Bytes of a payload at most.
  std::size_t max_frame_length() const noexcept { return options_.max_frame_length; }
  /// For the frames that begin from now on.
  void set_max_frame_length(std::size_t bytes) noexcept;

  result<std::optional<std::string>> decode(byte_buffer& from);
  result<std::optional<std::string>> decode_eof(byte_buffer& from);
  result<void> encode(io::const_buffer frame, byte_buffer& to);

 private:
  /// Of the frame that begins in `from`, with what is skipped; `from` holds its head.
  result<std::size_t> whole_length(const byte_buffer& from) const;
  std::size_t skipped() const noexcept {
    return options_.num_skip.value_or(options_.length_field_offset + options_.length_field_length);
  }

  length_options options_;
  std::size_t awaited_ =
      0;  // whole length of the frame that has begun; 0: its head is not complete
};

}}}  // namespace eddy::EDDY_ABI::codec
