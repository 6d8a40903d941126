#include <eddy/io/buf_writer.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/io/buf_stream.hpp>
#include <eddy/io/read.hpp>

#include "support/mock_task.hpp"
#include "support/scripted_stream.hpp"

namespace io = eddy::io;
using eddy::attempt;
using eddy::errc;
using eddy::future;
using test::scripted_stream;
using test::text;

TEST_CASE("small writes are held back until there is no room, a flush, or a large one") {
  test::run([]() -> future<> {
    scripted_stream s;
    io::buf_writer w(s, 4);
    for (const std::string_view part : {"a", "b", "c"}) {
      const auto n = co_await w.write(part);
      CHECK(n == 1);
    }
    CHECK(s.written.empty());
    CHECK(text(w.buffered()) == "abc");
    const auto two = co_await w.write("de");  // no room: "abc" goes first
    CHECK(two == 2);
    CHECK(s.written == "abc");
    co_await w.flush();
    CHECK(s.written == "abcde");
    const auto large = co_await w.write("0123456789");
    CHECK(large == 10);
    CHECK(s.written == "abcde0123456789");
    CHECK(s.writes == 3);
    const auto none = co_await w.write("");
    CHECK(none == 0);
  });
}

TEST_CASE("a flush goes on where a short write or a drop has left it") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.takes(2).write_waits().takes(1);
    io::buf_writer w(s, 8);
    const auto n = co_await w.write("abcdef");
    CHECK(n == 6);
    {
      test::mock_task task;
      auto flushing = w.flush();
      CHECK(!task.poll(flushing).is_ready());
      CHECK(task.take_wakes() == 1);
    }
    CHECK(s.written == "ab");
    CHECK(text(w.buffered()) == "cdef");
    co_await w.flush();
    CHECK(s.written == "abcdef");
    CHECK(w.buffered().empty());
  });
}

TEST_CASE(
    "a write that fails keeps what is held back, and a writer that takes nothing is an error") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.write_fails(test::broken()).takes(0);
    io::buf_writer w(s, 4);
    static_cast<void>(co_await w.write("abc"));
    auto failed = co_await attempt(w.flush());
    CHECK(failed.error() == std::errc::io_error);
    CHECK(text(w.buffered()) == "abc");
    auto nothing = co_await attempt(w.flush());
    CHECK(nothing.error() == errc::closed);
    co_await w.flush();
    CHECK(s.written == "abc");
  });
}

namespace {

/// What is written has arrived once it is flushed, which takes two polls.
class holding_back : public scripted_stream {
  class [[nodiscard]] flush_leaf {
   public:
    explicit flush_leaf(holding_back& of) noexcept : of_(&of) {}
    eddy::polled<eddy::result<void>> poll(eddy::context& cx) noexcept {
      if (!std::exchange(waited_, true)) {
        cx.wake();
        return eddy::pending;
      }
      if (of_->breaks) return eddy::result<void>(test::broken());
      of_->arrived = of_->written;
      return eddy::result<void>();
    }

   private:
    holding_back* of_;
    bool waited_ = false;
  };

 public:
  flush_leaf flush() noexcept { return flush_leaf(*this); }

  std::string arrived;
  bool breaks = false;
};

}  // namespace

TEST_CASE("a flush flushes what it writes to; making room does not") {
  test::run([]() -> future<> {
    holding_back inner;
    io::buf_writer w(inner, 4);
    co_await io::write_all(w, "abc");
    co_await io::write_all(w, "de");
    CHECK(inner.written == "abc");
    CHECK(inner.arrived.empty());
    co_await w.flush();
    CHECK(inner.arrived == "abcde");
    co_await io::write_all(w, "f");
    inner.breaks = true;
    auto failed = co_await attempt(w.flush());
    CHECK(failed.error() == std::errc::io_error);
    CHECK(w.buffered().empty());
    inner.breaks = false;
    co_await w.flush();  // nothing is held back here, but there
    CHECK(inner.arrived == "abcdef");
  });
}

TEST_CASE("a dropped write has taken nothing") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.write_waits();
    io::buf_writer w(s, 4);
    static_cast<void>(co_await w.write("abc"));
    {
      test::mock_task task;
      auto waiting = w.write("de");
      CHECK(!task.poll(waiting).is_ready());
    }
    CHECK(text(w.buffered()) == "abc");
    co_await io::write_all(w, "de");
    co_await w.flush();
    CHECK(s.written == "abcde");
  });
}

TEST_CASE("a stream buffered both ways reads and writes apart, and ends") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("question");
    auto b = io::buffered(s, 4, 4);
    std::array<char, 3> three;
    const auto n = co_await b.read(three);
    CHECK(n == 3);
    static_cast<void>(co_await b.write("ans"));
    CHECK(s.written.empty());
    CHECK(text(b.buffered()) == "s");
    co_await b.flush();
    CHECK(s.written == "ans");
    b.shutdown_write().value();
    CHECK(s.shut);
  });
}
