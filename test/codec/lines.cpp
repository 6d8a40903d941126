#include <eddy/codec/lines.hpp>

#include <doctest/doctest.h>

#include <string>

#include <eddy/codec/framed_read.hpp>
#include <eddy/eddy.hpp>
#include <eddy/io/adapters.hpp>

#include "support/scripted_stream.hpp"

namespace codec = eddy::codec;
namespace io = eddy::io;
using eddy::attempt;
using eddy::future;

TEST_CASE("a line that is too long is an error that says so, and the next one is read") {
  test::run([]() -> future<> {
    codec::framed_read r(io::memory_reader("four\nmore than four\nrest\n"), codec::lines(4));
    const auto four = co_await r.next();
    CHECK(four == "four");
    auto failed = co_await attempt(r.next());
    CHECK(failed.error() == std::errc::message_size);
    CHECK(failed.error().message().find("a line of more than 4 bytes") != std::string::npos);
    const auto rest = co_await r.next();
    CHECK(rest == "rest");
    const auto end = co_await r.next();
    CHECK(!end);
  });
}

TEST_CASE("UTF-8 is looked at where it is asked for, in its shortest form and without surrogates") {
  const auto passes = [](std::string_view text) {
    codec::byte_buffer b(text);
    b.push_back('\n');
    auto r = codec::lines().require_utf8().decode(b);
    if (r) CHECK(**r == text);
    if (!r) CHECK(r.error() == std::errc::illegal_byte_sequence);
    CHECK(b.empty());
    return r.has_value();
  };
  for (const char* good :
       {"", "plain text",
        "gr\xC3\xBC\xC3\x9F"
        "e",
        "\xE2\x82\xAC", "\xED\x9F\xBF", "\xF0\x9F\x8C\x80", "\xF4\x8F\xBF\xBF", "eight...\xC2\x80"})
    CHECK(passes(good));
  for (const char* bad :
       {"\x80", "\xC3", "\xC3\x28", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xE2\x82",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"})
    CHECK(!passes(bad));
  codec::byte_buffer b("\x80\n");
  CHECK(codec::lines().decode(b).value() == "\x80");
}

TEST_CASE("line views are lines that are not copied") {
  test::run([]() -> future<> {
    codec::framed_read r(io::memory_reader("one\r\n\nlast"), codec::line_views());
    for (const std::string_view want : {"one", "", "last"}) {
      const auto line = co_await r.next();
      CHECK(line == want);
    }
    const auto end = co_await r.next();
    CHECK(!end);
  });
}

TEST_CASE(
    "a byte buffer grows, gives up its front, and moves what is left only when there is less of "
    "it") {
  codec::byte_buffer b(8);
  b.append("abcdefgh");
  CHECK(b.capacity() == 8);
  CHECK(b.take(5) == "abcde");
  b.append("ijkl");  // three bytes are moved to the front
  CHECK(b.capacity() == 8);
  CHECK(b.view() == "fghijkl");
  b.consume(1);
  b.append("mnop");  // one free byte in front is not worth six moves
  CHECK(b.capacity() == 16);
  CHECK(b.view() == "ghijklmnop");
  b.truncate(3);
  CHECK(b.view() == "ghi");
  b.consume(100);
  CHECK(b.empty());
  auto room = b.prepare(1);
  CHECK(room.size() == 16);
  static_cast<char*>(room.data())[0] = 'x';
  b.commit(1);
  const codec::byte_buffer moved = std::move(b);
  CHECK(moved.view() == "x");
  CHECK(b.empty());
  CHECK(b.capacity() == 0);
}
