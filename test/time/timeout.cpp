#include <eddy/time/timeout.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;
using test::note;

eddy::runtime paused() { return eddy::runtime::builder().start_paused().build(); }

future<int> waits(test::gate& g, note) {
  note local("local");
  co_await g.wait();
  co_return 5;
}

TEST_CASE("ready at once: no timer, no look at the clock, outside of a runtime too") {
  const test::leak_check leaks;
  test::mock_task task;
  auto leaf = eddy::timeout(1s, test::after<int>(0, 3));
  auto r = task.poll(leaf);
  REQUIRE(r.is_ready());
  CHECK(**r == 3);
  test::gate open;
  open.open();
  auto fut = eddy::timeout(1s, waits(open, note("arg")));
  auto q = task.poll(fut);
  REQUIRE(q.is_ready());
  CHECK(**q == 5);
  test::take_trace();
}

TEST_CASE("ready later: its value; the timer is gone with the operation") {
  const test::leak_check leaks;
  auto rt = paused();
  test::gate g;
  rt.block_on([&]() -> future<> {
    test::mock_task task;
    {
      auto t = eddy::timeout(1s, waits(g, note("arg")));
      CHECK_FALSE(task.poll(t).is_ready());
      CHECK(test::here().timer_count() == 1);
      test::advance(1s - 1ns);
      CHECK_FALSE(task.is_woken());
      g.open();
      CHECK(task.take_wakes() == 1);
      auto r = task.poll(t);
      REQUIRE(r.is_ready());
      CHECK(**r == 5);
    }
    CHECK(test::here().timer_count() == 0);
    co_return;
  });
  test::take_trace();
}

TEST_CASE("elapsed: what did not end is destroyed before the answer is seen") {
  const test::leak_check leaks;
  auto rt = paused();
  test::gate g;
  rt.block_on([&]() -> future<> {
    test::take_trace();
    test::mock_task task;
    auto t = eddy::timeout(1s, waits(g, note("arg")));
    CHECK_FALSE(task.poll(t).is_ready());
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    CHECK(test::trace().empty());
    auto r = task.poll(t);
    CHECK(test::take_trace() == "~local ~arg ");
    REQUIRE(r.is_ready());
    REQUIRE_FALSE(r->has_value());
    CHECK(r->error() == errc::elapsed);
    CHECK(r->error() == std::errc::timed_out);
    CHECK(g.waiting() == 0);
    auto again = task.poll(t);
    REQUIRE(again.is_ready());
    CHECK(again->error() == errc::misuse);
    co_return;
  });
}

TEST_CASE("ready and elapsed in the same moment: ready wins") {
  const test::leak_check leaks;
  auto rt = paused();
  test::gate g;
  rt.block_on([&]() -> future<> {
    test::mock_task task;
    auto t = eddy::timeout(1s, waits(g, note("arg")));
    CHECK_FALSE(task.poll(t).is_ready());
    test::advance(2s);
    g.open();
    CHECK(task.poll(t)->has_value());
    auto none = eddy::timeout(0s, test::after<int>(0, 1));
    CHECK(task.poll(none)->has_value());
    auto negative = eddy::timeout(-1h, test::pass(1));
    CHECK(task.poll(negative)->error() == errc::elapsed);
    co_return;
  });
  test::take_trace();
}

TEST_CASE("timeout_at: until a point in time, and one that is over leaves one poll") {
  const test::leak_check leaks;
  auto rt = paused();
  test::gate g;
  rt.block_on([&]() -> future<> {
    test::mock_task task;
    const auto start = eddy::clock::now();
    auto at_once = eddy::timeout_at(start, test::after<int>(0, 3));
    CHECK(task.poll(at_once).take().value() == 3);
    auto over = eddy::timeout_at(start - 1s, test::after<int>(0, 4));
    CHECK(task.poll(over).take().value() == 4);
    auto late = eddy::timeout_at(eddy::instant::min(), g.wait());
    CHECK(task.poll(late).take().error() == errc::elapsed);
    CHECK(g.waiting() == 0);
    auto t = eddy::timeout_at(start + 300ms, g.wait());
    test::advance(200ms);  // it does not count from the first poll
    CHECK_FALSE(task.poll(t).is_ready());
    test::advance(100ms);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(t).take().error() == errc::elapsed);
    CHECK(test::here().timer_count() == 0);
    auto never = eddy::timeout_at(eddy::instant::max(), g.wait());
    CHECK_FALSE(task.poll(never).is_ready());
    g.open();
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(never).take().has_value());
    co_return;
  });
}

TEST_CASE("the time counts from the first poll") {
  const test::leak_check leaks;
  auto rt = paused();
  test::gate g;
  rt.block_on([&]() -> future<> {
    test::mock_task task;
    auto t = eddy::timeout(1s, g.wait());
    test::advance(5s);
    CHECK_FALSE(task.poll(t).is_ready());
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(t)->error() == errc::elapsed);
    co_return;
  });
}

TEST_CASE("dropped while waiting: both wakers are gone") {
  const test::leak_check leaks;
  auto rt = paused();
  test::gate g;
  rt.block_on([&]() -> future<> {
    test::mock_task task;
    {
      auto t = eddy::timeout(1s, waits(g, note("arg")));
      CHECK_FALSE(task.poll(t).is_ready());
    }
    CHECK(g.waiting() == 0);
    CHECK(test::here().timer_count() == 0);
    CHECK(task.references() == 0);
    {
      auto unstarted = eddy::timeout(1s, waits(g, note("arg")));
    }
    co_return;
  });
  test::take_trace();
}

