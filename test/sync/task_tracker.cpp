// What tokio-util's task_tracker.rs asks is here too. docs/conformance.tsv says which case is which test.

#include <eddy/sync/task_tracker.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::sync::task_tracker;
using eddy::sync::tracker_token;
using test::mock_task;
using test::note;

/// A task of its own that waits for a tracker.
class waiting {
 public:
  explicit waiting(const task_tracker& t) : leaf_(t.wait()) {}
  bool poll() { return task_.poll(leaf_).is_ready(); }
  int take_wakes() { return task_.take_wakes(); }

 private:
  mock_task task_;
  decltype(std::declval<const task_tracker&>().wait()) leaf_;
};

TEST_CASE("open, closed and open again; close and reopen say whether that was new") {
  const task_tracker tracker;
  CHECK_FALSE(tracker.is_closed());
  CHECK(tracker.is_empty());
  CHECK(tracker.close());
  CHECK(tracker.is_closed());
  CHECK(tracker.is_empty());
  CHECK(tracker.len() == 0);
  CHECK(tracker.reopen());
  CHECK_FALSE(tracker.is_closed());
  CHECK_FALSE(tracker.reopen());
  CHECK(tracker.close());
  CHECK_FALSE(tracker.close());
  CHECK(tracker.is_closed());
}

TEST_CASE("every token counts, and a copy counts again") {
  const task_tracker tracker;
  std::vector<tracker_token> tokens;
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(tracker.len() == i);
    tokens.push_back(tracker.token());
  }
  CHECK_FALSE(tracker.is_empty());
  for (std::size_t i = 10; i-- > 0;) {
    tokens.pop_back();
    CHECK(tracker.len() == i);
  }
  const auto one = tracker.token();
  {
    auto two = one;
    CHECK(tracker.len() == 2);
    const auto moved = std::move(two);
    CHECK(tracker.len() == 2);
  }
  CHECK(tracker.len() == 1);
}

TEST_CASE("closed and empty: ready at once") {
  const task_tracker tracker;
  tracker.close();
  waiting wait(tracker);
  CHECK(wait.poll());
}

TEST_CASE("closed and empty as the wait was made: ready, though reopened since") {
  const task_tracker tracker;
  tracker.close();
  waiting wait(tracker);
  tracker.reopen();
  CHECK(wait.poll());
}

TEST_CASE("an empty tracker's close wakes who waits") {
  const task_tracker tracker;
  waiting wait(tracker);
  CHECK_FALSE(wait.poll());
  tracker.close();
  CHECK(wait.take_wakes() == 1);
  CHECK(wait.poll());
}

TEST_CASE("closed and reopened while it waited: the moment counts") {
  const task_tracker tracker;
  waiting wait(tracker);
  CHECK_FALSE(wait.poll());
  tracker.close();
  tracker.reopen();
  CHECK(wait.poll());
}

TEST_CASE("the last token of a closed tracker wakes who waits") {
  const task_tracker tracker;
  tracker.close();
  std::optional token(tracker.token());
  waiting wait(tracker);
  CHECK_FALSE(wait.poll());
  token.reset();
  CHECK(wait.take_wakes() == 1);
  CHECK(wait.poll());
}

TEST_CASE("a token taken after the last had gone does not undo that") {
  const task_tracker tracker;
  tracker.close();
  std::optional token(tracker.token());
  waiting wait(tracker);
  CHECK_FALSE(wait.poll());
  token.reset();
  const auto next = tracker.token();
  CHECK(wait.poll());
}

TEST_CASE("open: nobody is told when the last token goes") {
  const task_tracker tracker;
  std::optional token(tracker.token());
  waiting wait(tracker);
  CHECK_FALSE(wait.poll());
  token.reset();
  const auto next = tracker.token();
  CHECK(wait.take_wakes() == 0);
  CHECK_FALSE(wait.poll());
}

TEST_CASE("closed at any point while its tasks end: ready after the last") {
  constexpr int count = 5;
  for (int close_at = 0; close_at <= count; ++close_at) {
    const task_tracker tracker;
    std::list<tracker_token> tokens;
    for (int i = 0; i < count; ++i) tokens.push_back(tracker.token());
    waiting wait(tracker);
    for (int i = 0; i < count; ++i) {
      CHECK_FALSE(wait.poll());
      if (i == close_at) tracker.close();
      CHECK_FALSE(wait.poll());
      tokens.pop_front();
    }
    if (close_at == count) {
      CHECK_FALSE(wait.poll());
      tracker.close();
    }
    CHECK(wait.poll());
  }
}

TEST_CASE("all who wait are told") {
  const task_tracker tracker;
  std::list<waiting> waits;
  for (int i = 0; i < 10; ++i) CHECK_FALSE(waits.emplace_back(tracker).poll());
  tracker.close();
  for (auto& each : waits) {
    CHECK(each.take_wakes() == 1);
    CHECK(each.poll());
  }
}

TEST_CASE("dropped while waiting: nobody is woken") {
  mock_task task;
  const task_tracker tracker;
  {
    auto wait = tracker.wait();
    CHECK_FALSE(task.poll(wait).is_ready());
  }
  CHECK(task.references() == 0);
  tracker.close();
  CHECK(task.take_wakes() == 0);
}

