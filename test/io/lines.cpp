#include <eddy/io/lines.hpp>

#include <doctest/doctest.h>

#include <string>

#include <eddy/eddy.hpp>
#include <eddy/io/adapters.hpp>
#include <eddy/io/buf_reader.hpp>

#include "support/mock_task.hpp"
#include "support/scripted_stream.hpp"

namespace io = eddy::io;
using eddy::attempt;
using eddy::future;
using test::scripted_stream;

TEST_CASE("lines come without their ends, the last one also without one") {
  test::run([]() -> future<> {
    io::memory_reader r("one\r\ntwo\n\nfour\rstill\r\n\rlast");
    io::lines all(r);
    for (const char* want : {"one", "two", "", "four\rstill", "\rlast"}) {
      const auto line = co_await all.next();
      CHECK(line == want);
    }
    const auto end = co_await all.next();
    CHECK(!end);
    const auto again = co_await all.next();
    CHECK(!again);
  });
}

TEST_CASE("a line that comes in pieces is kept over a dropped next and a failure") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("be").waits().gives("gun").fails(test::broken()).gives(" and done\nrest");
    io::buf_reader r(s, 16);
    io::lines all(r);
    {
      test::mock_task task;
      auto waiting = all.next();
      CHECK(!task.poll(waiting).is_ready());
    }
    auto failed = co_await attempt(all.next());
    CHECK(failed.error() == std::errc::io_error);
    const auto line = co_await all.next();
    CHECK(line == "begun and done");
    const auto rest = co_await all.next();
    CHECK(rest == "rest");
  });
}

TEST_CASE("split_by cuts a stream at any byte, and begins no piece after the last one") {
  test::run([]() -> future<> {
    io::split_by pieces(io::memory_reader("a,,b\r\n,"), ',');
    for (const char* want : {"a", "", "b\r\n"}) {
      const auto piece = co_await pieces.next();
      CHECK(piece == want);
    }
    const auto end = co_await pieces.next();
    CHECK(!end);
  });
}

TEST_CASE("read_line and read_until append with the delimiter, and 0 is the end") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("on").waits().gives("e\ntwo;thr");
    io::buf_reader r(s, 16);
    std::string out = ">";
    const auto n = co_await io::read_line(r, out);
    CHECK(n == 4);
    CHECK(out == ">one\n");
    out.clear();
    const auto m = co_await io::read_until(r, ';', out);
    CHECK(m == 4);
    CHECK(out == "two;");
    const auto k = co_await io::read_until(r, ';', out);
    CHECK(k == 3);
    CHECK(out == "two;thr");
    const auto end = co_await io::read_line(r, out);
    CHECK(end == 0);
  });
}

TEST_CASE("what read_until has read stays when it fails or is dropped") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("ab").waits().gives("cd").fails(test::broken()).gives("e;");
    io::buf_reader r(s, 16);
    std::string out;
    {
      test::mock_task task;
      auto waiting = io::read_until(r, ';', out);
      CHECK(!task.poll(waiting).is_ready());
    }
    CHECK(out == "ab");
    auto failed = co_await attempt(io::read_until(r, ';', out));
    CHECK(failed.error() == std::errc::io_error);
    CHECK(out == "abcd");
    const auto n = co_await io::read_until(r, ';', out);
    CHECK(n == 2);
    CHECK(out == "abcde;");
  });
}
