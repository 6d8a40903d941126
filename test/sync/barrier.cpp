#include <eddy/sync/barrier.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;
using eddy::sync::barrier;
using test::mock_task;
using waiting = decltype(std::declval<barrier&>().wait());

bool leads(mock_task& t, waiting& w) {
  auto p = t.poll(w);
  REQUIRE(p.is_ready());
  return p->is_leader();
}

TEST_CASE("a barrier for one, or for nobody, never waits: each is the leader") {
  for (const std::size_t n : {0U, 1U}) {
    barrier b(n);
    mock_task t;
    for (int i = 0; i < 3; ++i) {
      auto w = b.wait();
      CHECK(leads(t, w));
    }
    CHECK_FALSE(t.is_woken());
  }
}

TEST_CASE("two meet, and one of them leads") {
  barrier b(2);
  mock_task one, two;
  auto first = b.wait();
  CHECK_FALSE(one.poll(first).is_ready());
  CHECK_FALSE(one.poll(first).is_ready());
  CHECK_FALSE(one.is_woken());
  auto second = b.wait();
  CHECK(leads(two, second));
  CHECK(one.take_wakes() == 1);
  CHECK_FALSE(leads(one, first));
  CHECK(one.references() + two.references() == 0);
}

TEST_CASE("a hundred meet, ten times over: all are woken, one leads") {
  barrier b(100);
  for (int round = 0; round < 10; ++round) {
    mock_task t;
    std::vector<waiting> others;
    others.reserve(99);  // a leaf stays where it was polled
    for (int i = 0; i < 99; ++i) {
      others.push_back(b.wait());
      CHECK_FALSE(t.poll(others.back()).is_ready());
    }
    for (auto& w : others) CHECK_FALSE(t.poll(w).is_ready());
    CHECK_FALSE(t.is_woken());
    auto last = b.wait();
    CHECK(leads(t, last));
    CHECK(t.take_wakes() == 99);
    for (auto& w : others) CHECK_FALSE(leads(t, w));
  }
}

TEST_CASE("who is dropped while it waits has not come") {
  barrier b(2);
  mock_task one, two;
  {
    auto gone = b.wait();
    auto moved = std::move(gone);
    CHECK_FALSE(one.poll(moved).is_ready());
  }
  CHECK(one.references() == 0);
  auto first = b.wait();
  CHECK_FALSE(two.poll(first).is_ready());
  auto second = b.wait();
  CHECK(leads(one, second));
  CHECK_FALSE(leads(two, first));
}

TEST_CASE("who is dropped between the meeting and its poll has come") {
  barrier b(2);
  mock_task t;
  std::optional first(b.wait());
  CHECK_FALSE(t.poll(*first).is_ready());
  auto second = b.wait();
  CHECK(leads(t, second));
  CHECK(t.take_wakes() == 1);
  first.reset();
  auto next = b.wait();
  CHECK_FALSE(t.poll(next).is_ready());
  auto last = b.wait();
  CHECK(leads(t, last));
  CHECK_FALSE(leads(t, next));
}

TEST_CASE("the next meeting may begin before the last one has been heard of") {
  barrier b(2);
  mock_task t;
  auto first = b.wait(), second = b.wait(), third = b.wait(), fourth = b.wait();
  CHECK_FALSE(t.poll(first).is_ready());
  CHECK(leads(t, second));
  CHECK_FALSE(t.poll(third).is_ready());
  CHECK_FALSE(leads(t, first));
  CHECK(leads(t, fourth));
  CHECK_FALSE(leads(t, third));
}

/// Drops all others of its meeting as it is woken, as a task's end may.
class drops_others final : public eddy::wake_target {
 public:
  std::vector<std::optional<waiting>>* others = nullptr;
  void wake() noexcept override {
    if (others == nullptr) return;
    for (auto& w : *std::exchange(others, nullptr)) w.reset();
  }
  void retain() noexcept override {}
  void release() noexcept override {}
};

TEST_CASE("those who are not woken yet may be dropped by one who is") {
  barrier b(101);
  drops_others d;
  mock_task t;
  std::vector<std::optional<waiting>> others(100);
  for (auto& w : others) {
    w.emplace(b.wait());
    eddy::context cx(d);
    CHECK_FALSE(w->poll(cx).is_ready());
  }
  d.others = &others;
  auto last = b.wait();
  CHECK(leads(t, last));
  CHECK(d.others == nullptr);
  auto next = b.wait();
  CHECK_FALSE(t.poll(next).is_ready());
}

TEST_CASE("a task that meets nobody but itself lets others run") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    barrier b(1);
    bool ran = false;
    auto sets = [](bool& r) -> future<> {
      r = true;
      co_return;
    };
    auto other = eddy::spawn(sets(ran));
    int n = 0;
    for (; n < 1000 && !ran; ++n) {
      auto met = co_await b.wait();
      CHECK(met.is_leader());
    }
    CHECK(ran);
    CHECK(n > 1);
    co_await other;
  });
}

future<> meets_twice(std::shared_ptr<barrier> b, std::shared_ptr<int> led) {
  for (int i = 0; i < 2; ++i) {
    auto met = co_await b->wait();
    if (met.is_leader()) ++*led;
    co_await eddy::sleep(1ms);
  }
}
future<> scenario() {
  auto b = std::make_shared<barrier>(3);
  auto led = std::make_shared<int>(0);
  std::vector<eddy::join_handle<>> tasks;
  tasks.push_back(eddy::spawn(meets_twice(b, led)));
  tasks.push_back(eddy::spawn(meets_twice(b, led)));
  co_await eddy::sleep(1ms);
  tasks[0].abort();
  static_cast<void>(co_await eddy::attempt(tasks[0]));
  auto alone = co_await eddy::attempt(eddy::timeout(1ms, meets_twice(b, led)));
  CHECK(alone.error() == errc::elapsed);
  CHECK(*led == 0);
  tasks.push_back(eddy::spawn(meets_twice(b, led)));
  co_await meets_twice(b, led);
  co_await tasks[1];
  co_await tasks[2];
  CHECK(*led == 2);
}

TEST_CASE("dropped at every cut point") { CHECK(test::cut_points(scenario) > 10); }

}  // namespace
