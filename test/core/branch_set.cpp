#include <eddy/core/detail/branch_set.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/testing/leak_check.hpp>
#include <eddy/testing/mock_task.hpp>

#include "support/leaves.hpp"
#include "support/trace.hpp"

namespace {

using eddy::future;
using eddy::detail::branch_set;
using eddy::test::leak_check;
using eddy::test::mock_task;
using test::gate;
using test::note;

/// What the next of the set says: its key, -1 for nothing ready, -2 for an empty set.
template <class X>
int next(mock_task& task, branch_set<X>& set) {
  eddy::context cx(task);
  auto p = set.poll_next(cx);
  if (!p) return -1;
  return *p ? static_cast<int>((*p)->key) : -2;
}

/// Hands its waker out and stays pending.
class [[nodiscard]] lends_waker {
 public:
  explicit lends_waker(eddy::waker& to, int* alive = nullptr) : to_(&to), alive_(alive) {}
  lends_waker(lends_waker&& o) noexcept : to_(o.to_), alive_(std::exchange(o.alive_, nullptr)) {}
  ~lends_waker() {
    if (alive_ != nullptr) --*alive_;
  }
  eddy::polled<> poll(eddy::context& cx) noexcept {
    *to_ = cx.get_waker();
    return eddy::pending;
  }

 private:
  eddy::waker* to_;
  int* alive_;
};

TEST_CASE("an empty set says so; one that was moved from is empty and can be used again") {
  const leak_check leaks;
  mock_task task;
  branch_set<test::pass> set;
  CHECK(next(task, set) == -2);
  CHECK_FALSE(set.try_next().has_value());
  set.clear();
  set.insert(1, test::pass(0));
  auto moved = std::move(set);
  CHECK(set.empty());
  CHECK(next(task, set) == -2);
  set.insert(2, test::pass(0));
  CHECK(next(task, set) == 2);
  CHECK(next(task, moved) == 1);
  CHECK(next(task, moved) == -2);
}

TEST_CASE("each is polled once at first, and then once a wake of its own") {
  const leak_check leaks;
  mock_task task;
  std::deque<gate> gates(50);
  branch_set<gate::leaf> set;
  std::size_t key = 0;
  for (auto& g : gates) set.insert(key++, g.wait());
  CHECK(next(task, set) == -1);
  CHECK(next(task, set) == -1);
  for (const auto& g : gates) CHECK(g.polls() == 1);
  gates[7].wake();
  gates[7].wake();
  CHECK(task.take_wakes() == 1);
  CHECK(next(task, set) == -1);
  gates[30].open();
  gates[20].open();
  CHECK(task.take_wakes() == 1);
  CHECK(next(task, set) == 30);
  CHECK(next(task, set) == 20);
  CHECK(next(task, set) == -1);
  int polls = 0;
  for (const auto& g : gates) polls += g.polls();
  CHECK(polls == 50 + 1 + 2);
  CHECK(set.size() == 48);
}

TEST_CASE("one that wakes itself is polled by the next poll, and holds up nobody") {
  mock_task task;
  branch_set<test::pass> set;
  set.insert(0, test::pass(1000));
  set.insert(1, test::pass(1));
  CHECK(next(task, set) == -1);
  CHECK(task.take_wakes() == 1);
  CHECK(next(task, set) == 1);
  CHECK(task.take_wakes() == 1);
  CHECK(next(task, set) == -1);
  CHECK(task.take_wakes() == 1);
}

TEST_CASE("one added while the set waits wakes the task") {
  mock_task task;
  gate g;
  branch_set<gate::leaf> set;
  set.insert(0, g.wait());
  CHECK(next(task, set) == -1);
  set.insert(1, g.wait());
  CHECK(task.take_wakes() == 1);
  CHECK(g.polls() == 1);
  CHECK(next(task, set) == -1);
  CHECK(g.polls() == 2);
}

future<> adds_another(branch_set<future<>>& set, int& left) {
  if (left-- > 0) set.insert(9, adds_another(set, left));
  co_return;
}

TEST_CASE("one may add others while it is polled: they come with the next poll") {
  const leak_check leaks;
  mock_task task;
  branch_set<future<>> set;
  int left = 3;
  set.insert(0, adds_another(set, left));
  CHECK(next(task, set) == 0);
  CHECK(left == 2);
  for (int i = 0; i < 3; ++i) {
    CHECK(set.size() == 1);
    CHECK(next(task, set) == 9);
  }
  CHECK(next(task, set) == -2);
}

TEST_CASE("a waker that outlives its branch wakes nobody, and holds neither branch nor task") {
  const leak_check leaks;
  eddy::waker kept, other;
  {
    mock_task task;
    int alive = 2;
    {
      branch_set<lends_waker> set;
      set.insert(0, lends_waker(kept, &alive));
      set.insert(1, lends_waker(other, &alive));
      CHECK(next(task, set) == -1);
      set.clear();
      CHECK(alive == 0);
      kept.wake();
      CHECK_FALSE(task.is_woken());
      CHECK(next(task, set) == -2);
    }
    CHECK(task.references() == 0);
  }
  kept.wake();
  other = {};
}

TEST_CASE("a waker of a nested set that outlives both wakes nobody") {
  const leak_check leaks;
  eddy::waker kept;
  {
    mock_task task;
    branch_set<future<>> outer;
    outer.insert(0, [](eddy::waker& to) -> future<> {
      std::vector<lends_waker> list;
      list.emplace_back(to);
      static_cast<void>(co_await eddy::select_any(std::move(list)));
    }(kept));
    CHECK(next(task, outer) == -1);
    kept.wake();
    CHECK(task.take_wakes() == 1);
    CHECK(next(task, outer) == -1);
  }
  kept.wake();
}

TEST_CASE("a wake goes through nested sets to the one branch") {
  const leak_check leaks;
  mock_task task;
  std::deque<gate> gates(9);
  branch_set<future<>> outer;
  for (std::size_t i = 0; i < 3; ++i)
    outer.insert(i, [](std::deque<gate>& all, std::size_t first) -> future<> {
      std::vector<gate::leaf> list;
      for (std::size_t k = first; k < first + 3; ++k) list.push_back(all[k].wait());
      co_await eddy::join_all(std::move(list));
    }(gates, i * 3));
  CHECK(next(task, outer) == -1);
  gates[4].wake();
  CHECK(task.take_wakes() == 1);
  CHECK(next(task, outer) == -1);
  for (std::size_t i = 0; i < gates.size(); ++i) CHECK(gates[i].polls() == (i == 4 ? 2 : 1));
  for (std::size_t i = 3; i < 6; ++i) gates[i].open();
  CHECK(next(task, outer) == 1);
}

TEST_CASE("a change of the task that polls: the last one is woken") {
  mock_task one, two;
  gate g;
  branch_set<gate::leaf> set;
  set.insert(0, g.wait());
  CHECK(next(one, set) == -1);
  CHECK(next(two, set) == -1);
  CHECK(one.references() == 0);
  g.open();
  CHECK(one.wakes() == 0);
  CHECK(two.wakes() == 1);
  CHECK(next(two, set) == 0);
}

TEST_CASE("cleared from the newest to the oldest, also by what a destructor adds") {
  const leak_check leaks;
  test::take_trace();
  gate g;
  mock_task task;
  branch_set<future<>> set;
  class adds_at_end {
   public:
    explicit adds_at_end(branch_set<future<>>& s) : set_(&s) {}
    ~adds_at_end() {
      set_->insert(7, [](note) -> future<> { co_return; }(note("late")));
    }

   private:
    branch_set<future<>>* set_;
  };
  for (const char* name : {"a", "b"})
    set.insert(0, [](gate& on, note) -> future<> { co_await on.wait(); }(g, note(name)));
  set.insert(0, [](gate& on, branch_set<future<>>& s) -> future<> {
    const adds_at_end last(s);
    co_await on.wait();
  }(g, set));
  CHECK(next(task, set) == -1);
  set.clear();
  CHECK(set.empty());
  CHECK(test::take_trace() == "~late ~b ~a ");
}

/// Ready at each poll, as long as there is budget.
class [[nodiscard]] spender {
 public:
  explicit spender(int& polls) : polls_(&polls) {}
  eddy::polled<> poll(eddy::context& cx) noexcept {
    ++*polls_;
    if (!cx.proceed()) return eddy::pending;
    return eddy::ready;
  }

