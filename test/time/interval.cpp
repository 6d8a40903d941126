#include <eddy/time/interval.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::clock;
using eddy::future;
using eddy::instant;
using eddy::interval;
using eddy::missed_tick;

template <class F>
void on_paused_clock(F scenario) {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([&]() -> future<> {
    scenario();
    co_return;
  });
}

/// The tick when it is due now.
std::optional<instant> tick_now(interval& every) {
  test::mock_task task;
  auto tick = every.tick();
  auto p = task.poll(tick);
  if (!p) return std::nullopt;
  return *p;
}

TEST_CASE("the first tick is ready at once, the next after a period") {
  on_paused_clock([] {
    const auto start = clock::now();
    interval every(1s);
    CHECK(every.period() == 1s);
    CHECK(tick_now(every) == start);
    CHECK_FALSE(tick_now(every));
    test::advance(1s - 1ns);
    CHECK_FALSE(tick_now(every));
    test::advance(1ns);
    CHECK(tick_now(every) == start + 1s);
    CHECK_FALSE(tick_now(every));
  });
}

TEST_CASE("interval_at: the first tick comes at its start") {
  on_paused_clock([] {
    const auto start = clock::now();
    auto every = eddy::interval_at(start + 300ms, 1s);
    CHECK_FALSE(tick_now(every));
    test::advance(300ms);
    CHECK(tick_now(every) == start + 300ms);
    test::advance(1s);
    CHECK(tick_now(every) == start + 1300ms);
    auto past = eddy::interval_at(start, 10s);
    CHECK(tick_now(past) == start);
  });
}

TEST_CASE("a tick that waits is woken once, at its time") {
  on_paused_clock([] {
    test::mock_task task;
    const auto start = clock::now();
    auto every = eddy::interval_at(start + 1s, 1s);
    auto tick = every.tick();
    CHECK_FALSE(task.poll(tick).is_ready());
    CHECK(test::here().timer_count() == 1);
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    auto p = task.poll(tick);
    REQUIRE(p.is_ready());
    CHECK(*p == start + 1s);
    CHECK(task.references() == 0);
  });
}

TEST_CASE("ticks do not drift when each is taken a little late") {
  on_paused_clock([] {
    const auto start = clock::now();
    for (const auto b : {missed_tick::burst, missed_tick::delay, missed_tick::skip}) {
      auto every = eddy::interval_at(start, 100ms);
      every.set_missed_tick_behavior(b);
      const auto before = clock::now();
      every.reset_at(before);
      for (int i = 0; i < 50; ++i) {
        CHECK(tick_now(every) == before + i * 100ms);
        test::advance(i % 2 == 0 ? 105ms : 95ms);  // 5 ms is not too late
      }
    }
  });
}

// A period of 100 ms, the first tick taken at 0, the second at 350.
std::vector<eddy::duration> late_ticks(missed_tick b) {
  const auto start = clock::now();
  interval every(100ms);
  every.set_missed_tick_behavior(b);
  CHECK(every.missed_tick_behavior() == b);
  std::vector<eddy::duration> seen;
  CHECK(tick_now(every) == start);
  test::advance(350ms);
  for (int i = 0; i < 30; ++i) {
    while (auto t = tick_now(every)) {
      CHECK(*t <= clock::now());
      seen.push_back(*t - start);
      seen.push_back(clock::now() - start);
    }
    test::advance(10ms);
  }
  return seen;
}

TEST_CASE("burst: missed ticks come at once until it has caught up") {
  on_paused_clock([] {
    CHECK(late_ticks(missed_tick::burst) ==
          std::vector<eddy::duration>{100ms, 350ms, 200ms, 350ms, 300ms, 350ms, 400ms, 400ms, 500ms,
                                      500ms, 600ms, 600ms});
  });
}

TEST_CASE("delay: the next tick comes a period after the late one was taken") {
  on_paused_clock([] {
    CHECK(late_ticks(missed_tick::delay) ==
          std::vector<eddy::duration>{100ms, 350ms, 450ms, 450ms, 550ms, 550ms});
  });
}

TEST_CASE("skip: missed ticks are left out, the next is a multiple of the period") {
  on_paused_clock([] {
    CHECK(late_ticks(missed_tick::skip) ==
          std::vector<eddy::duration>{100ms, 350ms, 400ms, 400ms, 500ms, 500ms, 600ms, 600ms});
  });
}

TEST_CASE("reset moves the next tick, also one that is being awaited") {
  on_paused_clock([] {
    test::mock_task task;
    const auto start = clock::now();
    auto every = eddy::interval_at(start + 10s, 10s);
    auto tick = every.tick();
    CHECK_FALSE(task.poll(tick).is_ready());
    test::advance(5s);
    every.reset();  // later: 15 s
    test::advance(5s);
    CHECK_FALSE(task.is_woken());
    every.reset_after(1s);  // earlier: 11 s
    CHECK_FALSE(task.is_woken());
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    auto p = task.poll(tick);
    REQUIRE(p.is_ready());
    CHECK(*p == start + 11s);

    auto second = every.tick();
    CHECK_FALSE(task.poll(second).is_ready());
    every.reset_immediately();
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(second).take() == start + 11s);
    every.reset_at(start + 12s);
    CHECK_FALSE(tick_now(every));
    test::advance(1s);
    CHECK(tick_now(every) == start + 12s);
  });
}

