#pragma once

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// The piece before the next delimiter, taken out of the buffer together with it, as a view. `find(text)` gives the
/// delimiter's place, or npos. `kind` names a piece in the error of one that is too long, after which it is skipped.
template <class Find>
result<std::optional<std::string_view>> next_piece(codec::byte_buffer& from, std::size_t max_length,
                                                   std::size_t& searched, bool& skipping,
                                                   const char* kind, Find find) {
  using answer = result<std::optional<std::string_view>>;
  for (;;) {
    if (searched > from.size()) searched = 0;  // the buffer is another one
    // A piece of just the maximum length has its delimiter behind that.
    const std::size_t window = from.size() > max_length ? max_length + 1 : from.size();
    const std::string_view text = from.view();
    std::size_t at = find(text.substr(searched, skipping ? text.npos : window - searched));
    if (at != text.npos) at += searched;
    searched = 0;
    if (skipping) {
      from.consume(at == text.npos ? text.size() : at + 1);
      if (at == text.npos) return answer(std::in_place);
      skipping = false;
    } else if (at != text.npos) {
      from.consume(at + 1);
      return answer(std::in_place, text.substr(0, at));
    } else if (from.size() > max_length) {
      skipping = true;
      return error::system(
          EMSGSIZE, "decode",
          std::string(kind) + " of more than " + std::to_string(max_length) + " bytes");
    } else {
      searched = window;
      return answer(std::in_place);
    }
  }
}

}}}  // namespace eddy::EDDY_ABI::detail
