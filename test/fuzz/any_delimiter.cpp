#include <eddy/codec/any_delimiter.hpp>

#include "fuzz/fuzz.hpp"

namespace codec = eddy::codec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in(bytes, size);
  const std::size_t longest = in.byte();
  const std::size_t most = in.byte();
  std::string delimiters(in.byte() % 4, '\0');
  for (char& c : delimiters) c = static_cast<char>(in.byte());

  std::vector<std::string> want;
  for (std::string_view rest = in.rest(); !rest.empty();) {
    const auto end = rest.find_first_of(delimiters);
    const auto piece = rest.substr(0, end);
    want.push_back(piece.size() > most ? fuzz::failed : fuzz::frame(piece));
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  const codec::any_delimiter c(delimiters, ",", most);
  fuzz::require(fuzz::in_pieces(c, in.rest(), longest, fuzz::frame) == want,
                "pieces are those of the whole");
  return 0;
}