TEST_CASE("a tick that was woken and is then put off is not early") {
  on_paused_clock([] {
    test::mock_task task;
    const auto start = clock::now();
    auto every = eddy::interval_at(start + 1s, 1s);
    auto tick = every.tick();
    CHECK_FALSE(task.poll(tick).is_ready());
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    every.reset_at(start + 5s);
    CHECK_FALSE(task.poll(tick).is_ready());
    test::advance(4s);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(tick).take() == start + 5s);
  });
}

TEST_CASE("two who wait: one gets this tick, the other the next") {
  on_paused_clock([] {
    test::mock_task one, two;
    const auto start = clock::now();
    auto every = eddy::interval_at(start + 1s, 1s);
    auto a = every.tick();
    auto b = every.tick();
    CHECK_FALSE(one.poll(a).is_ready());
    CHECK_FALSE(two.poll(b).is_ready());
    test::advance(1s);
    CHECK(one.take_wakes() == 1);
    CHECK(two.take_wakes() == 1);
    CHECK(one.poll(a).take() == start + 1s);
    CHECK_FALSE(two.poll(b).is_ready());
    test::advance(1s);
    CHECK(two.take_wakes() == 1);
    CHECK(two.poll(b).take() == start + 2s);
  });
}

TEST_CASE("dropped while waiting: the tick is still to come") {
  on_paused_clock([] {
    test::mock_task task;
    const auto start = clock::now();
    auto every = eddy::interval_at(start + 1s, 1s);
    {
      auto tick = every.tick();
      CHECK_FALSE(task.poll(tick).is_ready());
    }
    CHECK(test::here().timer_count() == 0);
    CHECK(task.references() == 0);
    every.reset_at(start + 500ms);
    test::advance(1s);
    CHECK(task.take_wakes() == 0);
    CHECK(tick_now(every) == start + 500ms);
  });
}

TEST_CASE("moved while a tick waits: the tick stays, the other ticks on its own") {
  on_paused_clock([] {
    test::mock_task task;
    const auto start = clock::now();
    auto every = eddy::interval_at(start + 1s, 1s);
    auto tick = every.tick();
    CHECK_FALSE(task.poll(tick).is_ready());
    auto moved = std::move(every);
    moved.reset_at(start + 10s);
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(tick).take() == start + 1s);
    CHECK_FALSE(tick_now(moved));
  });
}

TEST_CASE("an interval that goes before its tick takes nothing with it") {
  on_paused_clock([] {
    test::mock_task task;
    std::optional<interval> every(std::in_place, clock::now() + 1s, 1s);
    auto tick = every->tick();
    CHECK_FALSE(task.poll(tick).is_ready());
    every.reset();
    CHECK(task.references() == 1);  // the tick is only destroyed from now on
  });
}

TEST_CASE("at both ends of time it neither wraps nor overflows") {
  on_paused_clock([] {
    for (const auto b : {missed_tick::burst, missed_tick::delay, missed_tick::skip}) {
      auto first = eddy::interval_at(instant::min(), 1h);
      first.set_missed_tick_behavior(b);
      CHECK(tick_now(first) == instant::min());
      auto last = eddy::interval_at(instant::max(), std::chrono::hours::max());
      last.set_missed_tick_behavior(b);
      CHECK_FALSE(tick_now(last));
      interval longest(eddy::duration::max());
      longest.set_missed_tick_behavior(b);
      CHECK(tick_now(longest));
      CHECK_FALSE(tick_now(longest));
      longest.reset();
      longest.reset_after(std::chrono::hours::max());
      CHECK_FALSE(tick_now(longest));
    }
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("a period of nothing is misuse") {
  CHECK_THROWS_AS(interval(0s), std::logic_error);
  CHECK_THROWS_AS(interval(-1s), std::logic_error);
  CHECK_THROWS_AS(eddy::interval_at(instant(), 0ms), std::logic_error);
  CHECK(interval(std::chrono::duration<double, std::nano>(0.25)).period() == 1ns);
}
#endif

future<> ticks() {
  interval every(10ms);
  for (int i = 0; i < 4; ++i) {
    co_await every.tick();
    if (i == 2) every.reset_after(1s);
  }
}

TEST_CASE("dropped at every cut point") { CHECK(test::cut_points(ticks) >= 4); }

TEST_CASE("the budget: an interval far behind lets others run") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    bool stop = false;
    auto busy = eddy::spawn([](const bool& s) -> future<> {
      auto every = eddy::interval_at(instant(), 1ns);
      while (!s) co_await every.tick();
    }(stop));
    co_await eddy::yield_now();
    stop = true;
    co_await busy;
  });
}

}  // namespace
