#include <eddy/codec/lines.hpp>

#include "codec/search.hpp"
#include "codec/utf8.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace codec {

namespace {

using view = result<std::optional<std::string_view>>;
using copy = result<std::optional<std::string>>;

copy copied(view r) {
  if (!r) return std::move(r).error();
  return *r ? copy(std::in_place, **r) : copy(std::in_place);
}

}  // namespace

view lines::line(std::string_view text) const {
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (utf8_ && !eddy::detail::is_utf8(text))
    return error::system(EILSEQ, "decode", "a line that is not UTF-8");
  return view(std::in_place, text);
}

view lines::decode_view(byte_buffer& from) {
  auto piece =
      eddy::detail::next_piece(from, max_length_, searched_, skipping_, "a line",
                               [](std::string_view text) noexcept { return text.find('\n'); });
  if (!piece || !*piece) return piece;
  return line(**piece);
}

view lines::decode_eof_view(byte_buffer& from) {
  auto r = decode_view(from);
  if (!r || *r) return r;
  skipping_ = false;  // what comes behind the end is another line
  if (from.empty() || from.view() == "\r") return r;
  const std::string_view rest = from.view();
  searched_ = 0;
  from.consume(rest.size());
  return line(rest);
}

copy lines::decode(byte_buffer& from) { return copied(decode_view(from)); }
copy lines::decode_eof(byte_buffer& from) { return copied(decode_eof_view(from)); }

result<void> lines::encode(std::string_view text, byte_buffer& to) {
  to.reserve(text.size() + 1);
  to.append(text);
  to.push_back('\n');
  return {};
}

}}}  // namespace eddy::EDDY_ABI::codec
