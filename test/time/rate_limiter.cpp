#include <eddy/time/rate_limiter.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
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
using eddy::duration;
using eddy::future;
using eddy::instant;
using eddy::rate_limiter;
using eddy::detail::token_bucket;

template <class F>
void on_paused_clock(F scenario) {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([&]() -> future<> {
    scenario();
    co_return;
  });
}

// ---- the bucket

instant at(duration d) { return instant(d); }

TEST_CASE("a bucket is full at first, fills evenly, and holds its burst") {
  token_bucket b(10, 1s, 3, at(0s));
  CHECK(b.tokens() == 3);
  b.take(3);
  CHECK(b.when(1) == at(100ms));
  CHECK(b.when(3) == at(300ms));
  b.fill(at(100ms - 1ns));
  CHECK(b.tokens() == 0);
  CHECK(b.when(1) == at(100ms));
  b.fill(at(100ms));
  CHECK(b.tokens() == 1);
  CHECK(b.when(1) == at(100ms));
  b.fill(at(1h));
  CHECK(b.tokens() == 3);
  b.take(1);
  CHECK(b.when(3) == at(1h + 100ms));  // a full bucket keeps no part of a token
  b.fill(at(1s));                      // back in time
  CHECK(b.tokens() == 2);
}

TEST_CASE("parts of a nanosecond are kept: three a second are three a second") {
  token_bucket b(3, 1s, 2, at(0s));
  b.take(2);
  instant now = at(0s);
  for (int i = 0; i < 9; ++i) {
    now = b.when(1);
    b.fill(now - 1ns);
    CHECK(b.tokens() == 0);
    b.fill(now);
    REQUIRE(b.tokens() == 1);
    b.take(1);
    if (i % 3 == 2) CHECK((now == at(1s * (i / 3 + 1))));
  }
}

