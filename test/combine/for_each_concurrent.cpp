#include <eddy/combine/for_each_concurrent.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/testing/cut_points.hpp>
#include <eddy/testing/doctest.hpp>
#include <eddy/testing/mock_task.hpp>

#include "support/leaves.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using test::gate;
using test::note;

TEST_CASE("nothing to do, and everything ready at once") {
  eddy::test::mock_task task;
  auto none = eddy::pin(
      eddy::for_each_concurrent(3, std::vector<int>(), [](int) -> future<> { co_return; }));
  CHECK(task.assert_ready(none).has_value());
  std::string order;
  auto all =
      eddy::pin(eddy::for_each_concurrent(1, std::vector{1, 2, 3}, [&order](int v) -> future<> {
        order += std::to_string(v);
        co_return;
      }));
  while (!task.poll(all)) CHECK(task.take_wakes() > 0);
  CHECK(order == "123");
}

TEST_CASE("at most so many run at once, and the next starts when one has ended") {
  const eddy::test::leak_check leaks;
  eddy::test::mock_task task;
  std::deque<gate> gates(5);
  std::string log;
  auto work =
      eddy::pin(eddy::for_each_concurrent(2, std::views::iota(0, 5), [&](int i) -> future<> {
        log += std::to_string(i);
        co_await gates[static_cast<std::size_t>(i)].wait();
        log += static_cast<char>('a' + i);
      }));
  const auto settle = [&] {
    do static_cast<void>(task.take_wakes());
    while (!task.poll(work) && task.is_woken());
  };
  settle();
  CHECK(log == "01");
  gates[1].open();
  settle();
  CHECK(log == "01b2");
  gates[0].open();
  gates[2].open();
  settle();
  CHECK(log == "01b2ac34");
  // One that wakes for nothing is polled alone.
  const int before = gates[3].polls();
  gates[4].wake();
  settle();
  CHECK(gates[3].polls() == before);
  CHECK(gates[4].polls() == 2);
  gates[3].open();
  gates[4].open();
  task.take_wakes();
  for (int i = 0; i < 3 && !work.done(); ++i) static_cast<void>(task.poll(work));
  CHECK(work.done());
  CHECK(log == "01b2ac34de");
}

EDDY_TEST_CASE("items by value, by reference, and move-only") {
  std::vector<std::unique_ptr<int>> items;
  for (int i = 1; i <= 4; ++i) items.push_back(std::make_unique<int>(i));
  int sum = 0;
  auto by_reference =
      eddy::for_each_concurrent(2, std::move(items), [&sum](std::unique_ptr<int>& p) -> future<> {
        co_await eddy::yield_now();
        sum += *p;
      });
  co_await std::move(by_reference);
  CHECK(sum == 10);
  auto made = eddy::for_each_concurrent(
      3, std::views::iota(0, 4) | std::views::transform([](int i) { return std::to_string(i); }),
      [&sum](std::string s) -> future<> {
        co_await eddy::yield_now();
        sum += std::stoi(s);
      });
  co_await std::move(made);
  CHECK(sum == 16);
}

EDDY_TEST_CASE("a hundred sleeps three at a time take as long as they must") {
  const auto start = eddy::clock::now();
  co_await eddy::for_each_concurrent(3, std::views::iota(0, 99),
                                     [](int) -> future<> { co_await eddy::sleep(1s); });
  CHECK(eddy::clock::now() == start + 33s);
}

TEST_CASE("dropped while it waits: what runs is destroyed, the rest never starts") {
  const eddy::test::leak_check leaks;
  eddy::test::mock_task task;
  const auto before = note::live();
  gate g;
  int started = 0;
  {
    auto work = eddy::pin(
        eddy::for_each_concurrent(2, std::views::iota(0, 9), [&, n = note("f")](int) -> future<> {
          ++started;
          const note local("local");
          co_await g.wait();
        }));
    task.assert_pending(work);
    task.assert_pending(work);
    CHECK(g.waiting() == 2);
  }
  CHECK(started == 2);
  CHECK(g.waiting() == 0);
  CHECK(note::live() == before);
  CHECK(task.references() == 0);
  test::take_trace();
}

TEST_CASE("dropped at every cut point") {
  const auto scenario = []() -> future<> {
    co_await eddy::for_each_concurrent(2, std::views::iota(0, 5), [](int i) -> future<> {
      co_await eddy::yield_now();
      co_await eddy::sleep(std::chrono::seconds(i));
    });
  };
  CHECK(eddy::test::cut_points(scenario) > 5);
}

#if EDDY_EXCEPTIONS
TEST_CASE("the first failure destroys the others, and no more are started") {
  const eddy::test::leak_check leaks;
  eddy::test::mock_task task;
  gate shut, fails;
  int started = 0;
  auto work =
      eddy::pin(eddy::for_each_concurrent(3, std::views::iota(0, 9), [&](int i) -> future<> {
        ++started;
        if (i == 1) {
          co_await fails.wait();
          throw std::out_of_range("one");
        }
        co_await shut.wait();
      }));
  task.assert_pending(work);
  task.assert_pending(work);
  fails.open();
  auto r = task.assert_ready(work);
  CHECK_THROWS_AS(std::move(r).value(), std::out_of_range);
  CHECK(started == 3);
  CHECK(shut.waiting() == 0);
}

TEST_CASE("what the callable itself throws comes out; a limit of 0 is misuse") {
  const eddy::test::leak_check leaks;
  eddy::runtime rt;
  gate g;
  rt.block_on([](gate& on) -> future<> {
    bool caught = false;
    auto work = eddy::for_each_concurrent(5, std::views::iota(0, 5), [&on](int i) -> future<> {
      if (i == 2) throw std::out_of_range("call");
      return [](gate& at) -> future<> { co_await at.wait(); }(on);
    });
    try {
      co_await std::move(work);
    } catch (const std::out_of_range&) {
      caught = true;
    }
    CHECK(caught);
    CHECK(on.waiting() == 0);
  }(g));
  const auto nothing = [](int) -> future<> { co_return; };
  CHECK_THROWS_AS(static_cast<void>(eddy::for_each_concurrent(0, std::vector<int>(), nothing)),
                  std::logic_error);
}
#endif

}  // namespace
