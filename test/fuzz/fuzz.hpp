#pragma once
// What the fuzz targets share. A target takes its options from the first bytes of the input and its data from the
// rest, cuts the data into pieces at places that the options say, and compares what the codec makes of them with what
// a simple reading of the whole makes of it.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <eddy/base/result.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/codec/concepts.hpp>

namespace fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// The input, byte for byte.
class input {
 public:
  input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}
  unsigned byte() {
    if (rest_.empty()) return 0;
    const auto b = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return b;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

inline const std::string failed = "failed";
inline std::string frame(std::string_view text) { return "frame " + std::string(text); }

/// All that a codec makes of `data` when it comes in pieces of up to `longest` bytes, and then ends: frames, failures.
/// Behind a failure a codec that does not resynchronise is not asked any more.
template <class C, class Show>
std::vector<std::string> in_pieces(C codec, std::string_view data, std::size_t longest, Show show) {
  std::vector<std::string> seen;
  eddy::codec::byte_buffer b;
  std::uint32_t random = static_cast<std::uint32_t>(longest);
  bool over = false;
  const std::size_t most = 4 * (data.size() + 1);
  const auto all = [&](auto decode) {
    while (!over) {
      auto r = decode();
      if (r && !*r) return;
      seen.push_back(r ? show(**r) : failed);
      over = !r && !eddy::detail::resynchronises_v<C>;
      require(seen.size() <= most, "frames come to an end");
    }
  };
  while (!data.empty() && !over) {
    random = random * 1664525 + 1013904223;
    const auto piece = data.substr(0, 1 + (random >> 8) % (longest + 1));
    data.remove_prefix(piece.size());
    b.append(piece);
    all([&] { return codec.decode(b); });
  }
  all([&] { return eddy::detail::decode_last(codec, b); });
  return seen;
}

}  // namespace fuzz
