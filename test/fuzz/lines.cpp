#include <eddy/codec/lines.hpp>

#include "fuzz/fuzz.hpp"

namespace codec = eddy::codec;

namespace {

std::vector<std::string> expected(std::string_view data, std::size_t most) {
  std::vector<std::string> seen;
  while (!data.empty()) {
    const auto end = data.find('\n');
    std::string_view line = data.substr(0, end);
    data.remove_prefix(end == data.npos ? data.size() : end + 1);
    const bool last = end == data.npos;
    if (line.size() > most) {
      seen.push_back(fuzz::failed);
      continue;
    }
    if (last && (line.empty() || line == "\r")) continue;
    if (line.ends_with('\r')) line.remove_suffix(1);
    seen.push_back(fuzz::frame(line));
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in(bytes, size);
  const std::size_t longest = in.byte();
  const std::size_t most = in.byte();
  const auto want = expected(in.rest(), most);
  fuzz::require(fuzz::in_pieces(codec::lines(most), in.rest(), longest, fuzz::frame) == want,
                "lines are those of the whole");
  fuzz::require(fuzz::in_pieces(codec::line_views(most), in.rest(), longest, fuzz::frame) == want,
                "views are the same lines");
  auto strict = fuzz::in_pieces(codec::lines(most).require_utf8(), in.rest(), longest, fuzz::frame);
  fuzz::require(strict.size() == want.size(), "a line that is not UTF-8 is one failure");
  return 0;
}
