#include <eddy/testing/clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include <eddy/eddy.hpp>
#include <eddy/testing/doctest.hpp>
#include <eddy/testing/mock_task.hpp>

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::test::advance;

future<> note_after(std::string& log, eddy::duration d, char c) {
  co_await eddy::sleep(d);
  log += c;
}

/// Lets what is ready run; twice, because a shuffled queue may put us first.
future<> others() {
  co_await eddy::yield_now();
  co_await eddy::yield_now();
}

EDDY_TEST_CASE("a paused clock jumps to the next timer when nothing else is to do") {
  CHECK(eddy::test::is_paused());
  std::string log;
  const auto start = eddy::clock::now();
  auto late = eddy::spawn(note_after(log, 24h, 'b'));
  auto soon = eddy::spawn(note_after(log, 1h, 'a'));
  co_await eddy::yield_now();
  CHECK(eddy::clock::now() == start);
  co_await late;
  CHECK(log == "ab");
  CHECK(eddy::clock::now() == start + 24h);
  co_await soon;
}

EDDY_TEST_CASE("advance wakes what is due, which runs when the test waits") {
  std::string log;
  const auto start = eddy::clock::now();
  auto h = eddy::spawn(note_after(log, 2s, 'x'));
  co_await others();
  advance(2s - 1ns);
  co_await others();
  CHECK(log.empty());
  advance(1ns);
  CHECK(log.empty());
  co_await others();
  CHECK(log == "x");
  CHECK(eddy::clock::now() == start + 2s);
  co_await h;
}

EDDY_TEST_CASE("a paused clock waits for blocking jobs") {
  const auto start = eddy::clock::now();
  auto slow = eddy::spawn_blocking([] { return eddy::clock::now(); });
  auto r = co_await eddy::attempt(eddy::timeout(1h, slow));
  REQUIRE(r.has_value());
  CHECK(*r == start);
}

EDDY_TEST_CASE("a blocking job that nobody awaits lets the clock go on") {
  const auto start = eddy::clock::now();
  {
    auto dropped = eddy::spawn_blocking([] {});
  }
  co_await eddy::sleep(1h);
  CHECK(eddy::clock::now() == start + 1h);
}

EDDY_TEST_CASE_REAL_TIME("pause stops the clock and resume lets it go on from there") {
  CHECK_FALSE(eddy::test::is_paused());
  eddy::test::pause();
  const auto start = eddy::clock::now();
  co_await eddy::sleep(1h);
  CHECK(eddy::clock::now() == start + 1h);
  eddy::test::resume();
  const auto resumed = eddy::clock::now();
  CHECK(resumed >= start + 1h);
  CHECK(resumed < start + 2h);
  co_await eddy::sleep(1ms);
  CHECK(eddy::clock::now() >= resumed + 1ms);
}

#if EDDY_EXCEPTIONS
TEST_CASE("outside of a task there is no clock to pause, and a running one does not advance") {
  CHECK_THROWS_AS(eddy::test::pause(), std::logic_error);
  CHECK_THROWS_AS(eddy::test::resume(), std::logic_error);
  CHECK_THROWS_AS(advance(1s), std::logic_error);
  eddy::runtime rt;
  const auto entered = rt.enter();
  CHECK_THROWS_AS(eddy::test::pause(), std::logic_error);
  CHECK_THROWS_AS(rt.block_on([]() -> future<> {
    advance(1s);
    co_return;
  }),
                  std::logic_error);
}
#endif

}  // namespace