TEST_CASE("a pinned by lvalue is left alive, and goes on in the next round") {
  const test::leak_check leaks;
  auto rt = paused();
  test::gate g;
  rt.block_on([](test::gate& on) -> future<> {
    test::take_trace();
    auto work = eddy::pin(waits(on, note("arg")));
    for (int i = 0; i < 3; ++i) {
      auto r = co_await eddy::attempt(eddy::timeout(1s, work));
      CHECK(r.error() == errc::elapsed);
      CHECK(on.waiting() == 1);
    }
    CHECK(test::trace().empty());
    on.open();
    auto r = co_await eddy::attempt(eddy::timeout(1s, work));
    REQUIRE(r.has_value());
    CHECK(*r == 5);
    CHECK(work.done());
    auto again = co_await eddy::attempt(eddy::timeout(1s, work));
    CHECK(again.error() == errc::misuse);
  }(g));
  test::take_trace();
}

TEST_CASE("nested: the shorter one decides, whichever it is") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    const auto start = eddy::clock::now();
    auto inner = co_await eddy::attempt(eddy::timeout(9s, eddy::timeout(1s, eddy::sleep(1h))));
    CHECK(inner.error() == errc::elapsed);
    CHECK(eddy::clock::now() == start + 1s);
    auto outer = co_await eddy::attempt(eddy::timeout(1s, eddy::timeout(9s, eddy::sleep(1h))));
    CHECK(outer.error() == errc::elapsed);
    CHECK(eddy::clock::now() == start + 2s);
    auto neither = co_await eddy::attempt(eddy::timeout(9s, eddy::timeout(9s, eddy::sleep(1s))));
    CHECK(neither.has_value());
    CHECK(eddy::clock::now() == start + 3s);
    auto both = co_await eddy::attempt(
        eddy::timeout(1s, eddy::attempt(eddy::timeout(1s, eddy::sleep(1h)))));
    static_assert(std::is_same_v<decltype(both), eddy::result<eddy::result<void>>> ||
                  std::is_same_v<decltype(both), eddy::result<void>>);
    CHECK(test::here().timer_count() == 0);
  });
}

future<eddy::result<int>> a_result(bool good) {
  co_await eddy::sleep(1ms);
  if (!good) co_return eddy::error(errc::closed, "inner");
  co_return 4;
}

TEST_CASE("references, move-only values and results pass") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    int n = 0;
    auto r =
        co_await eddy::attempt(eddy::timeout(1s, [](int& v) -> future<int&> { co_return v; }(n)));
    CHECK(&*r == &n);
    auto p = co_await eddy::attempt(
        eddy::timeout(1s, test::after<std::unique_ptr<int>>(2, std::make_unique<int>(3))));
    CHECK(**p == 3);
    auto good = co_await eddy::attempt(eddy::timeout(1s, a_result(true)));
    REQUIRE(good.has_value());
    CHECK(*good == 4);
    auto bad = co_await eddy::attempt(eddy::timeout(1s, a_result(false)));
    REQUIRE_FALSE(bad.has_value());
    CHECK(bad.error() == errc::closed);
  });
}

TEST_CASE("a time that no clock can hold never elapses") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    auto r = co_await eddy::attempt(eddy::timeout(std::chrono::hours::max(), eddy::sleep(24h)));
    CHECK(r.has_value());
  });
}

future<> scenario() {
  auto work = eddy::pin([](note) -> future<> { co_await eddy::sleep(3s); }(note("pinned")));
  for (;;) {
    auto r = co_await eddy::attempt(eddy::timeout(1s, work));
    if (r) break;
  }
  auto late = co_await eddy::attempt(eddy::timeout(1s, [](note) -> future<> {
    note local("local");
    co_await eddy::yield_now();
    co_await eddy::timeout(1h, eddy::sleep(2s));
  }(note("arg"))));
  CHECK(late.error() == errc::elapsed);
}

TEST_CASE("dropped at every cut point") {
  const auto before = note::live();
  CHECK(test::cut_points(scenario) >= 5);
  CHECK(note::live() == before);
  test::take_trace();
}

TEST_CASE("never early by the real clock") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    for (const auto d : {10us, 500us, 2000us}) {
      const auto start = std::chrono::steady_clock::now();
      auto r = co_await eddy::attempt(eddy::timeout(d, eddy::sleep(1h)));
      CHECK(std::chrono::steady_clock::now() - start >= d);
      CHECK(r.error() == errc::elapsed);
    }
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("awaited it throws elapsed; what the body throws comes out") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    bool late = false;
    try {
      co_await eddy::timeout(1s, eddy::sleep(2s));
    } catch (const eddy::elapsed& e) {
      late = e.code() == std::errc::timed_out;
    }
    CHECK(late);
    std::string what;
    try {
      co_await eddy::timeout(1s, []() -> future<> {
        co_await eddy::sleep(1ms);
        throw std::runtime_error("body");
      }());
    } catch (const std::runtime_error& e) {
      what = e.what();
    }
    CHECK(what == "body");
  });
}
#endif

}  // namespace
