#include <eddy/combine/select_any.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
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
using eddy::errc;
using eddy::future;
using test::note;

future<int> waits(test::gate& g, int value, note = note("arg")) {
  co_await g.wait();
  co_return value;
}

TEST_CASE("ready at once: the first that is ready; the others are destroyed with the answer") {
  const test::leak_check leaks;
  const auto live = note::live();
  test::mock_task task;
  test::gate shut;
  test::gate open;
  open.open();
  std::vector<future<int>> list;
  for (int i = 0; i < 4; ++i) list.push_back(waits(i == 2 ? open : shut, i));
  {
    auto s = eddy::select_any(std::move(list));
    auto r = task.poll(s);
    REQUIRE(r.is_ready());
    CHECK((*r)->index() == 2);
    CHECK((*r)->value() == 2);
    CHECK(note::live() == live);
    CHECK(shut.waiting() == 0);
    CHECK(task.poll(s)->error() == errc::misuse);
  }
  CHECK(task.references() == 0);
  test::take_trace();
}

TEST_CASE("ready later: only what was woken is polled") {
  const test::leak_check leaks;
  test::mock_task task;
  std::deque<test::gate> gates(100);
  std::vector<test::gate::leaf> list;
  for (auto& g : gates) list.push_back(g.wait());
  auto s = eddy::select_any(std::move(list));
  CHECK_FALSE(task.poll(s).is_ready());
  for (int i = 0; i < 5; ++i) gates[3].wake();
  CHECK(task.take_wakes() == 1);
  CHECK_FALSE(task.poll(s).is_ready());
  gates[70].open();
  gates[9].open();
  CHECK(task.take_wakes() == 1);
  auto r = task.poll(s);
  REQUIRE(r.is_ready());
  CHECK((*r)->index() == 70);
  int polls = 0;
  for (const auto& g : gates) {
    polls += g.polls();
    CHECK(g.waiting() == 0);
  }
  CHECK(polls == 102);
}

TEST_CASE("dropped while waiting, or before its first poll") {
  const test::leak_check leaks;
  const auto live = note::live();
  test::mock_task task;
  test::gate g;
  {
    std::vector<future<int>> list;
    for (int i = 0; i < 3; ++i) list.push_back(waits(g, i));
    auto s = eddy::select_any(std::move(list));
    CHECK_FALSE(task.poll(s).is_ready());
    std::vector<future<int>> more;
    more.push_back(waits(g, 1));
    auto unstarted = eddy::select_any(std::move(more));
  }
  CHECK(note::live() == live);
  CHECK(g.waiting() == 0);
  CHECK(task.references() == 0);
  g.open();
  CHECK_FALSE(task.is_woken());
  test::take_trace();
}

TEST_CASE("an empty list is misuse") {
  test::mock_task task;
  auto s = eddy::select_any(std::vector<test::pass>());
  CHECK(task.poll(s)->error() == errc::misuse);
}

TEST_CASE("a container by lvalue, and a span, lend their leaves") {
  const test::leak_check leaks;
  eddy::runtime rt;
  test::gate g;
  rt.block_on([](test::gate& on) -> future<> {
    std::deque<eddy::pinned<int>> works;
    for (int i = 0; i < 3; ++i) works.emplace_back(waits(on, i));
    auto lost = co_await eddy::attempt(eddy::timeout(0s, eddy::select_any(works)));
    CHECK(lost.error() == errc::elapsed);
    CHECK(on.waiting() == 1 + 1 + 1);
    on.open();
    auto r = co_await eddy::select_any(eddy::biased, works);
    CHECK(r.index() == 0);
    CHECK(works[0].done());
    CHECK_FALSE(works[1].done());

    std::vector<eddy::join_handle<int>> handles;
    for (int i = 0; i < 3; ++i) handles.push_back(eddy::spawn(waits(on, 7)));
    auto first = co_await eddy::select_any(std::span(handles));
    CHECK(first.value() == 7);
    CHECK(handles.size() == 3);
  }(g));
  test::take_trace();
}

TEST_CASE("a view that makes its elements gives them away") {
  const test::leak_check leaks;
  test::mock_task task;
  test::gate g;
  g.open();
  auto s =
      eddy::select_any(eddy::biased, std::views::iota(5, 8) |
                                         std::views::transform([&](int i) { return waits(g, i); }));
  CHECK(task.poll(s).take()->value() == 5);
  test::take_trace();
}

TEST_CASE("results of any kind") {
  const test::leak_check leaks;
  test::mock_task task;
  int n = 0;
  std::vector<future<int&>> references;
  references.push_back([](int& v) -> future<int&> { co_return v; }(n));
  auto r = eddy::select_any(std::move(references));
  CHECK(&task.poll(r).take()->value() == &n);
  std::vector<test::after<std::unique_ptr<int>>> owners;
  owners.emplace_back(0, std::make_unique<int>(4));
  auto o = eddy::select_any(std::move(owners));
  const std::unique_ptr<int> p = std::move(*task.poll(o).take()).value();
  CHECK(*p == 4);
  std::vector<test::pass> none(1, test::pass(0));
  auto v = eddy::select_any(std::move(none));
  static_cast<void>(task.poll(v).take()->value());
}

TEST_CASE(
    "two that are always ready each win about half of the rounds; biased, the first wins all") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().rng_seed(3).build();
  rt.block_on([]() -> future<> {
    int won[2] = {0, 0};
    int biased[2] = {0, 0};
    for (int i = 0; i < 10'000; ++i) {
      auto r = co_await eddy::select_any(std::vector<test::pass>(2, test::pass(0)));
      ++won[r.index()];
      auto b = co_await eddy::select_any(eddy::biased, std::vector<test::pass>(2, test::pass(0)));
      ++biased[b.index()];
    }
    CHECK(won[0] > 4000);
    CHECK(won[1] > 4000);
    CHECK(biased[1] == 0);
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("a winner that failed throws, and the others are destroyed first") {
  const test::leak_check leaks;
  test::gate g;
  eddy::runtime rt;
  rt.block_on([](test::gate& on) -> future<> {
    std::vector<future<int>> list;
    list.push_back(waits(on, 1));
    list.push_back([]() -> future<int> {
      co_await eddy::yield_now();
      throw std::runtime_error("work");
    }());
    std::string what;
    try {
      co_await eddy::select_any(std::move(list));
    } catch (const std::runtime_error& e) {
      what = e.what();
    }
    CHECK(what == "work");
    CHECK(on.waiting() == 0);
  }(g));
  test::take_trace();
}
#endif

future<int> sleeps(int seconds, note) {
  co_await eddy::sleep(std::chrono::seconds(seconds));
  co_await eddy::yield_now();
  co_return seconds;
}
future<> scenario() {
  std::vector<future<int>> list;
  for (int i = 5; i > 0; --i) list.push_back(sleeps(i, note("arg")));
  auto r = co_await eddy::select_any(std::move(list));
  CHECK(r.index() == 4);
  CHECK(r.value() == 1);
}

TEST_CASE("dropped at every cut point") {
  const auto live = note::live();
  CHECK(test::cut_points(scenario) >= 3);
  CHECK(note::live() == live);
  test::take_trace();
}

}  // namespace
