#include <eddy/time/sleep.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::clock;
using eddy::future;

eddy::runtime paused() { return eddy::runtime::builder().start_paused().build(); }

template <class F>
void on_paused_clock(F scenario) {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([&]() -> future<> {
    scenario();
    co_return;
  });
}

TEST_CASE("ready at once: a time that is over, none, or negative") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto none = eddy::sleep(0s);
    CHECK(task.poll(none).is_ready());
    auto negative = eddy::sleep(std::chrono::hours::min());
    CHECK(task.poll(negative).is_ready());
    auto past = eddy::sleep_until(clock::now() - 1s);
    CHECK(task.poll(past).is_ready());
    auto first = eddy::sleep_until(eddy::instant::min());
    CHECK(task.poll(first).is_ready());
    CHECK(task.take_wakes() == 0);
    CHECK(test::here().timer_count() == 0);
    co_return;
  });
}

TEST_CASE("ready later: at its time and not a nanosecond earlier, with one wake") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    for (const auto d :
         {eddy::duration(1ns), eddy::duration(1023ns), eddy::duration(1024ns), eddy::duration(1ms),
          eddy::duration(1h + 1ns), eddy::duration(24h * 365)}) {
      CAPTURE(d.count());
      test::mock_task task;
      auto s = eddy::sleep(d);
      CHECK(s.deadline() == clock::now() + d);
      CHECK_FALSE(task.poll(s).is_ready());
      CHECK(test::here().timer_count() == 1);
      test::advance(d - 1ns);
      CHECK_FALSE(task.is_woken());
      CHECK_FALSE(task.poll(s).is_ready());
      test::advance(1ns);
      CHECK(task.take_wakes() == 1);
      CHECK(test::here().timer_count() == 0);
      CHECK(task.poll(s).is_ready());
      CHECK(task.references() == 0);
    }
    co_return;
  });
}

TEST_CASE("the time counts from the call, not from the first poll") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto s = eddy::sleep(2s);
    test::advance(2s);
    CHECK(task.poll(s).is_ready());
    co_return;
  });
}

TEST_CASE("moved before its first poll") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto s = eddy::sleep(2s);
    auto moved = std::move(s);
    CHECK_FALSE(task.poll(moved).is_ready());
    test::advance(2s);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(moved).is_ready());
    co_return;
  });
}

TEST_CASE("dropped while waiting: out of the wheel, nobody is woken") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    test::mock_task task;
    {
      auto s = eddy::sleep(1s);
      CHECK_FALSE(task.poll(s).is_ready());
      CHECK(task.references() == 1);
    }
    CHECK(test::here().timer_count() == 0);
    CHECK(task.references() == 0);
    test::advance(2s);
    CHECK(task.take_wakes() == 0);
    {
      auto s = eddy::sleep(1s);
      CHECK_FALSE(task.poll(s).is_ready());
      test::advance(1s);
    }  // after it was woken
    CHECK(task.take_wakes() == 1);
    co_return;
  });
}

TEST_CASE("polled by different tasks: the last one is woken, and no waker of the others is kept") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    test::mock_task one, two;
    auto s = eddy::sleep(1s);
    CHECK_FALSE(one.poll(s).is_ready());
    CHECK_FALSE(two.poll(s).is_ready());
    CHECK_FALSE(two.poll(s).is_ready());
    CHECK(one.references() == 0);
    CHECK(two.references() == 1);
    CHECK(test::here().timer_count() == 1);
    test::advance(1s);
    CHECK(one.take_wakes() == 0);
    CHECK(two.take_wakes() == 1);
    CHECK(one.poll(s).is_ready());
    co_return;
  });
}

TEST_CASE("one that is dropped when another wakes") {
  // A wake target may destroy a leaf that has expired in the same moment and was not woken yet.
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    class dropper final : public eddy::wake_target {
     public:
      explicit dropper(std::deque<std::optional<eddy::sleep_leaf>>& all) noexcept : all_(&all) {}
      void wake() noexcept override {
        ++wakes;
        all_->back().reset();
      }
      void retain() noexcept override {}
      void release() noexcept override {}
      int wakes = 0;

     private:
      std::deque<std::optional<eddy::sleep_leaf>>* all_;
    };
    std::deque<std::optional<eddy::sleep_leaf>> all;
    dropper target(all);
    eddy::context cx(target);
    for (int i = 0; i < 3; ++i) {
      all.emplace_back(std::in_place, clock::now() + 1s);
      CHECK_FALSE(all.back()->poll(cx).is_ready());
    }
    test::advance(1s);
    CHECK(target.wakes == 2);
    CHECK(test::here().timer_count() == 0);
    co_return;
  });
}

