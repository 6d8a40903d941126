#include <eddy/task/spawn.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/runtime_access.hpp"
#include "support/trace.hpp"

namespace {

using eddy::future;
using test::note;
using test::say;

future<int> number(int v) {
  say("number");
  co_return v;
}

TEST_CASE("a task starts when the loop next polls, not in place") {
  const test::leak_check leaks;
  test::take_trace();
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto h = eddy::spawn(number(1));
    CHECK(test::trace().empty());
    CHECK_FALSE(h.is_finished());
    const int v = co_await h;
    CHECK(v == 1);
    CHECK(test::take_trace() == "number ");
  });
}

TEST_CASE("a callable lives as long as its coroutine; arguments move in") {
  const test::leak_check leaks;
  const auto before = note::live();
  test::take_trace();
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto captured = [n = note("captured")]() -> future<int> {
      co_await eddy::yield_now();
      say(n.name());
      co_return 1;
    };
    auto h = eddy::spawn(std::move(captured));
    const int v = co_await h;
    CHECK(v == 1);
    CHECK(test::take_trace() == "captured ~captured ");

    auto with = eddy::spawn(
        [](note a, std::unique_ptr<int> b) -> future<std::unique_ptr<int>> {
          co_await eddy::yield_now();
          say(a.name());
          co_return std::move(b);
        },
        note("argument"), std::make_unique<int>(5));
    auto out = co_await with;
    CHECK(*out == 5);
    CHECK(test::take_trace() == "argument ~argument ");

    int n = 0;
    auto by_reference = eddy::spawn(
        [](const std::string& s) -> future<std::size_t> {
          co_await eddy::yield_now();
          co_return s.size();
        },
        std::string(40, 'x'));
    const auto size = co_await by_reference;
    CHECK(size == 40);
    static_cast<void>(n);
  });
  CHECK(note::live() == before);
}

TEST_CASE("a task that has ended keeps only its value: parameters and callable are gone") {
  const test::leak_check leaks;
  test::take_trace();
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto f = [n = note("capture")](note) -> future<note> { co_return note("value"); };
    auto h = eddy::spawn(std::move(f), note("parameter"));
    while (!h.is_finished()) co_await eddy::yield_now();
    CHECK(test::take_trace() == "~parameter ~capture ");
    {
      const note n = co_await h;
      CHECK(n.name() == "value");
    }
    CHECK(test::take_trace() == "~value ");
  });
}

TEST_CASE("a detached task runs on; its value goes at once") {
  const test::leak_check leaks;
  test::take_trace();
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    {
      auto h = eddy::spawn([]() -> future<note> {
        co_await eddy::yield_now();
        say("runs");
        co_return note("value");
      });
    }
    for (int i = 0; i < 3; ++i) co_await eddy::yield_now();
    CHECK(test::take_trace() == "runs ~value ");
    {
      auto ended = eddy::spawn([]() -> future<note> { co_return note("late"); });
      while (!ended.is_finished()) co_await eddy::yield_now();
    }
    CHECK(test::take_trace() == "~late ");
  });
}

TEST_CASE("tasks that never started go with the runtime") {
  const test::leak_check leaks;
  const auto before = note::live();
  test::take_trace();
  {
    eddy::runtime rt;
    const auto guard = rt.enter();
    auto h = eddy::spawn([](note) -> future<> { co_return; }, note("argument"));
    rt.spawn([](note) -> future<> { co_return; }(note("parameter")));
  }
  CHECK(note::live() == before);
  test::take_trace();
}

future<> tree(int depth) {
  note n("t");
  std::vector<eddy::join_handle<>> children;
  if (depth > 0)
    for (int i = 0; i < 2; ++i) children.push_back(eddy::spawn(tree(depth - 1)));
  co_await eddy::yield_now();
  for (auto& c : children) co_await c;
}

TEST_CASE("a tree of tasks, dropped at every cut point") {
  const auto before = note::live();
  CHECK(test::cut_points([] { return tree(3); }) > 15);
  CHECK(note::live() == before);
  test::take_trace();
}

#if EDDY_EXCEPTIONS

TEST_CASE("outside a runtime: misuse") {
  const test::leak_check leaks;
  CHECK_THROWS_WITH_AS(
      eddy::spawn(number(1)),
      "eddy: spawn: this thread is not on a runtime; call it from a task, or use handle::spawn",
      std::logic_error);
  CHECK_THROWS_AS(eddy::spawn([]() -> future<> { co_return; }), std::logic_error);
  CHECK_THROWS_AS(eddy::spawn([](int) -> future<> { co_return; }, 1), std::logic_error);
}