TEST_CASE("rates that no 64 bits hold are rounded down, never up") {
  // 4294967291 is prime, and so are the nanoseconds: nothing can be shortened.
  token_bucket b(4'294'967'291U, duration(9'223'372'036'854'775'783), 4'294'967'291U, at(0s));
  b.take(4'294'967'291U);
  // One token is 2147483649.5 ns or so.
  CHECK(b.when(1) >= at(2'147'483'650ns));
  CHECK(b.when(1) <= at(2'147'483'650ns + 40us));
  CHECK(b.when(4'294'967'291U) >= at(duration(9'223'372'036'854'775'783)));
  b.fill(instant::max());
  CHECK(b.tokens() >= 4'294'967'291U - (1U << 17));
  token_bucket slow(1, duration::max(), UINT32_MAX, at(0s));
  slow.take(UINT32_MAX);
  CHECK(slow.when(1) == instant::max());
  CHECK(slow.when(2) == instant::max());
  token_bucket fast(UINT32_MAX, 1ns, UINT32_MAX, instant::min());
  fast.take(UINT32_MAX);
  fast.fill(instant::max());
  CHECK(fast.tokens() == UINT32_MAX);
}

TEST_CASE("random programs agree with exact fractions") {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto count = static_cast<std::uint32_t>(random() % 50 + 1);
    const auto per = static_cast<std::int64_t>(random() % 1000 + 1);
    const auto burst = static_cast<std::uint32_t>(random() % 20 + 1);
    token_bucket b(count, duration(per), burst, at(0s));
    std::int64_t level = burst * per;  // in units of 1 / per of a token
    std::int64_t now = 0;
    for (int step = 0; step < 300; ++step) {
      const auto by = static_cast<std::int64_t>(random() % (random() % 8 == 0 ? 5000 : 30));
      now += by;
      level = std::min<std::int64_t>(level + by * count, burst * per);
      b.fill(at(duration(now)));
      REQUIRE(b.tokens() == level / per);
      const auto n = static_cast<std::uint32_t>(random() % (burst + 1));
      const auto lacking = std::max<std::int64_t>(0, n * per - level);
      REQUIRE(b.when(n) == at(duration(now + (lacking + count - 1) / count)));
      if (n <= b.tokens()) {
        b.take(n);
        level -= n * per;
      }
    }
  }
}

// ---- the limiter

TEST_CASE("ready at once while there are tokens") {
  on_paused_clock([] {
    test::mock_task task;
    rate_limiter limit(10, 1s);
    CHECK(limit.available() == 10);
    auto none = limit.acquire(0);
    CHECK(task.poll(none).is_ready());
    auto one = limit.acquire();
    CHECK(task.poll(one).is_ready());
    auto many = limit.acquire(9);
    CHECK(task.poll(many).is_ready());
    CHECK(limit.available() == 0);
    CHECK_FALSE(limit.try_acquire());
    test::advance(200ms);
    CHECK(limit.try_acquire(2));
    CHECK_FALSE(limit.try_acquire());
    CHECK(task.references() == 0);
    CHECK(test::here().timer_count() == 0);
  });
}

TEST_CASE("ready later: at the token's time, with one wake") {
  on_paused_clock([] {
    test::mock_task task;
    rate_limiter limit(10, 1s, 1);
    CHECK(limit.try_acquire());
    auto a = limit.acquire();
    CHECK_FALSE(task.poll(a).is_ready());
    CHECK_FALSE(task.poll(a).is_ready());
    test::advance(100ms - 1ns);
    CHECK_FALSE(task.is_woken());
    test::advance(1ns);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(a).is_ready());
    CHECK(task.references() == 0);
  });
}

TEST_CASE("first come, first served; only the first has a timer; many are not overtaken by few") {
  on_paused_clock([] {
    test::mock_task many, few, last;
    rate_limiter limit(10, 1s, 5);
    CHECK(limit.try_acquire(5));
    auto a = limit.acquire(5);
    auto b = limit.acquire(1);
    auto c = limit.acquire(1);
    CHECK_FALSE(many.poll(a).is_ready());
    CHECK_FALSE(few.poll(b).is_ready());
    CHECK_FALSE(last.poll(c).is_ready());
    CHECK(test::here().timer_count() == 1);
    test::advance(400ms);
    CHECK(limit.available() == 4);
    CHECK_FALSE(limit.try_acquire());  // somebody waits
    CHECK_FALSE(few.poll(b).is_ready());
    CHECK_FALSE(many.is_woken());
    test::advance(100ms);
    CHECK(many.take_wakes() == 1);
    CHECK_FALSE(few.is_woken());
    CHECK(many.poll(a).is_ready());
    CHECK(few.take_wakes() == 1);  // its turn, to set its timer
    CHECK_FALSE(last.is_woken());
    CHECK_FALSE(few.poll(b).is_ready());
    test::advance(100ms);
    CHECK(few.poll(b).is_ready());
    CHECK(last.take_wakes() == 1);
    CHECK_FALSE(last.poll(c).is_ready());
    test::advance(100ms);
    CHECK(last.poll(c).is_ready());
  });
}

TEST_CASE("tokens that came in while the first was not polled let the next through at once") {
  on_paused_clock([] {
    test::mock_task task;
    rate_limiter limit(10, 1s, 3);
    CHECK(limit.try_acquire(3));
    auto a = limit.acquire();
    auto b = limit.acquire();
    CHECK_FALSE(task.poll(a).is_ready());
    CHECK_FALSE(task.poll(b).is_ready());
    test::advance(250ms);
    CHECK(task.poll(a).is_ready());
    CHECK(task.poll(b).is_ready());
    CHECK(limit.available() == 0);
    test::advance(50ms);
    CHECK(limit.available() == 1);  // the half was kept
  });
}

TEST_CASE("dropped while waiting: no token is lost, and the next moves up") {
  on_paused_clock([] {
    test::mock_task one, two, three;
    rate_limiter limit(10, 1s, 5);
    CHECK(limit.try_acquire(5));
    std::optional a(limit.acquire(5));
    std::optional b(limit.acquire(4));
    auto c = limit.acquire(1);
    CHECK_FALSE(one.poll(*a).is_ready());
    CHECK_FALSE(two.poll(*b).is_ready());
    CHECK_FALSE(three.poll(c).is_ready());
    b.reset();  // from the middle: nobody moves up
    CHECK(two.references() == 0);
    CHECK_FALSE(three.is_woken());
    test::advance(100ms);
    a.reset();
    CHECK(one.references() == 0);
    CHECK(three.take_wakes() == 1);
    CHECK(test::here().timer_count() == 0);
    CHECK(three.poll(c).is_ready());
    CHECK(limit.available() == 0);
    CHECK_FALSE(one.is_woken());
  });
}

TEST_CASE("dropped after it was woken: the next is woken in its place") {
  on_paused_clock([] {
    test::mock_task one, two;
    rate_limiter limit(10, 1s, 1);
    CHECK(limit.try_acquire());
    std::optional a(limit.acquire());
    auto b = limit.acquire();
    CHECK_FALSE(one.poll(*a).is_ready());
    CHECK_FALSE(two.poll(b).is_ready());
    test::advance(100ms);
    CHECK(one.take_wakes() == 1);
    a.reset();
    CHECK(two.take_wakes() == 1);
    CHECK(two.poll(b).is_ready());
  });
}

TEST_CASE("polled by another task: that one is woken") {
  on_paused_clock([] {
    test::mock_task one, two;
    rate_limiter limit(1, 1s);
    CHECK(limit.try_acquire());
    auto first = limit.acquire();
    auto second = limit.acquire();
    CHECK_FALSE(one.poll(first).is_ready());
    CHECK_FALSE(one.poll(second).is_ready());
    CHECK_FALSE(two.poll(first).is_ready());
    CHECK_FALSE(two.poll(second).is_ready());
    CHECK(one.references() == 0);
    test::advance(1s);
    CHECK(two.take_wakes() == 1);
    CHECK(two.poll(first).is_ready());
    CHECK(two.take_wakes() == 1);
    CHECK(one.take_wakes() == 0);
    CHECK_FALSE(two.poll(second).is_ready());
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("what can never be is misuse") {
  CHECK_THROWS_AS(rate_limiter(0, 1s), std::logic_error);
  CHECK_THROWS_AS(rate_limiter(1, 0s), std::logic_error);
  CHECK_THROWS_AS(rate_limiter(1, 1s, 0), std::logic_error);
  rate_limiter limit(10, 1s, 2);
  CHECK_THROWS_AS((void)limit.acquire(3), std::logic_error);
  CHECK_THROWS_AS(limit.try_acquire(3), std::logic_error);
}
#endif

future<> caller(rate_limiter& limit, std::vector<std::pair<instant, int>>& log, int n) {
  co_await limit.acquire();
  log.emplace_back(clock::now(), n);
}

TEST_CASE("a hundred calls at ten a second: in order, and never more than burst and rate allow") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    rate_limiter limit(10, 1s);
    std::vector<std::pair<instant, int>> log;
    std::vector<eddy::join_handle<>> all;
    const auto start = clock::now();
    for (int i = 0; i < 100; ++i) all.push_back(eddy::spawn(caller(limit, log, i)));
    for (auto& h : all) co_await h;
    REQUIRE(log.size() == 100);
    for (int i = 0; i < 100; ++i) {
      const auto& [when, who] = log[static_cast<std::size_t>(i)];
      CHECK(who == i);
      CHECK(when == start + std::max(0, i - 9) * 100ms);
    }
  });
}

// Callers that come, ask for some, wait for a time and give up: in no stretch of time more than it may be, and
// no token is lost on the way.
future<> moody(rate_limiter& limit, std::uint32_t n, duration patience,
               std::vector<std::pair<instant, std::uint32_t>>& log) {
  auto r = co_await eddy::attempt(eddy::timeout(patience, limit.acquire(n)));
  if (r) log.emplace_back(clock::now(), n);
}

TEST_CASE("random callers, half of whom give up, never exceed rate and burst") {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    const test::leak_check leaks;
    auto rt = eddy::runtime::builder().start_paused().build();
    rt.block_on([](unsigned s) -> future<> {
      std::mt19937_64 random(s);
      constexpr std::int64_t rate = 7, burst = 12;  // in 1 ms
      rate_limiter limit(rate, 1ms, burst);
      std::vector<std::pair<instant, std::uint32_t>> log;
      std::vector<eddy::join_handle<>> all;
      for (int i = 0; i < 400; ++i) {
        const auto n = static_cast<std::uint32_t>(random() % 5 + 1);
        const auto patience = duration(static_cast<std::int64_t>(random() % 2'000'000) + 1);
        all.push_back(eddy::spawn(moody(limit, n, patience, log)));
        co_await eddy::sleep(duration(static_cast<std::int64_t>(random() % 300'000)));
      }
      for (auto& h : all) co_await h;
      for (std::size_t i = 0; i < log.size(); ++i) {
        std::int64_t through = 0;
        for (std::size_t k = i; k < log.size(); ++k) {
          through += log[k].second;
          const auto stretch = (log[k].first - log[i].first).count();
          REQUIRE((through - burst) * 1'000'000 <= stretch * rate);
        }
      }
      CHECK(log.size() > 100);
      CHECK(log.size() < 400);
      const auto left = limit.available();
      co_await eddy::sleep(2ms);
      CHECK(limit.available() == std::min<std::int64_t>(burst, left + 14));
    }(seed));
  }
}

future<> use_limiter() {
  auto limit = std::make_shared<rate_limiter>(1, 1ms);
  std::vector<eddy::join_handle<>> all;
  for (std::uint32_t i = 0; i < 3; ++i)
    all.push_back(eddy::spawn(
        [](std::shared_ptr<rate_limiter> l) -> future<> { co_await l->acquire(); }(limit)));
  for (auto& h : all) co_await h;
  co_await limit->acquire();
}

TEST_CASE("dropped at every cut point") { CHECK(test::cut_points(use_limiter) >= 6); }

TEST_CASE("the budget: a limiter that never limits lets others run") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    bool stop = false;
    auto busy = eddy::spawn([](const bool& s) -> future<> {
      rate_limiter limit(UINT32_MAX, 1ns);
      while (!s) co_await limit.acquire();
    }(stop));
    co_await eddy::yield_now();
    stop = true;
    co_await busy;
  });
}

TEST_CASE("tokens that never come are waited for, and the poll ends") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    rate_limiter l(1, duration::max(), 2);
    co_await l.acquire(2);
    co_await eddy::sleep_until(instant::max());
    test::mock_task task;
    auto never = l.acquire(2);
    CHECK_FALSE(task.poll(never).is_ready());
    CHECK_FALSE(task.is_woken());
  });
}

}  // namespace
