#include <eddy/task/join_set.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/testing/cut_points.hpp>
#include <eddy/testing/doctest.hpp>
#include <eddy/testing/mock_task.hpp>

#include "support/leaves.hpp"
#include "support/runtime_access.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;
using eddy::join_set;
using eddy::test::leak_check;
using eddy::test::mock_task;
using test::gate;
using test::note;

future<int> after(eddy::duration d, int v) {
  co_await eddy::sleep(d);
  co_return v;
}
future<int> waits(gate& g, int v = 5, note = note("")) {
  co_await g.wait();
  co_return v;
}
future<> others() {
  co_await eddy::yield_now();
  co_await eddy::yield_now();
}
int waiting_at(const std::deque<gate>& gates) {
  int n = 0;
  for (const auto& g : gates) n += g.waiting();
  return n;
}

EDDY_TEST_CASE("tasks are joined as they end, whichever was spawned first") {
  join_set<int> set;
  auto none = co_await set.join_next();
  CHECK_FALSE(none.has_value());
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 10; ++i) {
      set.spawn(after(std::chrono::seconds(10 - i), i));
      CHECK(set.size() == static_cast<std::size_t>(i) + 1);
    }
    std::vector<int> order;
    while (auto r = co_await set.join_next()) order.push_back(**r);
    CHECK(order == std::vector{9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
    CHECK(set.empty());
  }
}

EDDY_TEST_CASE("ready at once, and ready later, one wake a task that ends") {
  std::deque<gate> gates(2);
  mock_task task;
  join_set<int> set;
  set.spawn(waits(gates[0], 1));
  set.spawn(waits(gates[1], 2));
  {
    auto next = set.join_next();
    task.assert_pending(next);
    co_await others();
    CHECK_FALSE(task.is_woken());
    for (auto& g : gates) g.open();
    co_await others();
    CHECK(task.take_wakes() == 1);
  }
  CHECK(task.references() == 0);
  co_await others();
  CHECK(set.size() == 2);
  auto first = set.join_next();
  auto second = set.join_next();
  auto third = set.join_next();
  const int sum = **task.assert_ready(first) + **task.assert_ready(second);
  CHECK(sum == 3);
  CHECK_FALSE(task.assert_ready(third).has_value());
}

EDDY_TEST_CASE("a join_next that is dropped leaves the tasks in the set, and its task in peace") {
  gate g;
  mock_task task;
  join_set<int> set;
  set.spawn(waits(g));
  {
    auto next = set.join_next();
    task.assert_pending(next);
  }
  g.open();
  co_await others();
  CHECK_FALSE(task.is_woken());
  auto r = co_await set.join_next();
  REQUIRE(r.has_value());
  CHECK(**r == 5);
}

EDDY_TEST_CASE("the set goes on while one is spawned for each that is joined") {
  join_set<> set;
  const auto nothing = []() -> future<> { co_return; };
  set.spawn(nothing);
  set.spawn(nothing);
  for (int i = 0; i < 16; ++i) {
    auto r = co_await set.join_next();
    CHECK(r->has_value());
    CHECK(set.size() == 1);
    set.spawn(nothing);
    CHECK(set.size() == 2);
  }
}

EDDY_TEST_CASE("dropping the set aborts its tasks") {
  gate g;
  {
    join_set<int> set;
    for (int i = 0; i < 16; ++i) set.spawn(waits(g));
    co_await others();
    CHECK(g.waiting() == 16);
  }
  co_await others();
  CHECK(g.waiting() == 0);
}

EDDY_TEST_CASE("a set that is assigned to aborts what it held; one that was moved from is empty") {
  gate old, fresh, later;
  join_set<int> set, other;
  set.spawn(waits(old));
  other.spawn(waits(fresh, 1));
  co_await others();
  set = std::move(other);
  co_await others();
  CHECK(old.waiting() == 0);
  CHECK(fresh.waiting() == 1);
  CHECK(other.empty());
  auto& same = set;
  set = std::move(same);
  co_await others();
  CHECK(fresh.waiting() == 1);
  other.spawn(waits(later, 2));
  fresh.open();
  later.open();
  auto one = co_await set.join_next();
  auto two = co_await other.join_next();
  CHECK(**one == 1);
  CHECK(**two == 2);
}

EDDY_TEST_CASE("detached tasks run on by themselves") {
  std::deque<gate> gates(10);
  join_set<int> set;
  for (auto& g : gates) set.spawn(waits(g));
  set.detach_all();
  CHECK(set.empty());
  auto none = co_await set.join_next();
  CHECK_FALSE(none.has_value());
  co_await others();
  CHECK(waiting_at(gates) == 10);
  for (auto& g : gates) g.open();
  co_await others();
  CHECK(waiting_at(gates) == 0);
}

