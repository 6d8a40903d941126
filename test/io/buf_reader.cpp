#include <eddy/io/buf_reader.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

#include <eddy/eddy.hpp>
#include <eddy/io/adapters.hpp>

#include "support/mock_task.hpp"
#include "support/scripted_stream.hpp"

namespace io = eddy::io;
using eddy::attempt;
using eddy::future;
using eddy::spawn;
using test::scripted_stream;
using test::text;

TEST_CASE("a buffered reader reads ahead and hands out what is asked for") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("abcdef").gives("gh");
    io::buf_reader r(s, 4);
    std::array<char, 2> two;
    std::string got;
    for (;;) {
      const auto n = co_await r.read(two);
      if (n == 0) break;
      got.append(two.data(), n);
    }
    CHECK(got == "abcdefgh");
    CHECK(s.reads == 4);  // "abcd", "ef", "gh", the end
  });
}

TEST_CASE("a buffered read of nothing does not wait") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("abc");
    io::buf_reader r(s, 4);
    const auto n = co_await r.read(io::buffer());
    CHECK(n == 0);
    CHECK(s.reads == 0);
  });
}

TEST_CASE("a read as large as the buffer goes past it when that is empty") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("abcdefgh");
    io::buf_reader r(s, 4);
    std::array<char, 8> large;
    const auto n = co_await r.read(large);
    CHECK(n == 8);
    CHECK(r.buffered().empty());
    std::array<char, 1> one;
    const auto end = co_await r.read(one);
    CHECK(end == 0);
  });
}

TEST_CASE("fill shows what is buffered, and consume takes it out") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("abc").waits().gives("d");
    io::buf_reader r(s, 8);
    auto there = co_await r.fill();
    CHECK(text(there) == "abc");
    r.consume(1);
    there = co_await r.fill();
    CHECK(text(there) == "bc");
    CHECK(s.reads == 1);
    r.consume(100);
    there = co_await r.fill();
    CHECK(text(there) == "d");
    r.consume(1);
    there = co_await r.fill();
    CHECK(there.empty());
  });
}

TEST_CASE("a buffered read that is dropped while it waits loses nothing") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.waits().gives("abc");
    io::buf_reader r(s, 8);
    std::array<char, 2> two;
    {
      test::mock_task task;
      auto waiting = r.read(two);
      CHECK(!task.poll(waiting).is_ready());
      CHECK(task.take_wakes() == 1);
    }
    const auto n = co_await r.read(two);
    CHECK(n == 2);
    CHECK(text(r.buffered()) == "c");
  });
}

TEST_CASE("a failing read is an error of the buffered reader, and what comes later can be read") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.fails(test::broken()).gives("after");
    io::buf_reader r(s, 8);
    std::array<char, 8> buf;
    std::array<char, 2> two;
    auto failed = co_await attempt(r.read(two));
    CHECK(failed.error() == std::errc::io_error);
    const auto n = co_await r.read(two);
    CHECK(n == 2);
    const auto m = co_await r.read(buf);
    CHECK(m == 3);
  });
}

TEST_CASE("a buffered reader owns its reader by value and gives it back") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("abc");
    io::buf_reader r(std::move(s));
    std::array<char, 1> one;
    const auto n = co_await r.read(one);
    CHECK(n == 1);
    CHECK(r.inner().reads == 1);
    const auto written = co_await r.write("through");
    CHECK(written == 7);
    scripted_stream back = std::move(r).into_inner();
    CHECK(back.written == "through");
  });
}

TEST_CASE("reading what is always there lets other tasks run") {
  test::run([]() -> future<> {
    bool other_ran = false;
    auto other = spawn(
        [](bool* ran) -> future<> {
          *ran = true;
          co_return;
        },
        &other_ran);
    io::buf_reader r(io::repeat('x'), 16);
    std::array<char, 1> one;
    for (int i = 0; i < 1000; ++i) static_cast<void>(co_await r.read(one));
    CHECK(other_ran);
    co_await other;
  });
}