future<> nothing() { co_return; }
future<> some_turns(int n) {
  for (int i = 0; i < n; ++i) co_await eddy::yield_now();
}

TEST_CASE("spawned, here and by a handle, then closed: wait is over when all have ended") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    const task_tracker tracker;
    for (int i = 0; i < 8; ++i) tracker.spawn(some_turns(i));
    for (int i = 0; i < 8; ++i) tracker.spawn_on(eddy::handle::current(), some_turns, i);
    for (int i = 0; i < 8; ++i) tracker.spawn_on(eddy::handle::current(), nothing());
    CHECK(tracker.len() == 24);
    tracker.close();
    co_await tracker.wait();
    CHECK(tracker.is_empty());
    CHECK(tracker.is_closed());
  });
}

TEST_CASE("closed, then spawned: wait is over when all have ended") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    const task_tracker tracker;
    tracker.close();
    for (int i = 0; i < 8; ++i)
      tracker.spawn(
          [held = std::make_unique<int>(i)]() -> future<> { co_await some_turns(*held); });
    co_await tracker.wait();
    CHECK(tracker.is_empty());
    CHECK(tracker.is_closed());
  });
}

TEST_CASE("a tracker that is dropped aborts nothing") {
  const test::leak_check leaks;
  test::gate g;
  eddy::runtime rt;
  rt.block_on([](test::gate& on) -> future<> {
    {
      const task_tracker tracker;
      for (int i = 0; i < 8; ++i)
        tracker.spawn([](test::gate* each) -> future<> { co_await each->wait(); }, &on);
    }
    co_await eddy::yield_now();
    CHECK(on.waiting() == 8);
  }(g));
}

TEST_CASE("the join handle is that of the task; a task counts until its future is gone") {
  const test::leak_check leaks;
  const auto before = note::live();
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    const task_tracker tracker;
    auto value = tracker.spawn([](note n) -> future<std::size_t> { co_return n.name().size(); },
                               note("four"));
    const auto length = co_await value;
    CHECK(length == 4);
    CHECK(tracker.is_empty());
    auto slow = tracker.spawn([](note) -> future<> { co_await eddy::sleep(1h); }, note("slow"));
    slow.abort();
    tracker.close();
    co_await tracker.wait();
    CHECK(slow.is_finished());
  });
  CHECK(note::live() == before);
  test::take_trace();
}

#if EDDY_POOL
TEST_CASE("blocking jobs count") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    const task_tracker tracker;
    auto job = tracker.spawn_blocking([](int a, int b) { return a + b; }, 1, 2);
    tracker.close();
    co_await tracker.wait();
    const int sum = co_await job;
    CHECK(sum == 3);
  });
}
#endif

TEST_CASE("a tracked future counts until it is gone, run or not") {
  const test::leak_check leaks;
  const task_tracker tracker;
  {
    const auto unused = tracker.track_future(nothing());
    CHECK(tracker.len() == 1);
  }
  CHECK(tracker.is_empty());
  test::gate g;
  mock_task task;
  {
    auto work = eddy::pin(tracker.track_future([](test::gate* on) -> future<int> {
      co_await on->wait();
      co_return 3;
    }(&g)));
    CHECK_FALSE(task.poll(work).is_ready());
    CHECK(tracker.len() == 1);
    g.open();
    auto r = task.poll(work);
    REQUIRE(r.is_ready());
    CHECK(**r == 3);
  }
  CHECK(tracker.is_empty());
}

#if EDDY_EXCEPTIONS
TEST_CASE("outside a runtime spawning says so, and nothing is counted") {
  const test::leak_check leaks;
  const task_tracker tracker;
  CHECK_THROWS_AS(tracker.spawn(nothing()), std::logic_error);
  CHECK_THROWS_AS(tracker.spawn(some_turns, 1), std::logic_error);
  CHECK(tracker.is_empty());
  eddy::runtime rt;
  rt.block_on([](task_tracker t) -> future<> {
    CHECK_THROWS_AS(t.spawn([n = 1]() -> future<> { co_await some_turns(n); }()), std::logic_error);
    CHECK(t.is_empty());
    co_return;
  }(tracker));
}
#endif

TEST_CASE("handles of one tracker are equal") {
  const task_tracker tracker;
  const auto handle = tracker;
  CHECK(handle == tracker);
  CHECK(task_tracker() != tracker);
}

future<> scenario() {
  const task_tracker tracker;
  for (int i = 0; i < 3; ++i)
    tracker.spawn(
        [](note, int turns) -> future<> {
          co_await some_turns(turns);
          co_await eddy::sleep(1s);
        },
        note("task"), i);
  tracker.close();
  co_await tracker.wait();
  CHECK(tracker.is_empty());
}

TEST_CASE("dropped at every cut point") {
  const auto before = note::live();
  CHECK(test::cut_points(scenario) >= 8);
  CHECK(note::live() == before);
  test::take_trace();
}

}  // namespace
