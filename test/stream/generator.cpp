#include <eddy/stream/generator.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>

#include "stream/support.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using eddy::errc;
using eddy::future;
using eddy::generator;
using test::at_end;
using test::is_pending;
using test::note;
using test::value;

generator<int> count(int to) {
  for (int i = 1; i <= to; ++i) co_yield i;
}

TEST_CASE("values, then the end, and the end again; nothing runs before the first next") {
  const test::leak_check leaks;
  test::mock_task task;
  bool started = false;
  auto g = [](bool& on) -> generator<int> {
    on = true;
    co_yield 1;
    int two = 2;
    co_yield two;
    co_yield two + 1;
  }(started);
  CHECK_FALSE(started);
  CHECK(test::all(task, g) == std::vector<int>{1, 2, 3});
  CHECK(started);
  CHECK(g.is_terminated());
  CHECK(at_end(task, g));
  auto none = []() -> generator<int> { co_return; }();
  CHECK_FALSE(none.is_terminated());
  CHECK(at_end(task, none));
  CHECK(task.take_wakes() == 0);
}

generator<std::string> reads(test::gate& g, note) {
  note local("local");
  co_yield "before";
  co_await g.wait();
  co_yield std::string("after");
}

TEST_CASE("it awaits between values; ready later, and moved while it waits and between values") {
  const test::leak_check leaks;
  test::take_trace();
  test::mock_task task;
  test::gate gate;
  auto g = reads(gate, note("arg"));
  CHECK(value(task, g) == "before");
  auto moved = std::move(g);
  CHECK(is_pending(task, moved));
  CHECK(is_pending(task, moved));
  CHECK(gate.waiting() == 1);
  auto again = std::move(moved);
  gate.open();
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, again) == "after");
  CHECK(test::trace().empty());
  CHECK(at_end(task, again));
  CHECK(test::take_trace() == "~local ~arg ");
  CHECK(test::failure(task, g) == errc::misuse);
  g = std::move(again);
  CHECK(at_end(task, g));
}

TEST_CASE("dropped before its start, at a yield, while it waits, and at its end") {
  const test::leak_check leaks;
  test::mock_task task;
  for (int steps = 0; steps < 4; ++steps) {
    CAPTURE(steps);
    test::take_trace();
    test::gate gate;
    {
      auto g = reads(gate, note("arg"));
      for (int i = 0; i < steps; ++i) {
        if (i == 2) gate.open();
        std::ignore = test::step(task, g);
      }
      CHECK(gate.waiting() == (steps == 2 ? 1 : 0));
    }
    CHECK(test::take_trace() == (steps == 0 ? "~arg " : "~local ~arg "));
    CHECK(gate.waiting() == 0);
    task.take_wakes();
  }
}

#if EDDY_EXCEPTIONS
TEST_CASE("what the body throws comes out of next, once; then it is at its end") {
  const test::leak_check leaks;
  test::mock_task task;
  auto g = []() -> generator<int> {
    co_yield 1;
    throw std::runtime_error("broken");
  }();
  CHECK(value(task, g) == 1);
  CHECK(test::failure(task, g).message() == "broken");
  CHECK(at_end(task, g));

  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto late = []() -> generator<int> {
      co_await eddy::yield_now();
      throw std::runtime_error("awaited");
      co_yield 1;
    }();
    std::string what;
    try {
      co_await late.next();
    } catch (const std::runtime_error& e) {
      what = e.what();
    }
    CHECK(what == "awaited");
  });
}

/// Cannot be copied, or moved, without throwing.
class unwilling {
 public:
  unwilling() = default;
  unwilling(const unwilling&) { throw std::runtime_error("copy"); }
  unwilling(unwilling&&) { throw std::runtime_error("move"); }
};