 private:
  int* polls_;
};

template <class X, class Make>
int polls_to_drain(int n, int& polls, Make make) {
  eddy::runtime rt;
  return rt.block_on([&]() -> future<int> {
    branch_set<X> set;
    for (int i = 0; i < n; ++i) set.insert(0, make());
    int task_polls = 0;
    co_await eddy::poll_fn([&](eddy::context& cx) noexcept -> eddy::polled<> {
      ++task_polls;
      while (!set.empty())
        if (!set.poll_next(cx)) return eddy::pending;
      return eddy::ready;
    });
    CHECK(polls == n);
    co_return task_polls;
  });
}

TEST_CASE("without budget nobody is polled: draining n ready ones costs n polls") {
  const leak_check leaks;
  int polls = 0;
  CHECK(polls_to_drain<spender>(1000, polls, [&] { return spender(polls); }) == 8);
  polls = 0;
  const auto plain = [&polls] {
    return [](int& n) -> future<> {
      ++n;
      co_return;
    }(polls);
  };
  CHECK(polls_to_drain<future<>>(1000, polls, plain) == 8);
}

#if EDDY_EXCEPTIONS
TEST_CASE("a branch that cannot be made leaves the set as it was") {
  const leak_check leaks;
  mock_task task;
  branch_set<future<>> set;
  CHECK_THROWS_AS(set.insert(0, future<>()), std::logic_error);
  CHECK(set.empty());
  CHECK(next(task, set) == -2);
}

class throws_when_moved {
 public:
  explicit throws_when_moved(int fuse) : fuse_(fuse) {}
  throws_when_moved(throws_when_moved&& o) : fuse_(o.fuse_ - 1) {
    if (fuse_ < 0) throw std::runtime_error("moved");
  }

 private:
  int fuse_;
};

TEST_CASE("a value whose move throws is a failure of its branch, which is gone") {
  const leak_check leaks;
  int fuse = 0;
  for (bool failed = true; failed; ++fuse) {
    REQUIRE(fuse < 10);
    mock_task task;
    eddy::context cx(task);
    branch_set<future<throws_when_moved>> set;
    set.insert(3, [](int f) -> future<throws_when_moved> { co_return throws_when_moved(f); }(fuse));
    auto p = set.poll_next(cx);
    REQUIRE(p.is_ready());
    CHECK((*p)->key == 3);
    CHECK(set.empty());
    failed = !(*p)->outcome.has_value();
  }
  CHECK(fuse > 2);
}
#endif

}  // namespace
