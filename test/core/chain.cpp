#include <eddy/core/detail/chain.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

#include <eddy/core/future.hpp>
#include <eddy/core/pin.hpp>
#include <eddy/task/yield.hpp>

#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using eddy::detail::chain;
using eddy::detail::future_access;
using eddy::detail::promise_base;
using test::note;
using test::say;

TEST_CASE("sizes that a sleeping task's bytes rest on") {
  static_assert(sizeof(chain) == 4 * sizeof(void*));
#if EDDY_EXCEPTIONS
  static_assert(sizeof(promise_base) == 4 * sizeof(void*));
  static_assert(sizeof(eddy::future<>::promise_type) == 4 * sizeof(void*));
  static_assert(sizeof(eddy::future<int>::promise_type) == 5 * sizeof(void*));
#else
  static_assert(sizeof(eddy::future<>::promise_type) == 3 * sizeof(void*));
#endif
  static_assert(sizeof(eddy::future<>) == sizeof(void*));
}

/// A chain by hand, as a task drives its own.
struct driver {
  explicit driver(eddy::future<int> f) : root(future_access::release(f)) {
    root.promise().owner = &frames;
    frames.next = root;
  }
  driver(const driver&) = delete;
  ~driver() {
    if (!ended) frames.destroy();
    if (ended) root.destroy();
  }
  bool run() {
    eddy::context cx(task);
    char* const base = eddy::detail::context_access::stack_base(cx);
    ended = frames.run(cx);
    CHECK(eddy::detail::context_access::stack_base(cx) == base);
    return ended;
  }
  test::mock_task task;
  chain frames;
  std::coroutine_handle<eddy::future<int>::promise_type> root;
  bool ended = false;
};

eddy::future<int> leaf_level(test::gate& g) {
  note n("leaf");
  co_await g.wait();
  say("opened");
  co_return 1;
}
eddy::future<int> middle_level(test::gate& g) {
  note n("middle");
  const int v = co_await leaf_level(g);
  say("middle");
  co_return v + 1;
}
eddy::future<int> top_level(test::gate& g) {
  note n("top");
  const int v = co_await middle_level(g);
  co_return v + 1;
}

TEST_CASE("a poll asks the leaf and resumes the innermost coroutine only when it is ready") {
  const test::leak_check leaks;
  test::take_trace();
  test::gate g;
  {
    driver d(top_level(g));
    CHECK_FALSE(d.run());
    CHECK(g.polls() == 1);
    void* const innermost = d.frames.next.address();
    CHECK(innermost != d.root.address());
    CHECK_FALSE(d.run());
    CHECK_FALSE(d.run());
    CHECK(g.polls() == 3);
    CHECK(d.frames.next.address() == innermost);
    CHECK(test::trace().empty());
    g.open();
    CHECK(d.run());
    CHECK(d.frames.next == nullptr);
    CHECK(d.frames.leaf == d.root.address());
    CHECK(d.root.promise().take() == 3);
    CHECK(test::take_trace() == "opened ~leaf middle ~middle ~top ");
  }
}

TEST_CASE("destroying a chain goes innermost first, and a second time does nothing") {
  const test::leak_check leaks;
  test::take_trace();
  test::gate g;
  driver d(top_level(g));
  CHECK_FALSE(d.run());
  CHECK(g.waiting() == 1);
  d.frames.destroy();
  CHECK(test::take_trace() == "~leaf ~middle ~top ");
  CHECK(g.waiting() == 0);
  d.frames.destroy();
  CHECK(test::take_trace().empty());
}

TEST_CASE("a chain that has not started is destroyed with its root") {
  const test::leak_check leaks;
  test::take_trace();
  test::gate g;
  {
    driver d(top_level(g));
  }
  CHECK(test::take_trace().empty());
  CHECK(g.polls() == 0);
}

eddy::future<int> count_down(int n) {
  if (n == 0) co_return 0;
  const int below = co_await count_down(n - 1);
  co_return below + 1;
}

TEST_CASE("children too deep to run in place are left to the loop") {
  const test::leak_check leaks;
  driver d(count_down(1000));
  CHECK(d.run());
  CHECK(d.root.promise().take() == 1000);
}

eddy::future<int> mixed(int depth, int turns) {
  // Ready and waiting children, at every depth.
  int sum = 0;
  for (int i = 0; i < turns; ++i) {
    co_await test::pass(i % 2);
    if (depth > 0) {
      const int v = co_await mixed(depth - 1, turns);
      sum += v;
    }
  }
  co_return sum + 1;
}

TEST_CASE("trees of ready and waiting coroutines add up") {
  const test::leak_check leaks;
  driver d(mixed(5, 3));
  int polls = 1;
  while (!d.run()) ++polls;
  CHECK(d.root.promise().take() == 1 + 3 + 9 + 27 + 81 + 243);
  CHECK(polls == 1 + 1 + 3 + 9 + 27 + 81 + 243);  // one wait in each coroutine
}

TEST_CASE("flags share a word with the parent and survive it") {
  const test::leak_check leaks;
  test::gate g;
  auto f = top_level(g);
  auto& p = future_access::promise(f);
  CHECK_FALSE(p.parent());
  p.set(promise_base::capturing);
  CHECK_FALSE(p.parent());
  CHECK(p.has(promise_base::capturing));
  alignas(64) static char frame[64];
  p.set_parent(std::coroutine_handle<>::from_address(frame));
  CHECK(p.parent().address() == frame);
  p.clear(promise_base::capturing);
  CHECK_FALSE(p.has(promise_base::capturing));
  CHECK(p.parent().address() == frame);
}

TEST_CASE("every coroutine knows where it awaits") {
  const test::leak_check leaks;
  test::gate g;
  driver d(top_level(g));
  const void* const made = d.root.promise().site;
  CHECK(made != nullptr);
  CHECK_FALSE(d.run());
  const void* const awaits = d.root.promise().site;
  CHECK(awaits != nullptr);
  CHECK(awaits != made);
  CHECK(promise_base::of(d.frames.next).site != awaits);
}

}  // namespace
