// The behaviour that tokio-util's framed.rs, framed_read.rs, framed_stream.rs and framed_write.rs
// test. docs/conformance.tsv says which case is which test.
#include <eddy/codec/framed.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <eddy/codec/bytes.hpp>
#include <eddy/eddy.hpp>
#include <eddy/io/adapters.hpp>
#include <eddy/io/read.hpp>

#include "support/mock_task.hpp"
#include "support/scripted_stream.hpp"

namespace codec = eddy::codec;
namespace io = eddy::io;
using eddy::attempt;
using eddy::errc;
using eddy::future;
using test::mock_task;
using test::scripted_stream;

namespace {

/// A codec of integers, most significant byte first.
template <class T>
struct big_endian {
  eddy::result<std::optional<T>> decode(codec::byte_buffer& from) {
    ++calls;
    if (from.size() < sizeof(T)) return std::optional<T>();
    std::array<unsigned char, sizeof(T)> bytes;
    std::memcpy(bytes.data(), from.data(), sizeof(T));
    from.consume(sizeof(T));
    taken += sizeof(T);
    return std::optional<T>(eddy::detail::from_bytes<T>(bytes, true));
  }
  eddy::result<void> encode(T value, codec::byte_buffer& to) {
    to.append(eddy::detail::to_bytes(value, true));
    return {};
  }

  int calls = 0;
  std::size_t taken = 0;
};
using u32 = big_endian<std::uint32_t>;
using u64 = big_endian<std::uint64_t>;

std::string bytes(std::initializer_list<std::uint32_t> values) {
  codec::byte_buffer b;
  for (const auto v : values) static_cast<void>(u32().encode(v, b));
  return std::string(b.view());
}

/// Checks that the next frames are ready and have these values.
template <class R>
void expect(R& frames, std::initializer_list<std::uint64_t> values) {
  for (const auto want : values) {
    mock_task task;
    auto next = frames.next();
    const auto got = task.assert_ready(next).value();
    CHECK(got == want);
  }
}
template <class R>
void expect_end(R& frames) {
  mock_task task;
  auto next = frames.next();
  CHECK(!task.assert_ready(next).value());
}
template <class R>
void expect_pending(R& frames) {
  mock_task task;
  auto next = frames.next();
  task.assert_pending(next);
}
template <class R>
void expect_failure(R& frames, std::errc code = std::errc::io_error) {
  mock_task task;
  auto next = frames.next();
  CHECK(task.assert_ready(next).error() == code);
}

}  // namespace

TEST_CASE("frames in the given buffer come first, also after a change of the codec") {
  scripted_stream s;
  s.fails(test::broken());
  codec::framed_parts<scripted_stream&, u32> parts(s, u32());
  parts.read_buffer.append(bytes({42, 0, 84}));
  codec::framed f(std::move(parts));
  expect(f, {42});
  CHECK(f.codec().taken == 4);
  auto wide = std::move(f).map_codec([](u32 c) { return u64{0, c.taken}; });
  expect(wide, {84});
  CHECK(wide.codec().taken == 12);
  CHECK(s.reads == 0);
}

TEST_CASE("a given buffer grows to the usual size, never shrinks, and is not decoded while empty") {
  const auto capacity = [](codec::byte_buffer given) {
    scripted_stream s;
    codec::framed_parts<scripted_stream&, u32> parts(s, u32());
    parts.read_buffer = std::move(given);
    return codec::framed(std::move(parts)).read_buffer().capacity();
  };
  CHECK(capacity(codec::byte_buffer(bytes({42}))) == 8192);
  CHECK(capacity(codec::byte_buffer(std::string(16384, '\0'))) == 16384);
  scripted_stream s;
  s.gives(bytes({42}));
  codec::framed_parts<scripted_stream&, u32> parts(s, u32());
  parts.read_buffer = codec::byte_buffer(8192);
  codec::framed f(std::move(parts));
  expect(f, {42});
  CHECK(f.codec().calls == 1);
}

TEST_CASE("frames are decoded from one packet and from several") {
  scripted_stream one;
  one.gives(bytes({0, 1, 2}));
  codec::framed_read packet(one, u32());
  expect(packet, {0, 1, 2});
  expect_end(packet);
  scripted_stream three;
  three.gives(bytes({0})).gives(bytes({1})).gives(bytes({2}));
  codec::framed_read packets(three, u32());
  expect(packets, {0, 1, 2});
  expect_end(packets);
  scripted_stream mixed;
  mixed.gives(bytes({4, 0, 8}));
  codec::framed_read narrow(mixed, u32());
  expect(narrow, {4});
  auto wide = std::move(narrow).map_decoder([](u32) { return u64(); });
  expect(wide, {8});
  expect_end(wide);
}

