// The guide's snippets about frames.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>

#include <eddy/codec.hpp>
#include <eddy/io/duplex.hpp>

#include "support/leak_check.hpp"

namespace {

// [guide:framed]
template <class Stream>
eddy::future<> chat(Stream stream) {
  eddy::codec::framed peer(std::move(stream), eddy::codec::lines(1024));
  for (;;) {
    auto line = co_await eddy::attempt(peer.next());
    if (!line && line.error() == std::errc::message_size) {
      co_await peer.send("shorter, please");  // the rest of that line is skipped
      continue;
    }
    if (!line) line.error().raise();
    if (!*line) co_return;  // the end of the stream
    co_await peer.send("you said: " + **line);
  }
}
// [/guide:framed]

// [guide:codec]
struct pixels {  // three bytes each
  struct rgb {
    unsigned char red, green, blue;
  };
  eddy::result<std::optional<rgb>> decode(eddy::codec::byte_buffer& from) {
    if (from.size() < 3) return std::optional<rgb>();  // needs more bytes
    const std::string b = from.take(3);
    return std::optional(rgb{static_cast<unsigned char>(b[0]), static_cast<unsigned char>(b[1]),
                             static_cast<unsigned char>(b[2])});
  }
  eddy::result<void> encode(const rgb& p, eddy::codec::byte_buffer& to) {
    const unsigned char bytes[] = {p.red, p.green, p.blue};
    to.append(bytes);
    return {};
  }
};
// [/guide:codec]

eddy::future<> talk() {
  auto [near, far] = eddy::io::duplex(64);
  auto chatting = eddy::spawn(chat(std::move(far)));
  eddy::codec::framed me(std::move(near), eddy::codec::lines());
  co_await me.send("hello");
  const auto answer = co_await me.next();
  CHECK(answer == "you said: hello");
  const std::string long_line(2000, 'x');
  co_await me.send(long_line);
  const auto shorter = co_await me.next();
  CHECK(shorter == "shorter, please");
  co_await me.close();
  co_await chatting;
}

eddy::future<> paint() {
  auto [near, far] = eddy::io::duplex(64);
  eddy::codec::framed_write out(std::move(near), pixels());
  const pixels::rgb orange{255, 165, 0};
  co_await out.send(orange);
  eddy::codec::framed_read in(std::move(far), pixels());
  const auto seen = co_await in.next();
  CHECK(seen->green == 165);
}

}  // namespace

TEST_CASE("a conversation in lines, and a codec of the user's own") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on(talk());
  rt.block_on(paint());
}