future<> nap(eddy::duration d) { co_await eddy::sleep(d); }
future<> naps() {
  auto a = eddy::spawn(nap(1s));
  auto b = eddy::spawn(nap(2s));
  co_await eddy::sleep(1500ms);
  co_await b;
  co_await a;
  for (int i = 0; i < 3; ++i) co_await eddy::sleep(1ms);
}

TEST_CASE("dropped at every cut point") { CHECK(test::cut_points(naps) >= 8); }

future<> mark(eddy::duration d, int n, std::vector<int>& order) {
  co_await eddy::sleep(d);
  order.push_back(n);
}

TEST_CASE(
    "many sleepers wake in order of their deadlines, equal ones in order of their going to sleep") {
  const test::leak_check leaks;
  auto rt = paused();
  std::vector<int> order;
  constexpr int n = 2000;
  std::vector<std::pair<std::int64_t, int>> expected;
  rt.block_on([&]() -> future<> {
    std::uint64_t x = 1;
    std::vector<eddy::join_handle<>> all;
    const auto start = clock::now();
    for (int i = 0; i < n; ++i) {
      x = x * 6364136223846793005U + 1442695040888963407U;
      const auto us = static_cast<std::int64_t>((x >> 33) % (i % 2 == 0 ? 500 : 5'000'000));
      expected.emplace_back(us, i);
      all.push_back(eddy::spawn(mark(std::chrono::microseconds(us + 1), i, order)));
    }
    for (auto& h : all) co_await h;
    CHECK(clock::now() - start < 6s);
  });
  std::sort(expected.begin(), expected.end());
  REQUIRE(order.size() == expected.size());
  bool same = true;
  for (std::size_t i = 0; i < order.size(); ++i) same = same && order[i] == expected[i].second;
  CHECK(same);
}

TEST_CASE("a crowd that sleeps to the same nanosecond, or to all of a microsecond's") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    for (const int apart : {0, 1, 40}) {
      CAPTURE(apart);
      std::vector<eddy::join_handle<>> all;
      const auto start = clock::now();
      for (int i = 0; i < 50; ++i) all.push_back(eddy::spawn(nap(1s + eddy::duration(i * apart))));
      for (auto& h : all) co_await h;
      CHECK(clock::now() == start + 1s + eddy::duration(49 * apart));
    }
  });
}

TEST_CASE("huge times: they neither wrap nor come early") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto hours = eddy::sleep(std::chrono::hours::max());
    auto longest = eddy::sleep(eddy::duration::max());
    auto floating = eddy::sleep(std::chrono::duration<double>(1e300));
    auto last = eddy::sleep_until(eddy::instant::max());
    auto half = eddy::sleep(std::chrono::duration<double>(0.5));
    for (auto* s : {&hours, &longest, &floating, &last}) {
      CHECK(s->deadline() == eddy::instant::max());
      CHECK_FALSE(task.poll(*s).is_ready());
    }
    CHECK_FALSE(task.poll(half).is_ready());
    test::advance(500ms);
    CHECK(task.take_wakes() == 1);
    test::advance(24h * 365 * 100);
    CHECK_FALSE(task.is_woken());
    test::advance(eddy::duration::max());  // until the end of time, and no further
    CHECK(clock::now() == eddy::instant::max());
    CHECK(task.take_wakes() == 4);
    for (auto* s : {&hours, &longest, &floating, &last}) CHECK(task.poll(*s).is_ready());
    co_return;
  });
}

TEST_CASE("is_elapsed: once a poll has seen the deadline pass, until it is reset") {
  on_paused_clock([] {
    test::mock_task task;
    auto at_once = eddy::sleep_until(clock::now());
    CHECK_FALSE(at_once.is_elapsed());
    CHECK(task.poll(at_once).is_ready());
    CHECK(at_once.is_elapsed());
    auto later = eddy::sleep(10ms);
    CHECK_FALSE(later.is_elapsed());
    CHECK_FALSE(task.poll(later).is_ready());
    CHECK_FALSE(later.is_elapsed());
    test::advance(10ms);
    CHECK(task.poll(later).is_ready());
    CHECK(later.is_elapsed());
    CHECK(task.poll(later).is_ready());
    later.reset(clock::now() + 1s);
    CHECK_FALSE(later.is_elapsed());
  });
}

