#include <eddy/io/adapters.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

#include <eddy/eddy.hpp>
#include <eddy/io/buf_writer.hpp>
#include <eddy/io/lines.hpp>
#include <eddy/io/read.hpp>
#include <eddy/io/split.hpp>

#include "support/mock_task.hpp"
#include "support/scripted_stream.hpp"

namespace io = eddy::io;
using eddy::future;
using eddy::spawn;
using test::scripted_stream;

namespace {

/// Whether `op()` again and again runs out of budget: then it lets others run.
template <class Op>
future<bool> is_cooperative(Op op) {
  bool other_ran = false;
  auto other = spawn(
      [](bool* ran) -> future<> {
        *ran = true;
        co_return;
      },
      &other_ran);
  for (int i = 0; i < 1000; ++i) static_cast<void>(co_await op());
  co_await other;
  co_return other_ran;
}

}  // namespace

TEST_CASE("take ends after its limit, which can be set anew") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("abc").waits().gives("defg");
    io::take t(s, 5);
    const auto first = co_await io::read_to_string(t);
    CHECK(first == "abcde");
    CHECK(t.limit() == 0);
    t.set_limit(100);
    const auto rest = co_await io::read_to_string(t);
    CHECK(rest == "fg");
    CHECK(t.limit() == 98);
  });
}

TEST_CASE("chain reads one after the other, and an empty read does not skip the first") {
  test::run([]() -> future<> {
    scripted_stream a;
    a.waits().gives("first ");
    io::chain both(a, io::memory_reader("second"));
    const auto none = co_await both.read(io::buffer());
    CHECK(none == 0);
    const auto all = co_await io::read_to_string(both);
    CHECK(all == "first second");
    CHECK(both.second().rest().empty());
  });
}

TEST_CASE("join makes a stream of a reader and a writer") {
  test::run([]() -> future<> {
    scripted_stream s;
    std::string out;
    io::join both(io::memory_reader("in"), io::buf_writer(io::memory_writer(out), 16));
    const auto in = co_await io::read_to_string(both);
    CHECK(in == "in");
    co_await io::write_all(both, "out");
    CHECK(out.empty());
    co_await both.flush();
    CHECK(out == "out");
    CHECK(both.reader().rest().empty());
    CHECK(both.writer().buffered().empty());
  });
}

TEST_CASE("empty is at its end and takes everything, sink takes everything, repeat never ends") {
  test::run([]() -> future<> {
    io::empty none;
    std::array<char, 3> buf{};
    const auto end = co_await none.read(buf);
    CHECK(end == 0);
    const auto n = co_await none.write("abc");
    CHECK(n == 3);
    io::sink hole;
    const auto m = co_await hole.write("abcd");
    CHECK(m == 4);
    io::repeat z('z');
    const auto k = co_await z.read(buf);
    CHECK(k == 3);
    CHECK(std::string_view(buf.data(), 3) == "zzz");
  });
}

TEST_CASE("streams that are always ready let other tasks run") {
  test::run([]() -> future<> {
    std::array<char, 8> buf{};
    io::empty none;
    CHECK(co_await is_cooperative([&] { return none.read(buf); }));
    CHECK(co_await is_cooperative([&] { return none.write("x"); }));
    io::sink hole;
    CHECK(co_await is_cooperative([&] { return hole.write("x"); }));
    io::repeat z('z');
    CHECK(co_await is_cooperative([&] { return z.read(buf); }));
    io::memory_reader m("");
    CHECK(co_await is_cooperative([&] { return m.read(buf); }));
    CHECK(co_await is_cooperative([&] { return m.fill(); }));
    std::string out;
    io::memory_writer w(out);
    CHECK(co_await is_cooperative([&] { return w.write("x"); }));
  });
}

TEST_CASE("any stream splits into halves and is made whole again") {
  test::run([]() -> future<> {
    scripted_stream s;
    s.gives("in");
    auto [reader, writer] = io::split(std::move(s));
    const auto in = co_await io::read_to_string(reader);
    CHECK(in == "in");
    co_await io::write_all(writer, "out");
    writer.shutdown_write().value();
    CHECK(&reader.stream() == &writer.stream());
    const scripted_stream whole = io::unsplit(std::move(reader), std::move(writer));
    CHECK(whole.written == "out");
    CHECK(whole.shut);
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("halves of different streams are not put together") {
  auto one = io::split(scripted_stream());
  auto two = io::split(scripted_stream());
  CHECK_THROWS_WITH_AS(io::unsplit(one.reader, two.writer),
                       "eddy: unsplit: these are halves of different streams", std::logic_error);
}
#endif
