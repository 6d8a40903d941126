// What Tokio's sync_notify.rs and sync_notify_owned.rs ask is here too: the templates run by reference and by
// share. docs/conformance.tsv says which case is which test.

#include <eddy/sync/notify.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

namespace {

using eddy::future;
using eddy::sync::notify;

/// A notify and leaves that hold it by reference.
struct by_reference {
  notify n;
  auto notified() { return n.notified(); }
  notify* operator->() { return &n; }
};
/// The same by share.
struct by_share {
  std::shared_ptr<notify> n = std::make_shared<notify>();
  auto notified() const { return notify::notified_owned(n); }
  notify* operator->() const { return n.get(); }
};
#define EITHER by_reference, by_share

/// A task of its own that waits.
template <class N>
class waiting {
 public:
  explicit waiting(N& n) : leaf_(n.notified()) {}
  bool poll() { return task_.poll(*leaf_).is_ready(); }
  bool enable() { return leaf_->enable(); }
  int take_wakes() { return task_.take_wakes(); }
  void drop() { leaf_.reset(); }
  test::mock_task& task() { return task_; }
  auto& leaf() { return *leaf_; }

 private:
  test::mock_task task_;
  std::optional<decltype(std::declval<N&>().notified())> leaf_;
};

TEST_CASE_TEMPLATE("told before it waits: ready at once, nobody is woken", N, EITHER) {
  N n;
  waiting<N> one(n);
  n->notify_one();
  CHECK(one.poll());
  CHECK(one.poll());  // and stays so
  CHECK(one.take_wakes() == 0);
  CHECK(one.task().references() == 0);
}

TEST_CASE_TEMPLATE("told later: woken once, then ready", N, EITHER) {
  N n;
  waiting<N> one(n);
  CHECK_FALSE(one.poll());
  n->notify_one();
  CHECK(one.take_wakes() == 1);
  CHECK(one.poll());
  CHECK(one.task().references() == 0);
}

TEST_CASE_TEMPLATE("the one that has waited longest is told, and it alone", N, EITHER) {
  N n;
  waiting<N> one(n), two(n);
  CHECK_FALSE(one.poll());
  CHECK_FALSE(two.poll());
  n->notify_one();
  CHECK(one.take_wakes() == 1);
  CHECK(two.take_wakes() == 0);
  CHECK(one.poll());
  CHECK_FALSE(two.poll());
}

TEST_CASE_TEMPLATE("notify_last tells the one that came last", N, EITHER) {
  N n;
  waiting<N> one(n), two(n);
  CHECK_FALSE(one.poll());
  CHECK_FALSE(two.poll());
  n->notify_last();
  CHECK(one.take_wakes() == 0);
  CHECK_FALSE(one.poll());
  CHECK(two.poll());
}

TEST_CASE_TEMPLATE("what is kept is heard once; the second waits for the next", N, EITHER) {
  N n;
  n->notify_one();
  n->notify_one();
  waiting<N> one(n), two(n);
  CHECK(one.poll());
  CHECK_FALSE(two.poll());
  n->notify_one();
  CHECK(two.take_wakes() == 1);
  CHECK(two.poll());
}

TEST_CASE_TEMPLATE("dropped while waiting: the next one is told, and no waker is left", N, EITHER) {
  N n;
  waiting<N> one(n), two(n);
  CHECK_FALSE(one.poll());
  one.drop();
  CHECK(one.task().references() == 0);
  CHECK_FALSE(two.poll());
  n->notify_one();
  CHECK(one.take_wakes() == 0);
  CHECK(two.take_wakes() == 1);
  CHECK(two.poll());
}

TEST_CASE_TEMPLATE("dropped after it was chosen: the next in the queue is told instead", N,
                   EITHER) {
  N n;
  waiting<N> one(n), two(n), three(n);
  CHECK_FALSE(one.poll());
  CHECK_FALSE(two.poll());
  CHECK_FALSE(three.poll());
  n->notify_one();
  CHECK(two.take_wakes() == 0);
  one.drop();
  CHECK(two.take_wakes() == 1);
  CHECK(two.poll());
  CHECK_FALSE(three.poll());
}

TEST_CASE_TEMPLATE("dropped after notify_last chose it: the last of the others is told", N,
                   EITHER) {
  N n;
  waiting<N> one(n), two(n), three(n);
  CHECK_FALSE(one.poll());
  CHECK_FALSE(two.poll());
  CHECK_FALSE(three.poll());
  n->notify_last();
  three.drop();
  CHECK(two.poll());
  CHECK_FALSE(one.poll());
}

TEST_CASE_TEMPLATE("dropped after it was chosen, with nobody behind it: kept for the next", N,
                   EITHER) {
  N n;
  waiting<N> one(n), two(n);
  CHECK_FALSE(one.poll());
  n->notify_one();
  one.drop();
  CHECK(two.poll());
}

TEST_CASE_TEMPLATE("a notify_one behind notify_waiters is kept, also when who was told is dropped",
                   N, EITHER) {
  N n;
  waiting<N> one(n);
  CHECK_FALSE(one.poll());
  n->notify_waiters();
  n->notify_one();
  one.drop();
  waiting<N> two(n), three(n);
  CHECK(two.poll());
  CHECK_FALSE(three.poll());
}

TEST_CASE_TEMPLATE(
    "notify_waiters tells all who wait and all who were made before, and keeps nothing", N,
    EITHER) {
  N n;
  waiting<N> one(n), two(n), unpolled(n);
  CHECK_FALSE(one.poll());
  CHECK_FALSE(two.poll());
  n->notify_waiters();
  CHECK(one.take_wakes() == 1);
  CHECK(two.take_wakes() == 1);
  CHECK(one.poll());
  CHECK(two.poll());
  CHECK(unpolled.poll());
  waiting<N> late(n);
  CHECK_FALSE(late.poll());
}

TEST_CASE_TEMPLATE("who was told by notify_waiters leaves a kept notify_one alone", N, EITHER) {
  N n;
  waiting<N> one(n);
  n->notify_waiters();
  n->notify_one();
  CHECK(one.poll());
  waiting<N> two(n);
  CHECK(two.poll());
}

TEST_CASE_TEMPLATE("notify_waiters leaves a kept notify_one where it is", N, EITHER) {
  N n;
  n->notify_one();
  n->notify_waiters();
  waiting<N> one(n), two(n);
  CHECK(one.poll());
  CHECK_FALSE(two.poll());
}

TEST_CASE_TEMPLATE("not enabled: a notify_one before the first poll is heard all the same", N,
                   EITHER) {
  N n;
  waiting<N> one(n);
  n->notify_one();
  CHECK(one.poll());
}

TEST_CASE_TEMPLATE("enabled: it has its place in the queue before it is polled", N, EITHER) {
  N n;
  waiting<N> one(n), two(n);
  CHECK_FALSE(one.enable());
  CHECK_FALSE(two.poll());
  n->notify_one();
  CHECK(two.take_wakes() == 0);
  CHECK(one.poll());
  CHECK(one.enable());
}

TEST_CASE_TEMPLATE("enabled, then polled: pending, and woken later", N, EITHER) {
  N n;
  waiting<N> one(n);
  CHECK_FALSE(one.enable());
  CHECK_FALSE(one.poll());
  n->notify_one();
  CHECK(one.take_wakes() == 1);
}

TEST_CASE_TEMPLATE("polled, then enabled: not told yet, and the waker stays", N, EITHER) {
  N n;
  waiting<N> one(n);
  CHECK_FALSE(one.poll());
  CHECK_FALSE(one.enable());
  n->notify_one();
  CHECK(one.take_wakes() == 1);
}

TEST_CASE_TEMPLATE("enable takes what is kept", N, EITHER) {
  N n;
  n->notify_one();
  waiting<N> one(n), two(n);
  CHECK(one.enable());
  CHECK_FALSE(two.enable());
  CHECK(one.poll());
}

TEST_CASE_TEMPLATE("the last poll's target is woken", N, EITHER) {
  N n;
  waiting<N> one(n);
  test::mock_task other;
  CHECK_FALSE(other.poll(one.leaf()).is_ready());
  CHECK_FALSE(one.poll());
  CHECK(other.references() == 0);
  n->notify_one();
  CHECK(other.take_wakes() == 0);
  CHECK(one.take_wakes() == 1);
}

/// Calls notify_waiters when the last waker of it is dropped.
class tells_at_its_end final : public eddy::wake_target {
 public:
  explicit tells_at_its_end(notify& n) : notify_(n) {}
  void wake() noexcept override {}
  void retain() noexcept override { ++references_; }
  void release() noexcept override {
    if (--references_ == 0) notify_.notify_waiters();
  }