TEST_CASE("of an empty future: misuse") {
  const test::leak_check leaks;
  eddy::runtime rt;
  const auto guard = rt.enter();
  CHECK_THROWS_AS(eddy::spawn(future<int>()), std::logic_error);
  CHECK_THROWS_AS(eddy::spawn([]() { return future<int>(); }), std::logic_error);
}

TEST_CASE("of a coroutine made by calling a lambda with captures: refused before it runs") {
  const test::leak_check leaks;
  const char* const message =
      "eddy: spawn([x]() -> future<> {...}()): the captures die with the lambda before the "
      "coroutine "
      "runs; spawn the lambda itself: spawn([x]() -> future<> {...})";
  eddy::runtime rt;
  bool ran = false;
  const int x = static_cast<int>(message[0]);  // not a constant: it is captured
  rt.block_on([&]() -> future<> {
    CHECK_THROWS_WITH_AS(eddy::spawn([&ran]() -> future<> {
                           ran = true;
                           co_return;
                         }()),
                         message, std::logic_error);
    CHECK_THROWS_WITH_AS(eddy::spawn([x](int v) -> future<int> { co_return x + v; }(1)), message,
                         std::logic_error);
    CHECK_THROWS_WITH_AS(eddy::handle::current().spawn([x]() -> future<int> { co_return x; }()),
                         message, std::logic_error);
    // Without captures there is nothing that dies.
    auto h = eddy::spawn([](int v) -> future<int> { co_return v; }(4));
    const int v = co_await h;
    CHECK(v == 4);
    // Awaited in place, and wrapped in another coroutine, it is fine.
    auto lambda = [&ran]() -> future<int> { co_return ran ? 1 : 2; };
    const int w = co_await lambda();
    CHECK(w == 2);
  });
  CHECK_FALSE(ran);
}

TEST_CASE(
    "what a callable throws before it made a future comes out of spawn, and nothing is left") {
  const test::leak_check leaks;
  const auto before = note::live();
  eddy::runtime rt;
  const auto throws = [](note) -> future<> {
    if (test::trace().size() < 100) throw std::runtime_error("early");
    return []() -> future<> { co_return; }();
  };
  rt.block_on([&]() -> future<> {
    CHECK_THROWS_WITH(eddy::spawn(throws, note("argument")), "early");
    co_return;
  });
  CHECK_THROWS_WITH(rt.spawn(throws, note("argument")), "early");
  CHECK(note::live() == before);
  test::take_trace();
}

TEST_CASE("nested block_on: misuse") {
  const test::leak_check leaks;
  eddy::runtime rt;
  eddy::runtime other;
  rt.block_on([&]() -> future<> {
    for (auto* r : {&rt, &other})
      CHECK_THROWS_WITH_AS(
          r->block_on(number(1)),
          "eddy: block_on: this thread runs a runtime's task already; await the future instead, or "
          "use another thread",
          std::logic_error);
    co_return;
  });
  CHECK(rt.block_on(number(2)) == 2);
  test::take_trace();
}

TEST_CASE("a failure that nobody awaits reaches the hook, with name and site") {
  const test::leak_check leaks;
  std::vector<std::string> reports;
  {
    eddy::runtime rt = eddy::runtime::builder()
                           .on_unhandled_failure([&](const eddy::task_failure& f) {
                             reports.push_back(std::string(f.site) + "|" + f.why.message());
                           })
                           .build();
    rt.block_on([]() -> future<> {
      {
        auto dropped_before = eddy::spawn([]() -> future<> {
          throw std::runtime_error("before");
          co_return;
        });
      }
      auto h = eddy::spawn([]() -> future<int> {
        throw std::runtime_error("after");
        co_return 1;
      });
      while (!h.is_finished()) co_await eddy::yield_now();
      {
        auto dropped = std::move(h);
      }
      auto awaited = eddy::spawn([]() -> future<> {
        throw std::runtime_error("awaited");
        co_return;
      });
      try {
        co_await awaited;
      } catch (const std::runtime_error& e) {
        CHECK(std::string(e.what()) == "awaited");
      }
    });
  }
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].ends_with("|before"));
  CHECK(reports[1].ends_with("|after"));
  CHECK(reports[0].find("spawn.cpp:") != std::string::npos);
}

#endif

}  // namespace
