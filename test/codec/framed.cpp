#include <eddy/codec/framed.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eddy/codec/lines.hpp>
#include <eddy/eddy.hpp>
#include <eddy/io/adapters.hpp>
#include <eddy/io/buf_writer.hpp>
#include <eddy/io/duplex.hpp>
#include <eddy/io/split.hpp>
#include <eddy/stream.hpp>

#include "support/cut_points.hpp"
#include "support/mock_task.hpp"
#include "support/scripted_stream.hpp"

namespace codec = eddy::codec;
namespace io = eddy::io;
using eddy::attempt;
using eddy::errc;
using eddy::future;
using test::scripted_stream;

static_assert(eddy::stream<codec::framed_read<io::memory_reader, codec::lines>>);
static_assert(eddy::stream<codec::framed<scripted_stream&, codec::lines>>);
static_assert(codec::encoder<codec::lines, const char*>);
static_assert(!codec::encoder<codec::lines, int>);

namespace {

/// One character a frame, as an object that can only be moved; '!' throws or fails.
struct letters {
  eddy::result<std::optional<std::unique_ptr<char>>> decode(codec::byte_buffer& from) {
    using answer = eddy::result<std::optional<std::unique_ptr<char>>>;
    if (from.empty()) return answer(std::in_place);
    const char c = from.take(1)[0];
#if EDDY_EXCEPTIONS
    if (c == '!') throw std::runtime_error("no letter");
#else
    if (c == '!') return test::broken();
#endif
    return answer(std::in_place, std::make_unique<char>(c));
  }
  eddy::result<void> encode(std::unique_ptr<char> c, codec::byte_buffer& to) {
    to.push_back(*c);
    if (*c == '!') return test::broken();
    return {};
  }
};

}  // namespace

TEST_CASE("frames come out of bytes that arrive in any pieces, then the end for good") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("on").waits().gives("e\ntwo\nth").gives("ree");
    codec::framed_read r(s, codec::lines());
    for (const char* want : {"one", "two", "three"}) {
      const auto line = co_await r.next();
      CHECK(line == want);
    }
    for (int i = 0; i < 2; ++i) {
      CHECK(!r.is_terminated() == (i == 0));
      const auto end = co_await r.next();
      CHECK(!end);
    }
  });
}

TEST_CASE("frames are a stream, with all its adapters") {
  test::run([]() -> future<> {
    codec::framed_read r(io::memory_reader("1\n22\n333\n"), codec::lines());
    auto sizes = std::move(r).map([](std::string line) { return line.size(); });
    const auto all = co_await std::move(sizes).collect();
    CHECK(all == std::vector<std::size_t>{1, 2, 3});
  });
}

TEST_CASE("a dropped next loses nothing and leaves nothing behind") {
  test::run([]() -> future<> {
    auto [near, far] = io::duplex(64);
    codec::framed_read r(std::move(near), codec::lines());
    {
      test::mock_task task;
      auto next = r.next();
      task.assert_pending(next);
      co_await far.write_all("hal");
      CHECK(task.take_wakes() == 1);
      task.assert_pending(next);
      CHECK(task.references() == 1);
    }
    auto moved = std::move(r);
    co_await far.write_all("f\n");
    const auto line = co_await moved.next();
    CHECK(line == "half");
  });
}

TEST_CASE(
    "a failure ends the frames until they are resumed, when the decoder cannot find its way back") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("a!b").fails(test::broken()).gives("c");
    codec::framed_read r(s, letters());
    const auto a = co_await r.next();
    CHECK(**a == 'a');
    auto thrown = co_await attempt(r.next());
    CHECK(!thrown);
    const auto end = co_await r.next();
    CHECK(!end);
    r.resume();
    const auto b = co_await r.next();
    CHECK(**b == 'b');
    auto failed = co_await attempt(r.next());
    CHECK(failed.error() == std::errc::io_error);
    const auto again = co_await r.next();
    CHECK(!again);
    r.resume();
    const auto c = co_await r.next();
    CHECK(**c == 'c');
  });
}

TEST_CASE("a task whose frames are all there lets others run") {
  test::run([]() -> future<> {
    auto endless = eddy::spawn([]() -> future<> {
      codec::framed_read r(io::repeat('\n'), codec::lines());
      while (co_await r.next()) {
      }
    });
    co_await eddy::yield_now();
    co_await eddy::yield_now();
    CHECK(!endless.is_finished());
    endless.abort();
    static_cast<void>(co_await attempt(endless));
  });
}