 private:
  notify& notify_;
  int references_ = 0;
};

TEST_CASE_TEMPLATE(
    "a waker may use the notify as it is dropped: after a wake, when replaced, with the leaf", N,
    EITHER) {
  N n;
  tells_at_its_end end(*n.operator->());
  {
    auto leaf = n.notified();
    eddy::context cx(end);
    CHECK_FALSE(leaf.poll(cx).is_ready());
    n->notify_waiters();
    CHECK(leaf.poll(cx).is_ready());
  }
  {
    auto leaf = n.notified();
    eddy::context cx(end);
    CHECK_FALSE(leaf.poll(cx).is_ready());
    test::mock_task other;
    CHECK_FALSE(
        other.poll(leaf).is_ready());  // its waker goes, which tells, but leaf has been queued
    CHECK(other.take_wakes() == 1);
  }
  auto leaf = n.notified();
  eddy::context cx(end);
  CHECK_FALSE(leaf.poll(cx).is_ready());
}

TEST_CASE("more waiters than are woken at a time: all are") {
  std::vector<std::unique_ptr<waiting<by_reference>>> all;
  by_reference many;
  for (int i = 0; i < 100; ++i) {
    all.push_back(std::make_unique<waiting<by_reference>>(many));
    CHECK_FALSE(all.back()->poll());
  }
  many->notify_waiters();
  for (auto& each : all) {
    CHECK(each->take_wakes() == 1);
    CHECK(each->poll());
  }
}

TEST_CASE("out of budget, what was told stays so; dropped then, the next hears it") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    notify n;
    test::mock_task other;
    auto next = n.notified();
    {
      auto mine = n.notified();
      CHECK_FALSE(other.poll(mine).is_ready());
      CHECK_FALSE(other.poll(next).is_ready());
      n.notify_one();
      CHECK(other.take_wakes() == 1);
      const bool spent = co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<bool> {
        while (cx.proceed()) {
        }
        return !mine.poll(cx).is_ready();
      });
      CHECK(spent);
    }
    CHECK(other.take_wakes() == 1);
    CHECK(other.poll(next).is_ready());
  });
}

