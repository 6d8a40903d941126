// The behaviour that tokio-util's codecs.rs and length_delimited.rs test. docs/conformance.tsv says
// which case is which test.
#include <doctest/doctest.h>

#include <bit>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <eddy/codec.hpp>
#include <eddy/eddy.hpp>

#include "support/mock_task.hpp"
#include "support/scripted_stream.hpp"

namespace codec = eddy::codec;
using eddy::attempt;
using eddy::errc;
using eddy::future;
using namespace std::string_literals;

namespace {

const auto unlimited = std::numeric_limits<std::size_t>::max();

/// A codec with its buffer.
template <class C>
class bench {
 public:
  explicit bench(C c) : codec_(std::move(c)) {}
  /// Appends bytes and decodes. Returns the frame in quotes, "none" or "error".
  std::string after(std::string_view bytes) {
    buffer.append(bytes);
    return next();
  }
  std::string next() { return said(codec_.decode(buffer)); }
  std::string last() { return said(codec_.decode_eof(buffer)); }

  codec::byte_buffer buffer;

 private:
  static std::string said(const eddy::result<std::optional<std::string>>& r) {
    if (!r) return "error";
    return *r ? '"' + **r + '"' : "none";
  }
  C codec_;
};

/// Decodes what arrives in these packets and returns the frames. An empty packet stands for a wait.
std::vector<std::string> read_all(codec::length_options options, std::vector<std::string> packets) {
  std::vector<std::string> frames;
  test::run([&]() -> future<> {
    test::scripted_stream s;
    for (auto& p : packets) p.empty() ? s.waits() : s.gives(std::move(p));
    codec::framed_read r(s, codec::length_delimited(options));
    for (;;) {
      auto frame = co_await attempt(r.next());
      if (!frame) frames.push_back("error: " + frame.error().message());
      if (!frame || !*frame) co_return;
      frames.push_back(**frame);
    }
  });
  return frames;
}
std::string encoded(codec::length_delimited c, std::string_view frame) {
  codec::byte_buffer out;
  return c.encode(frame, out) ? std::string(out.view()) : "error";
}

using frames = std::vector<std::string>;
const frames three{"abcdefghi", "123", "hello world"};

codec::length_options field(std::size_t bytes) {
  codec::length_options o;
  o.length_field_length = bytes;
  return o;
}

}  // namespace

TEST_CASE("the bytes codec decodes bytes as they arrive and encodes them unchanged") {
  codec::byte_buffer b("abc");
  CHECK(codec::bytes::decode(b).value() == "abc");
  CHECK(codec::bytes::decode(b).value() == std::nullopt);
  CHECK(codec::bytes::decode(b).value() == std::nullopt);
  b.append("a");
  CHECK(codec::bytes::decode(b).value() == "a");
  const std::string large(10000, 'x');
  CHECK(codec::bytes::encode(large, b).has_value());
  CHECK(codec::bytes::encode("hello", b).has_value());
  CHECK(b.view() == large + "hello");
}

TEST_CASE("lines are decoded one by one, and an unterminated last line at the end") {
  bench b{codec::lines()};
  CHECK(b.after("line 1\nline 2\r\nline 3\n\r\n\r") == "\"line 1\"");
  CHECK(b.next() == "\"line 2\"");
  CHECK(b.next() == "\"line 3\"");
  CHECK(b.next() == "\"\"");
  CHECK(b.next() == "none");
  CHECK(b.last() == "none");
  CHECK(b.after("k") == "none");
  CHECK(b.last() == "\"\rk\"");
  CHECK(b.next() == "none");
  CHECK(b.last() == "none");
}

TEST_CASE("a line that is not UTF-8 is an error if UTF-8 is required, and the next line is read") {
  bench b{codec::lines().require_utf8()};
  CHECK(b.after("line 1\xc3\x28") == "none");
  CHECK(b.last() == "error");
  CHECK(b.last() == "none");
  CHECK(b.after("line 22222222222222\n") == "\"line 22222222222222\"");
}

