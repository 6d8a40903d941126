// The behaviour that Tokio's time_sleep.rs, time_timeout.rs, time_pause.rs and time_rt.rs test and
// test/time does not.

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::clock;
using eddy::errc;
using eddy::future;

template <class F>
void on_paused_clock(F scenario) {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on(scenario());
}

// ---- sleep

TEST_CASE("on a paused clock sleeps end exactly on time, whatever their start and length") {
  on_paused_clock([]() -> future<> {
    for (const auto before : {eddy::duration(0), eddy::duration(5ms)}) {
      co_await eddy::sleep(before);
      for (const auto d : {eddy::duration(1ms), eddy::duration(1ms + 1ns), eddy::duration(10ms),
                           eddy::duration(60ms)}) {
        const auto start = clock::now();
        co_await eddy::sleep_until(start + d);
        CHECK(clock::now() == start + d);
      }
    }
  });
}

TEST_CASE("a paused clock carries sleeps of years") {
  on_paused_clock([]() -> future<> {
    constexpr auto year = 365 * 24h;
    const auto start = clock::now();
    co_await eddy::sleep_until(start + 5 * year);
    CHECK(clock::now() == start + 5 * year);
    for (int i = 0; i < 5; ++i) co_await eddy::sleep(year);
    CHECK(clock::now() == start + 10 * year);
    co_await eddy::sleep_until(start + 20 * year);
    CHECK(clock::now() == start + 20 * year);
  });
}

TEST_CASE("the longest sleeps end at the end of time, after all others") {
  on_paused_clock([]() -> future<> {
    test::mock_task task;
    auto longest = eddy::sleep(std::chrono::hours::max());
    CHECK_FALSE(task.poll(longest).is_ready());
    co_await eddy::sleep(1ns);
    CHECK_FALSE(task.is_woken());
    co_await eddy::sleep(eddy::duration::max() - 1ms - clock::now().time_since_epoch());
    CHECK_FALSE(task.is_woken());
    co_await eddy::sleep(eddy::duration::max());
    CHECK(clock::now() == eddy::instant::max());
    CHECK(task.take_wakes() == 1);
    co_await eddy::sleep(1h);  // ends at once: the clock cannot go further
  });
}

TEST_CASE("a thousand sleeps of zero length end by the real clock") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    for (int i = 0; i < 1000; ++i) co_await eddy::sleep(0ms);
  });
}

// ---- timeout

/// Never waits: each of its awaits is ready at once.
future<> never_waits() {
  for (;;) co_await eddy::sleep(0s);
}

TEST_CASE("a future whose awaits are always ready does not outrun its timeout") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto r = co_await eddy::attempt(eddy::timeout(1ms, never_waits()));
    CHECK(r.error() == errc::elapsed);
  });
}

TEST_CASE("a timeout returns a promise's value in time, and elapses by the real clock") {
  on_paused_clock([]() -> future<> {
    test::mock_task task;
    eddy::promise<int> p, q;
    auto t = eddy::timeout(100ms, p.get_future());
    auto u = eddy::timeout_at(clock::now() + 100ms, q.get_future());
    CHECK_FALSE(task.poll(t).is_ready());
    CHECK_FALSE(task.poll(u).is_ready());
    test::advance(90ms);
    CHECK_FALSE(task.poll(t).is_ready());
    CHECK_FALSE(task.poll(u).is_ready());
    CHECK_FALSE(task.is_woken());
    p.set_value(7);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(t).take().value() == 7);
    q.set_value(8);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(u).take().value() == 8);
    co_return;
  });
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    eddy::promise<int> p;
    const auto start = clock::now();
    auto r = co_await eddy::attempt(eddy::timeout(10ms, p.get_future()));
    CHECK(r.error() == errc::elapsed);
    CHECK(clock::now() >= start + 10ms);
  });
}

// ---- the paused clock

TEST_CASE("any task may pause the clock") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto t = eddy::spawn([]() -> future<> {
      eddy::test::pause();
      co_return;
    });
    co_await t;
    const auto start = clock::now();
    co_await eddy::sleep(24h);
    CHECK(clock::now() == start + 24h);
  });
}

