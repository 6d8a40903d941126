#include <eddy/codec/bytes.hpp>

#include "fuzz/fuzz.hpp"

namespace codec = eddy::codec;

namespace {

/// The buffer all codecs work on, beside a string that is used in the same way.
void compare_with_string(fuzz::input in) {
  codec::byte_buffer b(in.byte());
  std::string want;
  for (unsigned step = 0; !in.rest().empty(); ++step) {
    const unsigned n = in.byte();
    const std::string text(n, static_cast<char>('a' + step % 26));
    switch (in.byte() % 7) {
      case 0:
        b.append(text), want += text;
        break;
      case 1:
        b.push_back('x'), want += 'x';
        break;
      case 2:
        b.consume(n), want.erase(0, n);
        break;
      case 3:
        fuzz::require(b.take(n) == want.substr(0, n), "take gives the front"), want.erase(0, n);
        break;
      case 4:
        b.truncate(n), want.resize(std::min<std::size_t>(want.size(), n));
        break;
      case 5: {
        const auto room = b.prepare(n);
        fuzz::require(room.size() >= n, "there is the room that was wanted");
        std::copy(text.begin(), text.end(), static_cast<char*>(room.data()));
        b.commit(n), want += text;
        break;
      }
      default: {
        codec::byte_buffer moved = std::move(b);
        fuzz::require(b.empty() && b.capacity() == 0, "a move leaves nothing");
        b = std::move(moved);
      }
    }
    fuzz::require(b.view() == want, "buffer and string are the same");
    fuzz::require(b.capacity() >= b.size(), "what is in it has room");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in(bytes, size);
  compare_with_string(in);
  const std::size_t longest = in.byte();
  std::string all;
  for (const auto& part : fuzz::in_pieces(codec::bytes(), in.rest(), longest, fuzz::frame))
    all += part.substr(fuzz::frame("").size());
  fuzz::require(all == in.rest(), "bytes are all the bytes");
  return 0;
}