TEST_CASE("a line over the maximum is one error, however the line is split") {
  bench b{codec::lines(6)};
  CHECK(b.after("line 1 is too long\nline 2\nline 3\r\nline 4\n\r\n\r") == "error");
  CHECK(b.next() == "\"line 2\"");
  CHECK(b.next() == "error");  // the "\r" makes the line one byte too long
  CHECK(b.next() == "\"line 4\"");
  CHECK(b.next() == "\"\"");
  CHECK(b.next() == "none");
  CHECK(b.after("k") == "none");
  CHECK(b.last() == "\"\rk\"");
  CHECK(b.after("aaabbbc") == "error");

  bench pieces{codec::lines(6)};
  CHECK(pieces.after("line ") == "none");
  CHECK(pieces.after("too l") == "error");
  CHECK(pieces.after("ong\n") == "none");
  CHECK(pieces.after("line 2") == "none");
  CHECK(pieces.after("\n") == "\"line 2\"");

  bench bursts{codec::lines(10)};
  CHECK(bursts.after("line ") == "none");
  CHECK(bursts.after("too l") == "none");
  CHECK(bursts.after("ong\n") == "error");

  bench big{codec::lines(10)};
  CHECK(big.after("line ") == "none");
  CHECK(big.after("too long!\n") == "error");

  bench between{codec::lines(5)};
  CHECK(between.after("hello") == "none");
  CHECK(between.after("\nworld") == "\"hello\"");

  bench repeated{codec::lines(1)};
  CHECK(repeated.after("aa") == "error");
  CHECK(repeated.after("a") == "none");

  bench twice{codec::lines(11)};
  CHECK(twice.after("line ") == "none");
  CHECK(twice.after("too very l") == "error");
  CHECK(twice.after("aaaaaaaaaaaaaaaaaaaaaaa") == "none");
  CHECK(twice.after("ong\nshort\n") == "\"short\"");
}

TEST_CASE("after an end of stream within a line that is skipped, the next line is read whole") {
  bench b{codec::lines(3)};
  CHECK(b.after("too long") == "error");
  CHECK(b.last() == "none");
  CHECK(b.after("ok\n") == "\"ok\"");
}

TEST_CASE("lines are encoded with a line end") {
  codec::lines c;
  codec::byte_buffer b;
  CHECK(c.encode("line 1", b).has_value());
  CHECK(c.encode("line 2", b).has_value());
  CHECK(b.view() == "line 1\nline 2\n");
}

TEST_CASE("any delimiter ends a piece, and two in a row enclose an empty piece") {
  bench b{codec::any_delimiter()};
  CHECK(b.after("chunk 1,chunk 2;chunk 3\n\r") == "\"chunk 1\"");
  CHECK(b.next() == "\"chunk 2\"");
  CHECK(b.next() == "\"chunk 3\"");
  CHECK(b.next() == "\"\"");
  CHECK(b.next() == "none");
  CHECK(b.last() == "none");
  CHECK(b.after("k") == "none");
  CHECK(b.last() == "\"k\"");
  CHECK(b.next() == "none");
  CHECK(b.last() == "none");
  codec::any_delimiter dashes(",", ";--;");
  codec::byte_buffer out;
  CHECK(dashes.encode("chunk 1", out).has_value());
  CHECK(dashes.encode("chunk 2", out).has_value());
  CHECK(out.view() == "chunk 1;--;chunk 2;--;");
}

TEST_CASE("a piece over the maximum is one error, however the piece is split") {
  const auto most = [](std::size_t n) { return bench(codec::any_delimiter(",;\n\r", ",", n)); };
  auto b = most(7);
  CHECK(b.after("chunk 1 is too long\nchunk 2\nchunk 3\r\nchunk 4\n\r\n") == "error");
  for (const char* want :
       {"\"chunk 2\"", "\"chunk 3\"", "\"\"", "\"chunk 4\"", "\"\"", "\"\"", "none"})
    CHECK(b.next() == want);
  CHECK(b.after("k") == "none");
  CHECK(b.last() == "\"k\"");
  CHECK(b.after("aaabbbcc") == "error");

  auto parts = most(7);
  CHECK(parts.after("chunk ") == "none");
  CHECK(parts.after("too l") == "error");
  CHECK(parts.after("ong\n") == "none");
  CHECK(parts.after("chunk 2") == "none");
  CHECK(parts.after(",") == "\"chunk 2\"");

  auto twice = most(11);
  CHECK(twice.after("chunk ") == "none");
  CHECK(twice.after("too very l") == "error");
  CHECK(twice.after("aaaaaaaaaaaaaaaaaaaaaaa") == "none");
  CHECK(twice.after("ong\nshort\n") == "\"short\"");

  auto bursts = most(11);
  CHECK(bursts.after("chunk ") == "none");
  CHECK(bursts.after("too l") == "none");
  CHECK(bursts.after("ong\n") == "error");

  auto big = most(11);
  CHECK(big.after("chunk ") == "none");
  CHECK(big.after("too long!\n") == "error");

  auto between = most(5);
  CHECK(between.after("hello") == "none");
  CHECK(between.after(",world") == "\"hello\"");

  auto repeated = most(1);
  CHECK(repeated.after("aa") == "error");
  CHECK(repeated.after("a") == "none");
  CHECK(repeated.last() == "none");
  CHECK(repeated.after("b;") == "\"b\"");
}