TEST_CASE("reset while it waits: whoever waits is woken at the new time and not at the old one") {
  on_paused_clock([] {
    const auto start = clock::now();
    for (const auto to : {80ms, 200ms}) {
      CAPTURE(to.count());
      test::mock_task task;
      const auto now = clock::now();
      auto s = eddy::sleep_until(now + 100ms);
      CHECK_FALSE(task.poll(s).is_ready());
      test::advance(10ms);
      s.reset(now + to);
      CHECK(s.deadline() == now + to);
      CHECK(test::here().timer_count() == 1);
      test::advance(to - 10ms - 1ns);
      CHECK_FALSE(task.is_woken());
      test::advance(1ns);
      CHECK(task.take_wakes() == 1);
      CHECK(task.poll(s).is_ready());
      CHECK(task.references() == 0);
    }
    CHECK(clock::now() == start + 280ms);
  });
}

TEST_CASE("reset while it waits, to a time that is over: woken at once") {
  on_paused_clock([] {
    test::mock_task task;
    auto s = eddy::sleep(100ms);
    CHECK_FALSE(task.poll(s).is_ready());
    test::advance(50ms);
    CHECK_FALSE(task.is_woken());
    s.reset(clock::now() - 10ms);
    CHECK(task.take_wakes() == 1);
    CHECK(test::here().timer_count() == 0);
    CHECK(task.poll(s).is_ready());
  });
}

TEST_CASE("reset to where it stands changes nothing") {
  on_paused_clock([] {
    test::mock_task task;
    auto s = eddy::sleep(1s);
    CHECK_FALSE(task.poll(s).is_ready());
    s.reset(s.deadline());
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(s).is_ready());
  });
}

TEST_CASE("reset between the wake and the poll: not early") {
  on_paused_clock([] {
    test::mock_task task;
    auto s = eddy::sleep(1s);
    CHECK_FALSE(task.poll(s).is_ready());
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    s.reset(clock::now() + 1s);
    CHECK_FALSE(task.poll(s).is_ready());
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(s).is_ready());
  });
}

TEST_CASE("reset after it has run out: it can be awaited again") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    test::mock_task task;
    const auto start = clock::now();
    auto s = eddy::sleep(100ms);
    co_await s;
    CHECK(clock::now() == start + 100ms);
    s.reset(start + 110ms);
    co_await s;
    CHECK(clock::now() == start + 110ms);
    s.reset(start);
    co_await s;
    CHECK(clock::now() == start + 110ms);
    s.reset(clock::now() + 600s);
    CHECK_FALSE(task.poll(s).is_ready());
    CHECK_FALSE(task.poll(s).is_ready());
  });
}

TEST_CASE("reset by one task while another awaits it") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    const auto start = clock::now();
    auto s = eddy::sleep(1h);
    auto waits = eddy::spawn([](eddy::sleep_leaf& shared) -> future<> { co_await shared; }(s));
    co_await eddy::sleep(1s);
    s.reset(start + 2s);
    co_await waits;
    CHECK(clock::now() == start + 2s);
  });
}

TEST_CASE("dropped after it was reset to another's time") {
  on_paused_clock([] {
    test::mock_task task;
    const auto start = clock::now();
    auto a = eddy::sleep(5ms);
    std::optional<eddy::sleep_leaf> b(std::in_place, start + 5ms);
    auto c = eddy::sleep(10ms);
    CHECK_FALSE(task.poll(a).is_ready());
    CHECK_FALSE(task.poll(*b).is_ready());
    CHECK_FALSE(task.poll(c).is_ready());
    b->reset(start + 10ms);
    test::advance(5ms);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(a).is_ready());
    b.reset();
    test::advance(5ms);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(c).is_ready());
  });
}

