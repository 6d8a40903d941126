#include <eddy/io/read.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/io/adapters.hpp>

#include "support/cut_points.hpp"
#include "support/scripted_stream.hpp"

namespace io = eddy::io;
using eddy::attempt;
using eddy::errc;
using eddy::future;
using test::scripted_stream;

TEST_CASE("read_exact fills the buffer from as many reads as it takes") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("ab").waits().gives("cde");
    std::array<char, 4> buf;
    co_await io::read_exact(s, buf);
    CHECK(std::string_view(buf.data(), 4) == "abcd");
    co_await io::read_exact(s, io::buffer());
    std::array<char, 1> one;
    co_await io::read_exact(s, one);
    CHECK(one[0] == 'e');
  });
}

TEST_CASE("read_exact at the end of the stream, or on a failing one, says so") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("ab");
    std::array<char, 4> buf;
    auto early = co_await attempt(io::read_exact(s, buf));
    CHECK(early.error() == errc::unexpected_end);
    CHECK(early.error().message() == "read_exact: unexpected end");
    scripted_stream t;
    t.gives("ab").fails(test::broken());
    auto failed = co_await attempt(io::read_exact(t, buf));
    CHECK(failed.error() == std::errc::io_error);
  });
}

TEST_CASE("read_to_end appends all there is, and keeps what came before a failure") {
  test::run([]() -> future<> {
    scripted_stream s;
    const std::string much(5000, 'm');
    s.gives("one").waits().gives(much);
    std::string all = "zero";
    const auto n = co_await io::read_to_end(s, all);
    CHECK(n == 5003);
    CHECK((all == "zeroone" + much));
    scripted_stream t;
    t.gives("half").fails(test::broken());
    std::vector<std::byte> bytes;
    auto failed = co_await attempt(io::read_to_end(t, bytes));
    CHECK(failed.error() == std::errc::io_error);
    CHECK(bytes.size() == 4);
    scripted_stream u;
    u.gives("text");
    const auto text = co_await io::read_to_string(u);
    CHECK(text == "text");
    scripted_stream v;
    v.fails(test::broken());
    auto none = co_await attempt(io::read_to_string(v));
    CHECK(none.error() == std::errc::io_error);
  });
}

TEST_CASE("write_all writes until all is taken; a writer that takes nothing is an error") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.takes(1).write_waits().takes(2);
    co_await io::write_all(s, "abcdef");
    CHECK(s.written == "abcdef");
    CHECK(s.writes == 3);
    scripted_stream t;
    t.takes(2).takes(0);
    auto nothing = co_await attempt(io::write_all(t, "abcdef"));
    CHECK(nothing.error() == errc::closed);
    CHECK(t.written == "ab");
    scripted_stream u;
    u.write_fails(test::broken());
    auto failed = co_await attempt(io::write_all(u, "abcdef"));
    CHECK(failed.error() == std::errc::io_error);
  });
}

TEST_CASE("integers go through a stream in both byte orders") {
  test::run([]() -> future<> {
    std::string bytes;
    io::memory_writer w(bytes);
    co_await io::write_be<std::uint32_t>(w, 0x01020304);
    co_await io::write_le<std::uint32_t>(w, 0x01020304);
    co_await io::write_be<std::int16_t>(w, -2);
    co_await io::write_le<std::uint64_t>(w, 0xfedcba9876543210U);
    co_await io::write_be<std::uint8_t>(w, 7);
    CHECK(bytes == std::string("\1\2\3\4\4\3\2\1\xff\xfe\x10\x32\x54\x76\x98\xba\xdc\xfe\7", 19));
    io::memory_reader r(bytes);
    const auto a = co_await io::read_be<std::uint32_t>(r);
    CHECK(a == 0x01020304);
    const auto b = co_await io::read_le<std::uint32_t>(r);
    CHECK(b == 0x01020304);
    const auto c = co_await io::read_be<std::int16_t>(r);
    CHECK(c == -2);
    const auto d = co_await io::read_le<std::uint64_t>(r);
    CHECK(d == 0xfedcba9876543210U);
    const auto e = co_await io::read_be<std::int8_t>(r);
    CHECK(e == 7);
    auto early = co_await attempt(io::read_be<std::uint16_t>(r));
    CHECK(early.error() == errc::unexpected_end);
    scripted_stream full;
    full.takes(0);
    auto nothing = co_await attempt(io::write_be<std::uint16_t>(full, 1));
    CHECK(nothing.error() == errc::closed);
  });
}

TEST_CASE("reading and writing whole can be cut off at every step") {
  const auto cuts = test::cut_points([]() -> future<> {
    scripted_stream s;
    s.gives("ab").waits().gives("cd").waits().takes(1).write_waits().write_waits();
    std::array<char, 3> three;
    co_await io::read_exact(s, three);
    co_await io::write_all(s, "xyz");
    const auto rest = co_await io::read_to_string(s);
    CHECK(rest == "d");
  });
  CHECK(cuts >= 4);
}
