#include <eddy/codec/json.hpp>

#include "fuzz/fuzz.hpp"

namespace codec = eddy::codec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in(bytes, size);
  const std::size_t longest = in.byte();
  const std::size_t most = 16 * in.byte();
  const auto show = [](const nlohmann::json& value) {
    codec::byte_buffer b;
    codec::json_lines<> c(codec::lines::unlimited);
    fuzz::require(c.encode(value, b).has_value(), "what was read can be written");
    auto back = c.decode(b);
    fuzz::require(back && *back && **back == value, "and read again");
    return value.dump();
  };
  const codec::json_lines<> c(most);
  const auto whole = fuzz::in_pieces(c, in.rest(), in.rest().size(), show);
  fuzz::require(fuzz::in_pieces(c, in.rest(), longest, show) == whole,
                "values are the same in any pieces");
  return 0;
}