TEST_CASE(
    "a yielded lvalue whose copy throws fails the body; an rvalue whose move throws fails next") {
  const test::leak_check leaks;
  test::mock_task task;
  auto copies = []() -> generator<unwilling> {
    const unwilling u;
    co_yield u;
  }();
  CHECK(test::failure(task, copies).message() == "copy");
  CHECK(at_end(task, copies));
  auto moves = []() -> generator<unwilling> { co_yield unwilling(); }();
  CHECK(test::failure(task, moves).message() == "move");
  CHECK_FALSE(moves.is_terminated());
  CHECK(at_end(task, moves));
}
#endif

struct point {
  int x, y;
  std::string name;
};

TEST_CASE(
    "move-only values, values without a default, aggregates, and lvalues that stay the body's") {
  const test::leak_check leaks;
  test::mock_task task;
  auto boxes = []() -> generator<std::unique_ptr<int>> {
    for (int i = 0; i < 2; ++i) co_yield std::make_unique<int>(i);
    auto named = std::make_unique<int>(2);
    co_yield std::move(named);
  }();
  for (int i = 0; i < 3; ++i) CHECK(*value(task, boxes) == i);
  CHECK(at_end(task, boxes));
  auto points = []() -> generator<point> {
    point p{1, 2, "a long enough name that it is on the heap"};
    co_yield p;
    ++p.x;
    co_yield p;
    co_yield std::move(p);
  }();
  CHECK(value(task, points).x == 1);
  CHECK(value(task, points).name.size() > 20);
  const point last = value(task, points);
  CHECK((last.x == 2 && last.y == 2));
  CHECK(at_end(task, points));
}

future<int> deep(int n) {
  if (n == 0) {
    co_await eddy::yield_now();
    co_return 0;
  }
  const int below = co_await deep(n - 1);
  co_return below + 1;
}

TEST_CASE("generators in generators, futures in generators, to any depth") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto outer = []() -> generator<int> {
      auto inner = count(3);
      while (auto v = co_await inner.next()) {
        const int d = co_await deep(500);
        co_yield *v + d;
      }
    }();
    std::vector<int> seen;
    while (auto v = co_await outer.next()) seen.push_back(*v);
    CHECK(seen == std::vector<int>{501, 502, 503});
  });
}

generator<int> for_ever() {
  for (int i = 0;; ++i) co_yield i;
}

TEST_CASE("one that never waits lets others run: a task's budget counts its values") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    bool other = false;
    auto h = eddy::spawn(
        [](bool* ran) -> future<> {
          *ran = true;
          co_return;
        },
        &other);
    auto g = for_ever();
    int values = 0;
    while (!other) {
      const auto v = co_await g.next();
      CHECK(*v == values);  // none is lost where the budget ran out
      ++values;
    }
    CHECK(values < 1000);
    co_await h;
  });
}

TEST_CASE("constant stack: ten thousand values, each awaited deep below") {
  const test::leak_check leaks;
  test::mock_task task;
  auto g = for_ever();
  for (int i = 0; i < 10'000; ++i) CHECK(value(task, g) == i);
}

TEST_CASE("a losing next loses nothing") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    auto g = [](int to) -> generator<int> {
      for (int i = 0; i < to; ++i) {
        co_await eddy::sleep(std::chrono::milliseconds(7));
        co_yield i;
      }
    }(20);
    int expected = 0;
    for (;;) {
      auto r = co_await eddy::attempt(eddy::timeout(std::chrono::milliseconds(3), g.next()));
      if (!r) continue;
      if (!*r) break;
      CHECK(**r == expected++);
    }
    CHECK(expected == 20);
  });
}

TEST_CASE("a generator at every cut point") {
  CHECK(test::cut_points([]() -> future<> {
          auto g = [](note) -> generator<std::string> {
            note local("local");
            for (int i = 0; i < 3; ++i) {
              co_await eddy::sleep(std::chrono::seconds(1));
              co_yield std::string("a text that is on the heap, surely");
              const int d = co_await deep(3);
              co_yield std::to_string(d);
            }
          }(note("arg"));
          while (auto v = co_await g.next()) co_await eddy::yield_now();
        }) > 10);
  CHECK(note::live() == 0);
  test::take_trace();
}

}  // namespace
