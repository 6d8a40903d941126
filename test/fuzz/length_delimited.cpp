#include <eddy/codec/length_delimited.hpp>

#include "fuzz/fuzz.hpp"

namespace codec = eddy::codec;

namespace {

std::vector<std::string> expected(std::string_view data, const codec::length_options& o) {
  std::vector<std::string> seen;
  const auto head = o.length_field_offset + o.length_field_length;
  const auto skip = o.num_skip.value_or(head);
  const auto most = static_cast<__int128>(codec::length_delimited(o).max_frame_length());
  while (data.size() >= std::max(head, skip)) {
    unsigned __int128 said = 0;
    for (std::size_t i = 0; i < o.length_field_length; ++i) {
      const auto at = o.byte_order == std::endian::big ? i : o.length_field_length - 1 - i;
      said = said << 8 | static_cast<unsigned char>(data[o.length_field_offset + at]);
    }
    const auto payload = static_cast<__int128>(said) + o.length_adjustment;
    if (payload < 0 || payload > most || payload + static_cast<__int128>(skip) == 0) {
      seen.push_back(fuzz::failed);
      return seen;
    }
    if (static_cast<__int128>(data.size() - skip) < payload) break;
    const auto length = static_cast<std::size_t>(payload);
    seen.push_back(fuzz::frame(data.substr(skip, length)));
    data.remove_prefix(skip + length);
  }
  if (!data.empty()) seen.push_back(fuzz::failed);
  return seen;
}

void round_trip(codec::length_options o, std::string_view payload) {
  o.length_field_offset = 0;  // what is read only
  o.num_skip.reset();
  codec::length_delimited c(o);
  codec::byte_buffer b;
  if (!c.encode(payload, b)) {
    fuzz::require(b.empty(), "a refused frame leaves nothing");
    return;
  }
  auto back = c.decode(b);
  fuzz::require(back && *back == payload, "what is written is read");
  fuzz::require(b.empty(), "all of it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in(bytes, size);
  const std::size_t longest = in.byte();
  codec::length_options o;
  o.max_frame_length = std::size_t{in.byte()};
  o.max_frame_length <<= in.byte() % 57;
  o.length_field_length = 1 + in.byte() % 8;
  o.length_field_offset = in.byte() % 8;
  o.length_adjustment = static_cast<std::ptrdiff_t>(in.byte()) - 128;
  if (in.byte() % 16 == 0) o.length_adjustment <<= 55;
  if (const unsigned skip = in.byte() % 32; skip < 16) o.num_skip = skip;
  o.byte_order = in.byte() % 2 == 0 ? std::endian::big : std::endian::little;
  const codec::length_delimited c(o);
  fuzz::require(fuzz::in_pieces(c, in.rest(), longest, fuzz::frame) == expected(in.rest(), o),
                "frames are those of the whole");
  round_trip(o, in.rest());
  return 0;
}