TEST_CASE("an idle loop with one timer sleeps once, whatever was cancelled before") {
  // Cancelled timers leave no wake-up behind but the one that the alarm was set to.
  const test::leak_check leaks;
  int parks = 0;
  auto rt = eddy::runtime::builder().on_unpark([&parks] { ++parks; }).build();
  rt.block_on([](int& n) -> future<> {
    {
      test::mock_task task;
      std::deque<eddy::sleep_leaf> cancelled;
      for (int i = 0; i < 100; ++i) {
        cancelled.emplace_back(clock::now() + 1ms + std::chrono::microseconds(20 * i));
        CHECK_FALSE(task.poll(cancelled.back()).is_ready());
      }
    }
    n = 0;
    co_await eddy::sleep(8ms);
    CHECK(n == 1);
    std::vector<eddy::join_handle<>> crowd;
    const auto deadline = clock::now() + 8ms;
    for (int i = 0; i < 50; ++i)
      crowd.push_back(eddy::spawn(
          [](eddy::instant t) -> future<> { co_await eddy::sleep_until(t); }(deadline)));
    co_await eddy::yield_now();
    n = 0;
    for (auto& h : crowd) co_await h;
    CHECK(n == 1);
  }(parks));
}

TEST_CASE("a paused clock goes to the next deadline by itself when nothing else is to do") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    const auto start = clock::now();
    co_await eddy::sleep(24h);
    CHECK(clock::now() == start + 24h);
    co_await eddy::sleep(1ns);
    CHECK(clock::now() == start + 24h + 1ns);
  });
}

TEST_CASE("never early by the real clock") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    for (const auto d : {1us, 20us, 100us, 999us, 1000us, 1001us, 5000us}) {
      for (int i = 0; i < 3; ++i) {
        const auto start = std::chrono::steady_clock::now();
        co_await eddy::sleep(d);
        CHECK(std::chrono::steady_clock::now() - start >= d);
      }
    }
    const auto deadline = clock::now() + 3ms;
    co_await eddy::sleep_until(deadline);
    CHECK(clock::now() >= deadline);
  });
}

TEST_CASE("a sleep that is over before its first poll ends, and one of no time at once") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto s = eddy::sleep(2ms);
    const auto busy_until = std::chrono::steady_clock::now() + 3ms;
    while (std::chrono::steady_clock::now() < busy_until) {
    }
    auto none = eddy::sleep(0ms);
    CHECK(task.poll(none).is_ready());
    co_await s;
    CHECK(s.is_elapsed());
  });
}

TEST_CASE("never early while tasks keep the loop busy") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto sleeper = eddy::spawn([]() -> future<> {
      for (int i = 0; i < 5; ++i) {
        const auto start = std::chrono::steady_clock::now();
        co_await eddy::sleep(300us);
        CHECK(std::chrono::steady_clock::now() - start >= 300us);
      }
    });
    while (!sleeper.is_finished()) co_await eddy::yield_now();
  });
}

TEST_CASE("a million timers: made, half of them dropped, the rest fires") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    constexpr std::size_t n = 1'000'000;
    test::mock_task task;
    std::deque<std::optional<eddy::sleep_leaf>> all;
    const auto now = clock::now();
    std::uint64_t x = 7;
    bool pending = true;
    {
      eddy::context cx(task);
      for (std::size_t i = 0; i < n; ++i) {
        x = x * 6364136223846793005U + 1442695040888963407U;
        all.emplace_back(
            std::in_place,
            now + eddy::duration(static_cast<std::int64_t>((x >> 24) % 3'600'000'000'000)) + 1ns);
        pending = pending && !all.back()->poll(cx).is_ready();
      }
    }
    CHECK(pending);
    CHECK(test::here().timer_count() == n);
    for (std::size_t i = 0; i < n; i += 2) all[i].reset();
    CHECK(test::here().timer_count() == n / 2);
    CHECK(task.references() == static_cast<int>(n / 2));
    test::advance(1h);
    CHECK(test::here().timer_count() == 0);
    CHECK(task.take_wakes() == static_cast<int>(n / 2));
    CHECK(task.references() == 0);
    co_return;
  });
}

TEST_CASE("a leaf that outlives its runtime is ready, and goes quietly") {
  const test::leak_check leaks;
  test::mock_task task;
  std::optional<eddy::sleep_leaf> s;
  {
    auto rt = paused();
    rt.block_on([&]() -> future<> {
      s.emplace(clock::now() + 1h);
      CHECK_FALSE(task.poll(*s).is_ready());
      co_return;
    });
  }
  s.reset();
  CHECK(task.references() == 0);
}

TEST_CASE("the budget: a task that only sleeps for no time lets others run") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    bool stop = false;
    auto busy = eddy::spawn([](const bool& s) -> future<> {
      while (!s) co_await eddy::sleep(0s);
    }(stop));
    co_await eddy::yield_now();
    stop = true;
    co_await busy;
  });
}

}  // namespace