TEST_CASE("length-delimited frames are decoded from packets of any size") {
  CHECK(read_all({}, {}).empty());
  CHECK(read_all({}, {"\0\0\0\x09"s + "abcdefghi"}) == frames{"abcdefghi"});
  codec::length_options little;
  little.byte_order = std::endian::little;
  CHECK(read_all(little, {"\x09\0\0\0"s + "abcdefghi"}) == frames{"abcdefghi"});
  codec::length_options native;
  native.byte_order = std::endian::native;
  CHECK(read_all(native, {encoded(codec::length_delimited(native), "abc")}) == frames{"abc"});
  const std::string all =
      "\0\0\0\x09"s + "abcdefghi" + "\0\0\0\x03"s + "123" + "\0\0\0\x0b"s + "hello world";
  CHECK(read_all({}, {all}) == three);
  CHECK(read_all({}, {"\0\0"s, "\0\x09"s + "abc", "defghi"}) == frames{"abcdefghi"});
  CHECK(read_all({}, {"\0\0"s, "\0\x09"s + "abc", "defghi", "\0\0\0\x03"s + "12",
                      "3\0\0\0\x0b"s + "hello world"}) == three);
  CHECK(read_all({}, {"\0\0"s, "", "\0\x09"s + "abc", "", "defghi", ""}) == frames{"abcdefghi"});
  frames bytes;  // one at a time, with waits between
  for (const char c : all) {
    bytes.emplace_back(1, c);
    bytes.emplace_back();
  }
  CHECK(read_all({}, bytes) == three);
}

TEST_CASE("an incomplete head or frame is an error at the end of the stream") {
  for (const frames& packets : {frames{"\0\0"s}, frames{"\0"s, "", "\0"s, ""},
                                frames{"\0\0\0\x09"s + "ab", "", "cd", ""}}) {
    const auto got = read_all({}, packets);
    REQUIRE(got.size() == 1);
    CHECK(got[0].find("half a frame") != std::string::npos);
  }
}

TEST_CASE("a frame over the maximum is an error, and a new maximum applies from the next frame") {
  codec::length_options short_ones;
  short_ones.max_frame_length = 5;
  const auto got = read_all(short_ones, {"\0\0\0\x09"s + "abcdefghi"});
  REQUIRE(got.size() == 1);
  CHECK(got[0].find("a frame of 9 bytes, more than 5") != std::string::npos);
  test::run([]() -> future<> {
    test::scripted_stream s;
    const std::string frame = "\0\0\0\x09"s + "abcdefghi";
    s.gives(frame.substr(0, 8)).waits().gives(frame.substr(8)).gives(frame);
    codec::framed_read r(s, codec::length_delimited());
    {
      test::mock_task task;
      auto begun = r.next();
      task.assert_pending(begun);
    }
    r.decoder().set_max_frame_length(5);
    const auto in_flight = co_await r.next();
    CHECK(in_flight == "abcdefghi");
    auto refused = co_await attempt(r.next());
    CHECK(refused.error() == std::errc::message_size);
    r.decoder().set_max_frame_length(9);
    r.resume();
    const auto again = co_await r.next();
    CHECK(again == "abcdefghi");
  });
}

TEST_CASE("a head may have bytes around its length field, and the length may include the head") {
  CHECK(read_all(field(1), {"\x09"s + "abcdefghi"}) == frames{"abcdefghi"});
  auto offset = field(2);
  offset.length_field_offset = 4;
  CHECK(read_all(offset, {"zzzz\0\x09"s + "abcdefghi"}) == frames{"abcdefghi"});
  auto with_head = field(2);
  with_head.length_field_offset = 2;
  with_head.num_skip = 0;
  with_head.length_adjustment = 4;
  const frames heads{"xx\0\x09"s + "abcdefghi", "yy\0\x03"s + "123", "zz\0\x0b"s + "hello world"};
  CHECK(read_all(with_head, {heads[0] + heads[1] + heads[2]}) == heads);
  auto skips = field(3);
  skips.num_skip = 4;
  CHECK(read_all(skips, {"\0\0\x0b\x0c"s + "Hello world"}) == frames{"Hello world"});
  auto counts_itself = field(2);
  counts_itself.length_adjustment = -2;
  CHECK(read_all(counts_itself, {"\0\x0b"s + "abcdefghi" + "\0\x05"s + "123" + "\0\x0d"s +
                                 "hello world"}) == three);
  const auto senseless = read_all(counts_itself, {"\0\x01"s});
  CHECK(senseless.size() == 1);
  auto endless = field(1);
  endless.num_skip = 0;
  CHECK(read_all(endless, {"\0"s}).size() == 1);  // an error: the frame would consume no bytes
}