std::vector<eddy::duration> random_sleeps() {
  std::vector<eddy::duration> times;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([](std::vector<eddy::duration>& seen) -> future<> {
    std::mt19937_64 random(1);
    const auto start = clock::now();
    for (int i = 0; i < 10'000; ++i) {
      co_await eddy::sleep(eddy::duration(static_cast<std::int64_t>(random() % 1'000'000'000)));
      seen.push_back(clock::now() - start);
    }
  }(times));
  return times;
}

TEST_CASE("two runs on a paused clock see the same times") {
  const auto times = random_sleeps();
  CHECK(times.size() == 10'000);
  CHECK(times == random_sleeps());
}

TEST_CASE("advance moves the clock by exactly its argument, with timers or without") {
  on_paused_clock([]() -> future<> {
    test::mock_task task;
    for (const bool with_timer : {false, true}) {
      std::optional<eddy::sleep_leaf> timer;
      if (with_timer) {
        timer.emplace(clock::now() + 60s);
        CHECK_FALSE(task.poll(*timer).is_ready());
      }
      for (const eddy::duration d :
           {eddy::duration(51'592us), eddy::duration(1us), eddy::duration(3'141'592us),
            eddy::duration(3'123'456us), eddy::duration(1ms), eddy::duration(1ms)}) {
        const auto start = clock::now();
        test::advance(d);
        CHECK(clock::now() == start + d);
      }
      if (timer) CHECK_FALSE(task.poll(*timer).is_ready());
      CHECK_FALSE(task.is_woken());
    }
    co_return;
  });
}

TEST_CASE("a sleep is pending after an advance that is too short, polled before it or not") {
  on_paused_clock([]() -> future<> {
    for (const bool polled_before : {true, false}) {
      test::mock_task task;
      const auto start = clock::now();
      test::advance(1ms);
      auto s = eddy::sleep_until(start + 300ms);
      if (polled_before) CHECK_FALSE(task.poll(s).is_ready());
      test::advance(100ms);
      CHECK(clock::now() == start + 101ms);
      CHECK_FALSE(task.poll(s).is_ready());
      CHECK_FALSE(task.is_woken());
    }
    co_return;
  });
}

/// Polls a sleep, advances the clock within the same poll, and polls it again.
class advances_between {
 public:
  explicit advances_between(bool poll_before) noexcept
      : sleep_(clock::now() + 300ms), poll_before_(poll_before) {}
  eddy::polled<bool> poll(eddy::context& cx) noexcept {
    if (poll_before_ && sleep_.poll(cx)) return true;
    test::advance(100ms);
    return sleep_.poll(cx).is_ready();
  }

 private:
  eddy::sleep_leaf sleep_;
  bool poll_before_;
};

TEST_CASE("the task that advances the clock may itself sleep") {
  on_paused_clock([]() -> future<> {
    for (const bool before : {true, false}) {
      const bool ended = co_await advances_between(before);
      CHECK_FALSE(ended);
    }
  });
}

TEST_CASE("a sleep advanced in quarters wakes with the last one") {
  on_paused_clock([]() -> future<> {
    test::mock_task task;
    auto once = eddy::sleep(1ms);
    CHECK_FALSE(task.poll(once).is_ready());
    test::advance(250us);
    CHECK_FALSE(task.poll(once).is_ready());
    test::advance(1500us);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(once).is_ready());
    auto quarters = eddy::sleep(1ms);
    for (int i = 0; i < 4; ++i) {
      CHECK_FALSE(task.is_woken());
      CHECK_FALSE(task.poll(quarters).is_ready());
      test::advance(250us);
    }
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(quarters).is_ready());
    co_return;
  });
}

TEST_CASE("an interval ticks on a clock that is advanced by hand") {
  on_paused_clock([]() -> future<> {
    const auto start = clock::now();
    test::advance(1ms);
    auto every = eddy::interval_at(start, 300ms);
    const auto ticks = [&every](std::vector<eddy::instant> expected) {
      test::mock_task task;
      for (const auto due : expected) {
        auto tick = every.tick();
        auto p = task.poll(tick);
        REQUIRE(p.is_ready());
        CHECK((*p == due));
      }
      auto tick = every.tick();
      CHECK_FALSE(task.poll(tick).is_ready());
    };
    ticks({start});
    test::advance(100ms);
    ticks({});
    test::advance(200ms);
    ticks({start + 300ms});
    test::advance(400ms);
    ticks({start + 600ms});
    test::advance(500ms);
    ticks({start + 900ms, start + 1200ms});
    co_return;
  });
}

// ---- timers and runtimes

TEST_CASE("a task may sleep while another thread waits for it") {
  const test::leak_check leaks;
  eddy::runtime rt;
  eddy::promise<bool> done;
  auto ended = done.get_future();
  auto h = rt.spawn([](eddy::promise<bool> p) -> future<> {
    const auto when = clock::now() + 10ms;
    co_await eddy::sleep_until(when);
    p.set_value(clock::now() >= when);
  }(std::move(done)));
  std::thread driver([&] { rt.block_on(std::move(h)); });
  CHECK(eddy::runtime().block_on(std::move(ended)));
  driver.join();
}

/// Wakes its task at every poll until its sleep has ended.
class starve {
 public:
  explicit starve(eddy::instant deadline) noexcept : sleep_(deadline) {}
  eddy::polled<int> poll(eddy::context& cx) noexcept {
    if (sleep_.poll(cx)) return polls_;
    ++polls_;
    cx.wake();
    return eddy::pending;
  }

 private:
  eddy::sleep_leaf sleep_;
  int polls_ = 0;
};

TEST_CASE("a task that always wakes itself does not starve its own timer") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    const auto when = clock::now() + 10ms;
    const int polls = co_await starve(when);
    CHECK(polls > 0);
    CHECK(clock::now() >= when);
  });
}

TEST_CASE("a timer stays with the runtime that polled it, even if another one resets it") {
  const test::leak_check leaks;
  auto one = eddy::runtime::builder().start_paused().build();
  std::this_thread::sleep_for(1ms);
  auto other = eddy::runtime::builder().start_paused().build();
  test::mock_task task;
  std::optional<eddy::sleep_leaf> s;
  eddy::instant start;
  one.block_on([&]() -> future<> {
    start = clock::now();
    s.emplace(start + 1ms);
    CHECK_FALSE(task.poll(*s).is_ready());
    co_return;
  });
  other.block_on([](eddy::sleep_leaf& leaf) -> future<> {
    leaf.reset(leaf.deadline() + 1ms);
    CHECK(test::here().timer_count() == 0);
    co_return;
  }(*s));
  one.block_on([](eddy::sleep_leaf& leaf, eddy::instant from) -> future<> {
    co_await leaf;
    CHECK(clock::now() == from + 2ms);
  }(*s, start));
}

}  // namespace
