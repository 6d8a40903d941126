#include <eddy/codec/any_delimiter.hpp>

#include "codec/search.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace codec {

any_delimiter::any_delimiter(std::string_view delimiters, std::string written,
                             std::size_t max_length)
    : written_(std::move(written)), max_length_(max_length) {
  for (const char c : delimiters) delimiters_.set(static_cast<unsigned char>(c));
}

result<std::optional<std::string>> any_delimiter::decode(byte_buffer& from) {
  using answer = result<std::optional<std::string>>;
  auto piece = eddy::detail::next_piece(
      from, max_length_, searched_, skipping_, "a piece", [this](std::string_view text) noexcept {
        for (std::size_t i = 0; i < text.size(); ++i)
          if (delimiters_.test(static_cast<unsigned char>(text[i]))) return i;
        return text.npos;
      });
  if (!piece) return std::move(piece).error();
  return *piece ? answer(std::in_place, **piece) : answer(std::in_place);
}

result<std::optional<std::string>> any_delimiter::decode_eof(byte_buffer& from) {
  auto r = decode(from);
  if (!r || *r) return r;
  skipping_ = false;  // what comes behind the end is another piece
  if (from.empty()) return r;
  searched_ = 0;
  return result<std::optional<std::string>>(std::in_place, from.take(from.size()));
}

result<void> any_delimiter::encode(std::string_view piece, byte_buffer& to) {
  to.reserve(piece.size() + written_.size());
  to.append(piece);
  to.append(written_);
  return {};
}

}}}  // namespace eddy::EDDY_ABI::codec