EDDY_TEST_CASE("single tasks are aborted by their id, and are joined like the others") {
  join_set<int> set;
  std::vector<eddy::task_id> ids;
  for (int i = 0; i < 16; ++i) ids.push_back(set.spawn(after(std::chrono::seconds(i), i)));
  for (std::size_t i = 1; i < ids.size(); i += 2) CHECK(set.abort(ids[i]));
  std::set<eddy::task_id> seen;
  int done = 0, aborted = 0;
  while (auto one = co_await set.join_next_with_id()) {
    seen.insert(one->id());
    auto& r = one->outcome();
    if (r) {
      CHECK(*r % 2 == 0);
      CHECK(one->id() == ids[static_cast<std::size_t>(*r)]);
      ++done;
    } else {
      CHECK(r.error() == errc::aborted);
      ++aborted;
    }
  }
  CHECK(done == 8);
  CHECK(aborted == 8);
  CHECK(seen.size() == 16);
  CHECK_FALSE(set.abort(ids[0]));
}

EDDY_TEST_CASE("abort_all: those that have ended keep their values, the others say aborted") {
  gate shut;
  join_set<int> set;
  for (int i = 0; i < 5; ++i) set.spawn(waits(shut));
  for (int i = 0; i < 5; ++i) set.spawn(after(1s, i));
  co_await eddy::sleep(2s);
  set.abort_all();
  CHECK(set.size() == 10);
  int values = 0, aborted = 0;
  while (auto r = co_await set.join_next()) ++(r->has_value() ? values : aborted);
  CHECK(values == 5);
  CHECK(aborted == 5);
}

EDDY_TEST_CASE("shutdown aborts all and waits for them; dropped, the rest stays, aborted") {
  gate g;
  mock_task task;
  join_set<int> set;
  for (int i = 0; i < 5; ++i) set.spawn(waits(g));
  co_await others();
  {
    auto unused = set.shutdown();
    co_await others();
    CHECK(g.waiting() == 5);  // it has not been polled
  }
  {
    auto closing = set.shutdown();
    task.assert_pending(closing);
  }
  CHECK(set.size() == 5);
  co_await others();
  CHECK(g.waiting() == 0);
  CHECK(task.references() == 0);
  co_await set.shutdown();
  CHECK(set.empty());
  co_await set.shutdown();
}

EDDY_TEST_CASE("join_all gives the values in the order in which the tasks ended") {
  join_set<std::unique_ptr<int>> set;
  for (int i = 0; i < 5; ++i)
    set.spawn(
        [](int v) -> future<std::unique_ptr<int>> {
          co_await eddy::sleep(std::chrono::seconds(5 - v));
          co_return std::make_unique<int>(v);
        },
        i);
  auto all = co_await std::move(set).join_all();
  REQUIRE(all.size() == 5);
  for (int i = 0; i < 5; ++i) CHECK(*all[static_cast<std::size_t>(i)] == 4 - i);
  join_set<> units;
  units.spawn([]() -> future<> { co_return; });
  const auto unit_values = co_await std::move(units).join_all();
  CHECK(unit_values.size() == 1);
}

EDDY_TEST_CASE("a dropped join_all aborts the tasks") {
  gate g;
  join_set<int> set;
  set.spawn(waits(g));
  co_await others();
  auto r = co_await eddy::attempt(eddy::timeout(1s, std::move(set).join_all()));
  CHECK(r.error() == errc::elapsed);
  co_await others();
  CHECK(g.waiting() == 0);
}

constexpr int many = 1000;

TEST_CASE("try_join_next takes what has ended, and each task is looked at once a wake") {
  const leak_check leaks;
  gate g;
  eddy::runtime rt;
  rt.block_on([&g]() -> future<> {
    join_set<int> set;
    for (int i = 0; i < many; ++i) set.spawn(waits(g, i));
    CHECK_FALSE(set.try_join_next().has_value());
    co_await others();
    CHECK_FALSE(set.try_join_next().has_value());
    g.open();  // a gate wakes the last that waits
    co_await others();
    auto one = set.try_join_next();
    REQUIRE(one.has_value());
    CHECK(**one == many - 1);
    CHECK_FALSE(set.try_join_next().has_value());
    CHECK(set.size() == many - 1);
  });
}

TEST_CASE("all that have ended are taken, with their ids") {
  const leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    join_set<> set;
    std::set<eddy::task_id> spawned, joined;
    for (int i = 0; i < many; ++i)
      spawned.insert(set.spawn([]() -> future<> { co_await eddy::yield_now(); }));
    CHECK_FALSE(set.try_join_next_with_id().has_value());
    co_await others();
    co_await others();
    while (auto one = set.try_join_next_with_id()) {
      CHECK(one->outcome().has_value());
      joined.insert(one->id());
    }
    CHECK(joined == spawned);
  });
}

