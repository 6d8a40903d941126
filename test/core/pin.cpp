#include <eddy/core/pin.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using test::note;

eddy::future<int> work(test::gate& g, note) {
  note local("local");
  co_await g.wait();
  test::say("opened");
  co_return 7;
}

TEST_CASE("it stays where it is, is a leaf, and does nothing unpolled") {
  static_assert(!std::is_move_constructible_v<eddy::pinned<int>>);
  static_assert(!std::is_copy_constructible_v<eddy::pinned<int>>);
  static_assert(eddy::pollable<eddy::pinned<int>&>);
  const test::leak_check leaks;
  test::take_trace();
  test::gate g;
  {
    auto p = eddy::pin(work(g, note("arg")));
    CHECK_FALSE(p.done());
    CHECK(g.polls() == 0);
  }
  CHECK(test::take_trace() == "~arg ");
}

TEST_CASE("ready at once: done, and its frame is gone with the value out") {
  const test::leak_check leaks;
  test::take_trace();
  test::gate g;
  g.open();
  test::mock_task task;
  auto p = eddy::pin(work(g, note("arg")));
  auto r = task.poll(p);
  REQUIRE(r.is_ready());
  CHECK(**r == 7);
  CHECK(p.done());
  CHECK(test::take_trace() == "opened ~local ~arg ");
}

TEST_CASE("ready later: it keeps its progress over many polls and different wakers") {
  const test::leak_check leaks;
  test::take_trace();
  test::gate g;
  auto p = eddy::pin(work(g, note("arg")));
  test::mock_task one, two;
  CHECK_FALSE(one.poll(p).is_ready());
  CHECK_FALSE(two.poll(p).is_ready());
  CHECK_FALSE(p.done());
  g.open();
  CHECK(one.take_wakes() == 0);
  CHECK(two.take_wakes() == 1);
  CHECK(two.poll(p).is_ready());
  CHECK(p.done());
  test::take_trace();
}

TEST_CASE("dropped while waiting") {
  const test::leak_check leaks;
  test::take_trace();
  test::gate g;
  test::mock_task task;
  {
    auto p = eddy::pin(work(g, note("arg")));
    CHECK_FALSE(task.poll(p).is_ready());
    CHECK(g.waiting() == 1);
  }
  CHECK(g.waiting() == 0);
  CHECK(test::take_trace() == "~local ~arg ");
  g.open();
  CHECK(task.take_wakes() == 0);
}

TEST_CASE("polled after its end it says misuse, as often as it is asked") {
  const test::leak_check leaks;
  test::gate g;
  g.open();
  test::mock_task task;
  auto p = eddy::pin(work(g, note("arg")));
  CHECK(task.poll(p).is_ready());
  for (int i = 0; i < 2; ++i) {
    auto again = task.poll(p);
    REQUIRE(again.is_ready());
    REQUIRE_FALSE(again->has_value());
    CHECK(again->error() == eddy::errc::misuse);
  }
  CHECK(p.done());
  test::take_trace();
}

eddy::future<int> awaits_in_parts(test::gate& g) {
  auto p = eddy::pin(work(g, note("arg")));
  const int v = co_await p;  // by name
  co_return v;
}
eddy::future<int> awaits_directly(test::gate& g) {
  const int v = co_await eddy::pin(work(g, note("arg")));
  co_return v;
}

TEST_CASE("it is awaited by name or as it comes, and dropped at every cut point with its owner") {
  for (auto* make : {&awaits_in_parts, &awaits_directly}) {
    for (int cut = 0; cut < 3; ++cut) {
      const test::leak_check leaks;
      const auto before = note::live();
      test::gate g;
      {
        test::mock_task task;
        auto p = eddy::pin(make(g));
        if (cut > 0) CHECK_FALSE(task.poll(p).is_ready());
        g.open();
        if (cut > 1) {
          auto r = task.poll(p);
          REQUIRE(r.is_ready());
          CHECK(**r == 7);
        }
      }
      CHECK(note::live() == before);
    }
  }
  test::take_trace();
}

eddy::future<int&> reference(int& n) { co_return n; }
eddy::future<std::unique_ptr<int>> move_only() { co_return std::make_unique<int>(1); }

TEST_CASE("references and move-only results") {
  const test::leak_check leaks;
  test::mock_task task;
  int n = 0;
  auto r = eddy::pin(reference(n));
  auto a = task.poll(r);
  CHECK(&**a == &n);
  auto m = eddy::pin(move_only());
  auto b = task.poll(m);
  CHECK(***b == 1);
}

TEST_CASE("pinned in a pinned in a pinned") {
  const test::leak_check leaks;
  test::take_trace();
  test::gate g;
  auto two = [](test::gate& on) -> eddy::future<int> {
    auto p = eddy::pin(awaits_in_parts(on));
    const int v = co_await p;
    co_return v + 1;
  };
  {
    test::mock_task task;
    auto p = eddy::pin(two(g));
    CHECK_FALSE(task.poll(p).is_ready());
    CHECK_FALSE(task.poll(p).is_ready());
    g.open();
    auto r = task.poll(p);
    REQUIRE(r.is_ready());
    CHECK(**r == 8);
  }
  g.close();
  {
    test::mock_task task;
    auto p = eddy::pin(two(g));
    CHECK_FALSE(task.poll(p).is_ready());
    g.wake();
    CHECK(task.take_wakes() == 1);
  }
  test::take_trace();
}

#if EDDY_EXCEPTIONS
eddy::future<int> throws(test::gate& g) {
  co_await g.wait();
  throw std::runtime_error("work");
}
TEST_CASE("what the body threw is in the error") {
  const test::leak_check leaks;
  test::gate g;
  test::mock_task task;
  auto p = eddy::pin(throws(g));
  CHECK_FALSE(task.poll(p).is_ready());
  g.open();
  auto r = task.poll(p);
  REQUIRE(r.is_ready());
  REQUIRE_FALSE(r->has_value());
  CHECK_THROWS_WITH_AS(r->error().raise(), "work", std::runtime_error);
  CHECK(p.done());
}
#endif

}  // namespace
