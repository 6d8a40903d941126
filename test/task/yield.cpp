#include <eddy/task/yield.hpp>

#include <doctest/doctest.h>

#include <string>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

TEST_CASE("pending once, waking itself, then ready") {
  test::mock_task task;
  auto y = eddy::yield_now();
  CHECK_FALSE(task.poll(y).is_ready());
  CHECK(task.take_wakes() == 1);
  CHECK(task.references() == 0);
  CHECK(task.poll(y).is_ready());
  CHECK(task.take_wakes() == 0);
}

eddy::future<> say_twice(std::string name) {
  test::say(name + "1");
  co_await eddy::yield_now();
  test::say(name + "2");
}

TEST_CASE("it goes behind everything that is ready") {
  const test::leak_check leaks;
  test::take_trace();
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto a = eddy::spawn(say_twice("a"));
    auto b = eddy::spawn(say_twice("b"));
    test::say("main1");
    co_await eddy::yield_now();
    test::say("main2");
    co_await eddy::yield_now();
    test::say("main3");
    co_await a;
    co_await b;
  });
  CHECK(test::take_trace() == "main1 a1 b1 main2 a2 b2 main3 ");
}

eddy::future<> yields(int n) {
  for (int i = 0; i < n; ++i) co_await eddy::yield_now();
}

TEST_CASE("one poll a yield, and dropped at every cut point") {
  CHECK(test::cut_points([] { return yields(5); }) == 6);
}

TEST_CASE("a task that only yields does not keep a timer from firing") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto timer =
        eddy::spawn([]() -> eddy::future<> { co_await eddy::sleep(std::chrono::milliseconds(1)); });
    while (!timer.is_finished()) co_await eddy::yield_now();
  });
}

// ---- the budget

TEST_CASE("consume_budget is ready until the budget is spent, then lets others run once") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    co_await eddy::yield_now();
    int others = 0;
    auto other = eddy::spawn([&others]() -> eddy::future<> {
      ++others;
      co_return;
    });
    int spent = 0;
    while (eddy::coop::has_budget_remaining()) {
      co_await eddy::consume_budget();
      ++spent;
    }
    CHECK(spent == 128);
    CHECK(others == 0);
    co_await eddy::consume_budget();
    CHECK(others == 1);
    CHECK(eddy::coop::has_budget_remaining());
    co_await other;
  });
  CHECK(eddy::coop::has_budget_remaining());
}

TEST_CASE("unconstrained work is not interrupted, and what is around it keeps its budget") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    co_await eddy::yield_now();
    bool ran = false;
    auto other = eddy::spawn([&ran]() -> eddy::future<> {
      ran = true;
      co_return;
    });
    co_await eddy::consume_budget();
    co_await eddy::unconstrained([]() -> eddy::future<> {
      for (int i = 0; i < 1000; ++i) co_await eddy::consume_budget();
      CHECK(eddy::coop::has_budget_remaining());
    }());
    CHECK_FALSE(ran);
    for (int i = 0; i < 127; ++i) co_await eddy::consume_budget();
    CHECK_FALSE(eddy::coop::has_budget_remaining());
    CHECK_FALSE(ran);
    co_await other;
  });
}

TEST_CASE("unconstrained: dropped at every cut point") {
  CHECK(test::cut_points([]() -> eddy::future<> {
          co_await eddy::unconstrained(yields(3));
          co_await eddy::consume_budget();
        }) == 4);
}

}  // namespace