TEST_CASE("send writes a frame at once, feed holds it back until a flush") {
  test::run([]() -> future<> {
    scripted_stream s;
    io::buf_writer held(s, 100);
    codec::framed_write w(held, codec::lines());
    co_await w.feed("one");
    const std::string two = "two";
    co_await w.feed(two);
    CHECK(w.write_buffer().view() == "one\ntwo\n");
    CHECK(s.written.empty());
    co_await w.flush();
    CHECK(s.written == "one\ntwo\n");  // through the writer's own buffer too
    co_await w.send("three");
    CHECK(s.written == "one\ntwo\nthree\n");
    co_await w.emplace<std::string>(3U, 'x');
    CHECK(s.written.ends_with("\nxxx\n"));
  });
}

TEST_CASE("feed waits for room once much is held back, and a dropped one takes nothing") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.takes(2).write_waits();
    codec::framed_write w(s, codec::lines());
    w.set_backpressure_boundary(2);
    co_await w.feed("abc");
    {
      test::mock_task task;
      auto waiting = w.feed("lost");
      task.assert_pending(waiting);
      CHECK(s.written == "ab");
    }
    co_await w.feed("def");
    CHECK(s.written == "abc\n");
    CHECK(w.write_buffer().view() == "def\n");
    co_await w.close();
    CHECK(s.written == "abc\ndef\n");
    CHECK(s.shut);
  });
}

TEST_CASE("a send that is dropped while it writes has taken its frame whole") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.takes(2).write_waits();
    codec::framed_write w(s, codec::lines());
    {
      test::mock_task task;
      auto waiting = w.send("abc");
      task.assert_pending(waiting);
    }
    CHECK(s.written == "ab");
    co_await w.flush();
    CHECK(s.written == "abc\n");
  });
}

TEST_CASE(
    "a frame that cannot be encoded leaves nothing of itself, and a failed write keeps the rest") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.write_fails(test::broken()).takes(0);
    codec::framed_write w(s, letters());
    co_await w.feed(std::make_unique<char>('a'));
    auto refused = co_await attempt(w.feed(std::make_unique<char>('!')));
    CHECK(refused.error() == std::errc::io_error);
    CHECK(w.write_buffer().view() == "a");
    auto failed = co_await attempt(w.flush());
    CHECK(failed.error() == std::errc::io_error);
    auto nothing = co_await attempt(w.flush());
    CHECK(nothing.error() == errc::closed);
    co_await w.flush();
    CHECK(s.written == "a");
  });
}

TEST_CASE("a framed stream is taken apart with its bytes, and put together with another codec") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("one\ntwo\nxy");
    codec::framed f(s, codec::lines());
    const auto one = co_await f.next();
    CHECK(one == "one");
    co_await f.feed("out");
    auto letter_by_letter = std::move(f).map_codec([](codec::lines) { return letters(); });
    const auto t = co_await letter_by_letter.next();
    CHECK(**t == 't');
    co_await letter_by_letter.feed(std::make_unique<char>('z'));
    auto parts = std::move(letter_by_letter).into_parts();
    CHECK(parts.read_buffer.view() == "wo\nxy");
    CHECK(parts.write_buffer.view() == "out\nz");
    codec::framed again(std::move(parts));
    const auto w = co_await again.next();
    CHECK(**w == 'w');
    co_await again.close();
    CHECK(s.written == "out\nz");
  });
}

TEST_CASE("two tasks share a framed stream by its halves, and it can be cut off at every step") {
  const auto cuts = test::cut_points([]() -> future<> {
    auto [near, far] = io::duplex(8);
    auto echo = eddy::spawn(
        [](io::duplex_stream stream) -> future<> {
          codec::framed peer(std::move(stream), codec::lines());
          while (auto line = co_await peer.next()) co_await peer.send(*line);
        },
        std::move(far));
    auto [reader, writer] = io::split(std::move(near));
    auto sender = eddy::spawn(
        [](io::write_half<io::duplex_stream> half) -> future<> {
          codec::framed_write out(std::move(half), codec::lines());
          for (int i = 0; i < 5; ++i) co_await out.feed("a line of more than the room");
          co_await out.close();
        },
        std::move(writer));
    codec::framed_read in(std::move(reader), codec::lines());
    int lines = 0;
    while (auto line = co_await in.next()) {
      CHECK(*line == "a line of more than the room");
      ++lines;
    }
    CHECK(lines == 5);
    co_await sender;
    co_await echo;
  });
  CHECK(cuts >= 10);
}