TEST_CASE("joining a thousand ended tasks lets others run in between") {
  const leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    join_set<> set;
    for (int i = 0; i < many; ++i) set.spawn([]() -> future<> { co_return; });
    co_await others();
    const auto before = test::polls();
    int count = 0;
    while (auto r = co_await set.join_next()) ++count;
    CHECK(count == many);
    CHECK(test::polls() - before >= 7);
    CHECK(test::polls() - before <= 9);
  });
}

TEST_CASE("the polls of a task that joins many are as many as wakes that it had") {
  const leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    join_set<int> set;
    for (int i = 0; i < many; ++i) set.spawn(after(std::chrono::seconds(i + 1), i));
    co_await others();
    const auto before = test::polls();
    int next = 0;
    while (auto r = co_await set.join_next()) CHECK(**r == next++);
    CHECK(next == many);
    CHECK(test::polls() - before <= 2 * many + 2);  // theirs and ours
  });
}

EDDY_TEST_CASE("a handle that was made elsewhere is taken over") {
  join_set<int> set;
  auto h = eddy::spawn(after(1s, 4));
  const auto id = h.id();
  CHECK(set.insert(std::move(h)) == id);
  auto one = co_await set.join_next_with_id();
  CHECK(one->id() == id);
  CHECK(*one->outcome() == 4);
}

EDDY_TEST_CASE_REAL_TIME("blocking jobs are tasks of the set too") {
  join_set<int> set;
  for (int i = 0; i < 3; ++i) set.spawn_blocking([](int v) { return v * v; }, i);
  int sum = 0;
  while (auto r = co_await set.join_next()) sum += **r;
  CHECK(sum == 5);
}

TEST_CASE("tasks of another runtime are joined here; when it is gone they say aborted") {
  const leak_check leaks;
  join_set<int> set;
  eddy::runtime here;
  {
    eddy::runtime there;
    set.spawn_on(there.get_handle(), [](int v) -> future<int> { co_return v; }, 1);
    there.block_on(others());
    auto r = here.block_on([&set]() -> future<eddy::result<int>> {
      auto one = co_await set.join_next();
      co_return std::move(*one);
    });
    CHECK(*r == 1);
    set.spawn_on(there.get_handle(), [](int v) -> future<int> { co_return v; }, 2);
  }
  here.block_on([&set]() -> future<> {
    auto one = co_await set.join_next();
    REQUIRE(one.has_value());
    CHECK(one->error() == errc::aborted);
  });
}

TEST_CASE("a set outlives its runtime") {
  const leak_check leaks;
  gate g;
  join_set<int> set;
  {
    eddy::runtime rt;
    rt.block_on([&]() -> future<> {
      set.spawn(waits(g));
      co_await others();
    });
  }
  CHECK(g.waiting() == 0);
  CHECK(set.size() == 1);
}

TEST_CASE("dropped at every cut point") {
  const auto before = note::live();
  const auto scenario = []() -> future<> {
    join_set<int> set;
    gate never;
    for (int i = 0; i < 3; ++i) set.spawn(after(std::chrono::seconds(i), i));
    set.spawn([](note) -> future<int> { co_return 7; }(note("")));
    auto first = co_await set.join_next();
    CHECK(first.has_value());
    auto second = co_await set.join_next_with_id();
    CHECK(second.has_value());
    set.spawn(after(1h, 9));
    co_await set.shutdown();
    join_set<int> rest;
    rest.spawn(after(1s, 1));
    rest.spawn(after(2s, 2));
    const auto values = co_await std::move(rest).join_all();
    CHECK(values.size() == 2);
  };
  CHECK(eddy::test::cut_points(scenario) > 10);
  CHECK(note::live() == before);
}

#if EDDY_EXCEPTIONS
EDDY_TEST_CASE("what a task throws is its result; join_all throws the first and aborts the rest") {
  gate g;
  const auto fails = []() -> future<int> {
    co_await eddy::sleep(1s);
    throw std::out_of_range("task");
  };
  join_set<int> set;
  set.spawn(fails);
  auto r = co_await set.join_next();
  REQUIRE_FALSE(r->has_value());
  CHECK_THROWS_AS(std::move(*r).value(), std::out_of_range);

  set.spawn(waits(g));
  set.spawn(fails);
  bool caught = false;
  try {
    co_await std::move(set).join_all();
  } catch (const std::out_of_range&) {
    caught = true;
  }
  CHECK(caught);
  co_await others();
  CHECK(g.waiting() == 0);
}

TEST_CASE("spawning outside a runtime is misuse, and leaves the set empty") {
  const leak_check leaks;
  join_set<int> set;
  CHECK_THROWS_AS(set.spawn(after(1s, 1)), std::logic_error);
  CHECK(set.empty());
}
#endif

}  // namespace
