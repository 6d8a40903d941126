#include <eddy/io/duplex.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/testing/cut_points.hpp>
#include <eddy/testing/doctest.hpp>
#include <eddy/testing/mock_task.hpp>

namespace {

using eddy::future;
using eddy::io::duplex;
using eddy::io::duplex_stream;
using eddy::test::mock_task;

constexpr std::string_view eight = "01234567";

/// What is there now.
std::string read_now(duplex_stream& s, std::size_t most = 64) {
  std::string text(most, ' ');
  mock_task task;
  auto leaf = s.read(text);
  text.resize(*task.assert_ready(leaf));
  return text;
}
std::size_t write_now(duplex_stream& s, std::string_view text) {
  mock_task task;
  auto leaf = s.write(text);
  return *task.assert_ready(leaf);
}

TEST_CASE("what one end writes the other reads, in both directions") {
  auto [a, b] = duplex(32);
  CHECK(write_now(a, "ping") == 4);
  CHECK(write_now(b, "pong!") == 5);
  CHECK(read_now(b) == "ping");
  CHECK(read_now(a, 3) == "pon");
  CHECK(read_now(a) == "g!");
}

TEST_CASE("a write takes what there is room for, and wraps around") {
  auto [a, b] = duplex(8);
  CHECK(write_now(a, "abcde") == 5);
  CHECK(read_now(b, 4) == "abcd");
  CHECK(write_now(a, eight) == 7);
  CHECK(a.try_write("x").error() == std::errc::resource_unavailable_try_again);
  CHECK(read_now(b) == "e0123456");
  CHECK(b.try_read(eddy::io::buffer()).value() == 0);
  std::array<char, 1> one{};
  CHECK(b.try_read(one).error() == std::errc::resource_unavailable_try_again);
}

TEST_CASE("an empty stream is read later, a full one written later") {
  auto [a, b] = duplex(4);
  mock_task task;
  {
    std::array<char, 8> to{};
    auto reading = b.read(to);
    task.assert_pending(reading);
    task.assert_pending(reading);
    CHECK(write_now(a, "xy") == 2);
    CHECK(task.take_wakes() == 1);
    CHECK(*task.assert_ready(reading) == 2);
  }
  auto writing = a.write_all(eight);
  task.assert_pending(writing);
  CHECK(read_now(b, 3) == "012");
  CHECK(task.take_wakes() == 1);
  task.assert_pending(writing);
  CHECK(read_now(b) == "3456");
  CHECK(task.assert_ready(writing).has_value());
  CHECK(read_now(b) == "7");
}

TEST_CASE("an end that another is moved over is dropped at once") {
  auto [a, b] = duplex(8);
  auto [c, d] = duplex(8);
  CHECK(write_now(a, "x") == 1);
  a = std::move(c);
  CHECK(read_now(b) == "x");
  std::array<char, 1> one{};
  CHECK(b.try_read(one).value() == 0);
  CHECK(b.try_write("x").error() == std::errc::broken_pipe);
  CHECK(write_now(a, "y") == 1);
  CHECK(read_now(d) == "y");
}

TEST_CASE("readable and writable wait without taking") {
  auto [a, b] = duplex(2);
  mock_task task;
  auto readable = b.readable();
  task.assert_pending(readable);
  write_now(a, "ab");
  CHECK(task.take_wakes() == 1);
  CHECK(task.assert_ready(readable).has_value());
  auto writable = a.writable();
  task.assert_pending(writable);
  CHECK(read_now(b) == "ab");
  CHECK(task.take_wakes() == 1);
  CHECK(task.assert_ready(writable).has_value());
}

TEST_CASE("dropped while waiting: nothing was moved, nobody is woken") {
  auto [a, b] = duplex(2);
  mock_task task;
  {
    std::array<char, 8> to{};
    auto reading = b.read(to);
    task.assert_pending(reading);
    CHECK(task.references() == 1);
  }
  CHECK(task.references() == 0);
  write_now(a, "ab");
  {
    auto writing = a.write("cd");
    task.assert_pending(writing);
  }
  CHECK(read_now(b) == "ab");
  CHECK(task.wakes() == 0);
  CHECK(task.references() == 0);
}

TEST_CASE("two that wait to read are both woken, and one gets it all") {
  auto [a, b] = duplex(8);
  mock_task first, second;
  std::array<char, 8> to{};
  auto one = b.read(to);
  auto two = b.read(to);
  first.assert_pending(one);
  second.assert_pending(two);
  write_now(a, "abc");
  CHECK(first.take_wakes() == 1);
  CHECK(second.take_wakes() == 1);
  CHECK(*second.assert_ready(two) == 3);
  first.assert_pending(one);
  write_now(a, "d");
  CHECK(first.take_wakes() == 1);
  CHECK(second.take_wakes() == 0);
  CHECK(*first.assert_ready(one) == 1);
}

TEST_CASE("shutdown_write ends one direction, after what was written") {
  auto [a, b] = duplex(8);
  mock_task task;
  write_now(a, "last");
  CHECK(a.shutdown_write().has_value());
  CHECK(a.try_write("x").error() == std::errc::broken_pipe);
  CHECK(read_now(b) == "last");
  CHECK(read_now(b).empty());
  CHECK(read_now(b).empty());
  CHECK(write_now(b, "still") == 5);
  CHECK(read_now(a) == "still");

  auto [c, d] = duplex(8);
  std::array<char, 8> to{};
  auto reading = d.read(to);
  task.assert_pending(reading);
  CHECK(c.shutdown_write().has_value());
  CHECK(task.take_wakes() == 1);
  CHECK(*task.assert_ready(reading) == 0);
}

TEST_CASE("a dropped end is the other's end: it reads the rest, its writes fail") {
  mock_task task;
  auto pair = duplex(2);
  auto writing = pair.second.write_all("ping");
  task.assert_pending(writing);
  write_now(pair.first, "ab");
  {
    const auto dropped = std::move(pair.first);
  }
  CHECK(task.take_wakes() == 1);
  CHECK(task.assert_ready(writing).error() == std::errc::broken_pipe);
  CHECK(read_now(pair.second) == "ab");
  CHECK(read_now(pair.second).empty());
}

TEST_CASE("operations of no bytes are ready at once, and still say that the peer is gone") {
  auto pair = duplex(1);
  write_now(pair.first, "x");
  CHECK(write_now(pair.first, "") == 0);
  CHECK(pair.first.try_write("").value() == 0);
  mock_task task;
  auto none = pair.first.read(eddy::io::buffer());
  CHECK(*task.assert_ready(none) == 0);
  {
    const auto dropped = std::move(pair.second);
  }
  auto writing = pair.first.write("");
  CHECK(task.assert_ready(writing).error() == std::errc::broken_pipe);
}

TEST_CASE("an end may be assigned over") {
  mock_task task;
  auto one = duplex(4);
  auto two = duplex(4);
  write_now(two.first, "two");
  one.second = std::move(two.second);
  CHECK(read_now(one.second) == "two");
}

EDDY_TEST_CASE("streams in memory spend the task's budget") {
  auto pair = duplex(64);
  int rounds = 0;
  auto busy = [](duplex_stream& a, duplex_stream& b, int& n) -> future<> {
    std::array<char, 8> to{};
    for (;;) {
      co_await a.write_all("12345678");
      co_await b.read(to);
      ++n;
    }
  };
  auto h = eddy::spawn(busy(pair.first, pair.second, rounds));
  co_await eddy::yield_now();
  co_await eddy::yield_now();
  CHECK(rounds > 0);
  h.abort();
  static_cast<void>(co_await eddy::attempt(h));
}

future<> scenario() {
  auto pair = duplex(3);
  auto server = eddy::spawn(
      [](duplex_stream s) -> future<> {
        std::array<char, 2> to{};
        while (const auto n = co_await s.read(to)) {
          const eddy::io::const_buffer got(to.data(), n);
          co_await s.write_all(got);
        }
      },
      std::move(pair.second));
  std::string back;
  std::array<char, 4> to{};
  for (int i = 0; i < 3; ++i) {
    co_await pair.first.write_all("ab");
    for (std::size_t n = 0; n < 2;) {
      const auto got = co_await pair.first.read(to);
      back.append(to.data(), got);
      n += got;
    }
  }
  co_await pair.first.writable();
  CHECK(pair.first.shutdown_write().has_value());
  co_await pair.first.readable();
  const auto end = co_await pair.first.read(to);
  CHECK(end == 0);
  CHECK(back == "ababab");
  co_await server;
}

TEST_CASE("dropped at every cut point") { CHECK(eddy::test::cut_points(scenario) > 8); }

#if EDDY_POOL
TEST_CASE("the two ends work on different threads") {
  const eddy::test::leak_check leaks;
  auto pair = duplex(7);
  constexpr int count = 2000;
  std::thread other([end = std::move(pair.second)]() mutable {
    eddy::runtime rt;
    rt.block_on([](duplex_stream s) -> future<> {
      std::array<char, 5> to{};
      while (const auto n = co_await s.read(to)) {
        const eddy::io::const_buffer got(to.data(), n);
        co_await s.write_all(got);
      }
    }(std::move(end)));
  });
  eddy::runtime rt;
  rt.block_on([](duplex_stream s) -> future<> {
    std::array<char, 4> to{};
    for (int i = 0; i < count; ++i) {
      co_await s.write_all("abcd");
      for (std::size_t n = 0; n < 4;) {
        const auto got = co_await s.read(to);
        n += got;
      }
    }
    CHECK(s.shutdown_write().has_value());
    const auto end = co_await s.read(to);
    CHECK(end == 0);
  }(std::move(pair.first)));
  other.join();
}
#endif

#if EDDY_EXCEPTIONS
TEST_CASE("a stream without room is misuse") { CHECK_THROWS_AS(duplex(0), std::logic_error); }
#endif

}  // namespace

EDDY_TEST_CASE("two tasks answer each other through a stream in memory") {
  auto pair = duplex(32);
  auto asks = [](duplex_stream a) -> future<> {
    co_await a.write_all("ping");
    std::array<char, 4> to{};
    const auto n = co_await a.read(to);
    CHECK(n == 4);
  };
  auto answers = [](duplex_stream b) -> future<> {
    std::array<char, 4> to{};
    const auto n = co_await b.read(to);
    CHECK(n == 4);
    co_await b.write_all("pong");
  };
  auto one = eddy::spawn(asks, std::move(pair.first));
  auto two = eddy::spawn(answers, std::move(pair.second));
  co_await one;
  co_await two;
}
