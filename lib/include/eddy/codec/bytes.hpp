#pragma once

#include <optional>
#include <string>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/config.hpp>
#include <eddy/io/buffer.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace codec {

/// Bytes as they come: a frame is what there is, in any pieces, at least one byte. Written as they are.
/// Cost: a string a frame.
class bytes {
 public:
  static result<std::optional<std::string>> decode(byte_buffer& from) {
    using answer = result<std::optional<std::string>>;
    if (from.empty()) return answer(std::in_place);
    return answer(std::in_place, from.take(from.size()));
  }
  static result<void> encode(io::const_buffer frame, byte_buffer& to) {
    to.append(frame);
    return {};
  }
};

}}}  // namespace eddy::EDDY_ABI::codec
