#include <eddy/io/copy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/io/adapters.hpp>
#include <eddy/io/buf_reader.hpp>
#include <eddy/io/buf_writer.hpp>
#include <eddy/io/copy_bidirectional.hpp>
#include <eddy/io/duplex.hpp>
#include <eddy/net/unix_stream.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/scripted_stream.hpp"

namespace io = eddy::io;
namespace net = eddy::net;
using eddy::attempt;
using eddy::errc;
using eddy::future;
using eddy::runtime;
using eddy::spawn;
using eddy::yield_now;
using test::scripted_stream;

TEST_CASE("copy moves everything and flushes the writer") {
  test::run([]() -> future<> {
    scripted_stream from;
    from.gives("abc").waits().gives("defg");
    scripted_stream to;
    to.takes(1).write_waits();
    io::buf_writer w(to, 100);
    const auto n = co_await io::copy(from, w, 2);
    CHECK(n == 7);
    CHECK(to.written == "abcdefg");
  });
}

static future<> copies(io::duplex_stream from, io::duplex_stream to) {
  io::buf_writer out(std::move(to));
  static_cast<void>(co_await io::copy(from, out));
}
static future<> copies_from_buffer(io::duplex_stream from, io::duplex_stream to) {
  io::buf_reader in(std::move(from));
  io::buf_writer out(std::move(to));
  static_cast<void>(co_await io::copy_buf(in, out));
}

static void passes_on(future<> (*by)(io::duplex_stream, io::duplex_stream)) {
  test::run([by]() -> future<> {
    auto [client, near] = io::duplex(64);
    auto [far, server] = io::duplex(64);
    auto proxy = spawn(by, std::move(near), std::move(far));
    co_await client.write_all("ping");
    std::array<char, 16> buf;
    const auto n = co_await server.read(buf);
    CHECK(n == 4);
    client.shutdown_write().value();
    co_await proxy;
  });
}
TEST_CASE("copy passes on what it has while its reader waits") { passes_on(copies); }
TEST_CASE("copy_buf passes on what it has while its reader waits") {
  passes_on(copies_from_buffer);
}

TEST_CASE("copy_buf moves everything out of the reader's buffer, and keeps what was not written") {
  test::run([]() -> future<> {
    scripted_stream from;
    from.gives("abc").gives("def");
    io::buf_reader r(from, 3);
    scripted_stream to;
    to.takes(2).takes(1).write_fails(test::broken());
    auto failed = co_await attempt(io::copy_buf(r, to));
    CHECK(failed.error() == std::errc::io_error);
    CHECK(to.written == "abc");
    CHECK(test::text(r.buffered()) == "def");
    const auto rest = co_await io::copy_buf(r, to);
    CHECK(rest == 3);
    CHECK(to.written == "abcdef");
  });
}

TEST_CASE("copy reports a failing reader, a failing writer, and one that takes nothing") {
  test::run([]() -> future<> {
    scripted_stream from;
    from.gives("a").fails(test::broken());
    io::sink nowhere;
    auto read = co_await attempt(io::copy(from, nowhere));
    CHECK(read.error() == std::errc::io_error);
    scripted_stream to;
    to.write_fails(test::broken()).takes(0);
    io::memory_reader some("abc");
    auto write = co_await attempt(io::copy(some, to));
    CHECK(write.error() == std::errc::io_error);
    io::memory_reader more("abc");
    auto nothing = co_await attempt(io::copy(more, to));
    CHECK(nothing.error() == errc::closed);
  });
}

TEST_CASE("an endless copy lets other tasks run") {
  test::run([]() -> future<> {
    auto endless = spawn([]() -> future<> {
      io::repeat from('x');
      io::sink to;
      static_cast<void>(co_await io::copy(from, to));
    });
    co_await yield_now();
    co_await yield_now();
    CHECK(!endless.is_finished());
    endless.abort();
    auto ended = co_await attempt(endless);
    CHECK(ended.error() == errc::aborted);
  });
}

TEST_CASE("copy_bidirectional is a proxy: each way ends by itself, and tells the other side") {
  const test::leak_check leaks;
  runtime rt;
  rt.block_on([]() -> future<> {
    auto left = net::unix_stream::pair().value();
    auto right = net::unix_stream::pair().value();
    auto proxy = spawn(
        [](net::unix_stream a, net::unix_stream b) -> future<io::copied> {
          auto n = co_await io::copy_bidirectional(a, b);
          co_return n;
        },
        std::move(left.second), std::move(right.first));
    co_await left.first.write_all("question");
    left.first.shutdown_write().value();
    const auto asked = co_await io::read_to_string(right.second);
    CHECK(asked == "question");
    co_await right.second.write_all("the answer");
    right.second.shutdown_write().value();
    const auto answered = co_await io::read_to_string(left.first);
    CHECK(answered == "the answer");
    const auto n = co_await proxy;
    CHECK(n.a_to_b == 8);
    CHECK(n.b_to_a == 10);
  });
}

TEST_CASE("a proxy ends with the first failure") {
  test::run([]() -> future<> {
    scripted_stream a;
    a.waits().fails(test::broken());
    scripted_stream b;
    b.waits().waits().waits();
    auto failed = co_await attempt(io::copy_bidirectional(a, b));
    CHECK(failed.error() == std::errc::io_error);
  });
}

TEST_CASE("a proxy can be cut off at every step") {
  const auto cuts = test::cut_points([]() -> future<> {
    scripted_stream a;
    a.gives("abc").waits().waits().write_waits();
    scripted_stream b;
    b.waits().gives("xyz").takes(1).write_waits();
    const auto n = co_await io::copy_bidirectional(a, b);
    CHECK(n.a_to_b == 3);
    CHECK(a.written == "xyz");
    CHECK(b.shut);
  });
  CHECK(cuts >= 3);
}