TEST_CASE("reading frames waits for the reader between frames and within a frame") {
  scripted_stream s;
  s.waits().gives(bytes({0})).gives(std::string("\0\0", 2)).waits().gives(bytes({1, 2}).substr(2));
  codec::framed_read r(s, u32());
  expect_pending(r);
  expect(r, {0});
  expect_pending(r);
  expect(r, {1, 2});
  expect_end(r);
}

TEST_CASE("a failure of the reader is a failure of reading frames") {
  scripted_stream s;
  s.fails(test::broken());
  codec::framed_read at_once(s, u32());
  expect_failure(at_once);
  s.gives("ab").fails(test::broken());
  codec::framed_read partial(s, u32());
  expect_failure(partial);
  s.gives("ab").waits().fails(test::broken());
  codec::framed_read later(s, u32());
  expect_pending(later);
  expect_failure(later);
}

TEST_CASE("a frame may exceed the buffer, and left-over bytes are an error at the end") {
  struct big {
    eddy::result<std::optional<std::uint32_t>> decode(codec::byte_buffer& from) {
      if (from.size() < 32768) return std::optional<std::uint32_t>();
      from.consume(32768);
      return std::optional<std::uint32_t>(0U);
    }
  };
  const std::string zeros(32768, '\0');
  io::memory_reader all(zeros);
  codec::framed_read huge(all, big());
  expect(huge, {0});
  expect_end(huge);
  codec::framed_read five(io::memory_reader(std::string_view(zeros).substr(0, 5)), u32());
  expect(five, {0});
  mock_task task;
  auto rest = five.next();
  CHECK(task.assert_ready(rest).error() == errc::unexpected_end);
}

TEST_CASE("a decoder may make any number of frames at the end of the stream") {
  struct at_end {
    eddy::result<std::optional<std::uint32_t>> decode(codec::byte_buffer&) {
      FAIL("there are no bytes");
      return std::optional<std::uint32_t>();
    }
    eddy::result<std::optional<std::uint32_t>> decode_eof(codec::byte_buffer&) {
      return next < 4 ? std::optional(next++) : std::nullopt;
    }
    std::uint32_t next = 0;
  };
  scripted_stream s;
  codec::framed_read r(s, at_end());
  expect(r, {0, 1, 2, 3});
  expect_end(r);
}

TEST_CASE("after an end or a failure there are no frames until resume") {
  scripted_stream s;
  s.gives(bytes({1})).gives("").gives(bytes({2})).fails(test::broken()).gives(bytes({3}));
  codec::framed_read r(s, u32());
  expect(r, {1});
  expect_end(r);
  const int reads = s.reads;
  expect_end(r);
  CHECK(s.reads == reads);
  r.resume();
  expect(r, {2});
  expect_failure(r);
  expect_end(r);
  r.resume();
  expect(r, {3});
  expect_end(r);
}

TEST_CASE("fed frames are written together, also after a change of the encoder") {
  test::run([]() -> future<> {
    scripted_stream s;
    codec::framed_write w(s, u32());
    co_await w.feed(0U);
    co_await w.feed(1U);
    co_await w.feed(2U);
    CHECK(s.writes == 0);
    co_await w.flush();
    CHECK(s.writes == 1);
    CHECK(s.written == bytes({0, 1, 2}));
    co_await w.feed(4U);
    auto wide = std::move(w).map_encoder([](u32) { return u64(); });
    co_await wide.feed(std::uint64_t{8});
    CHECK(s.writes == 1);
    co_await wide.flush();
    CHECK(s.written == bytes({0, 1, 2, 4, 0, 8}));
  });
}

TEST_CASE("a feed waits once the boundary is reached, and writes everything held back") {
  scripted_stream s;
  s.write_waits();
  for (int i = 0; i < 8; ++i) s.takes(2048);
  codec::framed_write w(s, u32());
  w.set_backpressure_boundary(16384);
  CHECK(w.backpressure_boundary() == 16384);
  mock_task task;
  for (std::uint32_t i = 0; i < 4096; ++i) {
    auto feeding = w.feed(i);
    CHECK(task.assert_ready(feeding).has_value());
  }
  CHECK(s.writes == 0);
  auto feeding = w.feed(4096U);
  task.assert_pending(feeding);
  CHECK(task.assert_ready(feeding).has_value());
  CHECK(s.written.size() == 16384);
  auto flushing = w.flush();
  CHECK(task.assert_ready(flushing).has_value());
  CHECK(s.written.ends_with(bytes({4095, 4096})));
  CHECK(s.writes == 9);
}