TEST_CASE("frames are written after their length") {
  CHECK(encoded(codec::length_delimited(), "abcdefghi") == "\0\0\0\x09"s + "abcdefghi");
  codec::length_options o;
  o.length_adjustment = -2;
  CHECK(encoded(codec::length_delimited(o), "abcdefghi") == "\0\0\0\x0b"s + "abcdefghi");
  o = {};
  o.byte_order = std::endian::little;
  CHECK(encoded(codec::length_delimited(o), "abcdefghi") == "\x09\0\0\0"s + "abcdefghi");
  CHECK(encoded(codec::length_delimited(field(1)), "abcdefghi") == "\x09"s + "abcdefghi");
  o = {};
  o.length_adjustment = 2;
  CHECK(encoded(codec::length_delimited(o), "a") == "error");
  o = field(1);
  o.length_adjustment = -300;
  CHECK(encoded(codec::length_delimited(o), "") == "error");  // 300 does not fit into a byte
  test::run([]() -> future<> {
    test::scripted_stream s;
    s.takes(3).write_waits().takes(1).write_waits();
    codec::framed_write w(s, codec::length_delimited());
    co_await w.flush();
    CHECK(s.writes == 0);
    co_await w.send("abcdefghi");
    co_await w.feed(std::string("123"));
    co_await w.send("hello world");
    CHECK(s.written ==
          "\0\0\0\x09"s + "abcdefghi" + "\0\0\0\x03"s + "123" + "\0\0\0\x0b"s + "hello world");
    s.takes(0);
    auto nothing = co_await attempt(w.send("abcdef"));
    CHECK(nothing.error() == errc::closed);
  });
}

TEST_CASE("a frame over the maximum is not written, but one that has begun is finished") {
  test::run([]() -> future<> {
    test::scripted_stream s;
    s.takes(6).write_waits();
    codec::framed_write w(s, codec::length_delimited());
    {
      test::mock_task task;
      auto begun = w.send("abcdef");
      task.assert_pending(begun);
    }
    w.encoder().set_max_frame_length(5);
    co_await w.flush();
    auto refused = co_await attempt(w.send("abcdef"));
    CHECK(refused.error() == std::errc::message_size);
    CHECK(refused.error().message().find("more than 5") != std::string::npos);
    CHECK(s.written == "\0\0\0\x06"s + "abcdef");
  });
}

TEST_CASE("the length field caps the maximum, and a full buffer grows") {
  const auto maximum = [](std::size_t bytes, std::ptrdiff_t adjustment, std::size_t wanted) {
    auto o = field(bytes);
    o.length_adjustment = adjustment;
    o.max_frame_length = wanted;
    return codec::length_delimited(o).max_frame_length();
  };
  CHECK(maximum(1, 0, 256) == 255);
  CHECK(maximum(1, -1, 1000) == 254);
  CHECK(maximum(1, 1, 1000) == 256);
  CHECK(maximum(8, 0, unlimited) == unlimited);
  CHECK(maximum(8, 5, unlimited) == unlimited);
  CHECK(maximum(8, 0, 10) == 10);
  CHECK(maximum(1, -300, 10) == 0);
  for (const std::ptrdiff_t adjustment : {-1, 0, 1}) {
    auto o = field(1);
    o.length_adjustment = adjustment;
    codec::length_delimited c(o);
    c.set_max_frame_length(1000);
    const auto most = static_cast<std::size_t>(255 + adjustment);
    CHECK(c.max_frame_length() == most);
    const auto out = encoded(c, std::string(most, 'x'));
    CHECK(out[0] == '\xFF');
    CHECK(encoded(c, std::string(most + 1, 'x')) == "error");
    codec::byte_buffer back(out);
    CHECK(c.decode(back).value() == std::string(most, 'x'));
  }
  codec::byte_buffer full(std::string(1024, 'a'));
  CHECK(codec::length_delimited().encode("hello", full).has_value());
  CHECK(full.size() == 1024 + 4 + 5);
#if EDDY_EXCEPTIONS
  CHECK_THROWS_AS(codec::length_delimited(field(0)), std::logic_error);
  CHECK_THROWS_AS(codec::length_delimited(field(9)), std::logic_error);
#endif
}