future<> tell_and_hear(std::shared_ptr<notify> n, std::shared_ptr<int> turns, int whose) {
  while (*turns < 6) {
    if (*turns % 2 == whose) {
      ++*turns;
      n->notify_waiters();
    } else {
      co_await n->notified();
    }
  }
  n->notify_waiters();
}
future<> scenario() {
  auto n = std::make_shared<notify>();
  auto turns = std::make_shared<int>(0);
  auto one = eddy::spawn(tell_and_hear(n, turns, 0));
  auto other = eddy::spawn(tell_and_hear(n, turns, 1));
  co_await one;
  co_await other;
  CHECK(*turns == 6);
  auto owned = notify::notified_owned(std::move(n));
  auto late = co_await eddy::attempt(eddy::timeout(std::chrono::seconds(1), std::move(owned)));
  CHECK(late.error() == eddy::errc::elapsed);
}

TEST_CASE("dropped at every cut point") { CHECK(test::cut_points(scenario) > 5); }

TEST_CASE("a leaf by share keeps its notify") {
  auto n = std::make_shared<notify>();
  const std::weak_ptr<notify> alive = n;
  {
    auto leaf = notify::notified_owned(std::move(n));
    CHECK_FALSE(alive.expired());
    test::mock_task task;
    auto moved = std::move(leaf);
    CHECK_FALSE(task.poll(moved).is_ready());
  }
  CHECK(alive.expired());
}

static_assert(!std::is_copy_constructible_v<notify> && !std::is_move_constructible_v<notify>);

}  // namespace
