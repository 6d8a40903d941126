#include <eddy/combine/join_all.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
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
#if EDDY_EXCEPTIONS
future<int> fails(errc why) {
  auto gone = eddy::poll_fn([why](eddy::context&) -> eddy::polled<eddy::result<int>> {
    return eddy::error(why, "leaf");
  });
  co_return co_await gone;
}
#endif

TEST_CASE("ready at once: the values in the order of the list") {
  const test::leak_check leaks;
  test::mock_task task;
  test::gate open;
  open.open();
  std::vector<future<int>> list;
  for (int i = 0; i < 5; ++i) list.push_back(waits(open, i));
  auto j = eddy::join_all(std::move(list));
  auto r = task.poll(j);
  REQUIRE(r.is_ready());
  CHECK(**r == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(task.poll(j)->error() == errc::misuse);
  auto none = eddy::join_all(std::vector<future<int>>());
  CHECK(task.poll(none).take()->empty());
  test::take_trace();
}

TEST_CASE("ready later, in any order; only what was woken is polled") {
  const test::leak_check leaks;
  test::mock_task task;
  std::deque<test::gate> gates(50);
  std::vector<future<int>> list;
  for (int i = 0; i < 50; ++i) list.push_back(waits(gates[static_cast<std::size_t>(i)], i));
  auto j = eddy::join_all(std::move(list));
  CHECK_FALSE(task.poll(j).is_ready());
  for (std::size_t i = 50; i-- > 1;) {
    gates[i].open();
    CHECK(task.take_wakes() == 1);
    CHECK_FALSE(task.poll(j).is_ready());
  }
  gates[0].open();
  auto r = task.poll(j);
  REQUIRE(r.is_ready());
  for (int i = 0; i < 50; ++i) CHECK((**r)[static_cast<std::size_t>(i)] == i);
  for (const auto& g : gates) CHECK(g.polls() == 2);
  test::take_trace();
}

TEST_CASE("dropped while waiting: the branches, and the values that have come, are gone") {
  const test::leak_check leaks;
  const auto live = note::live();
  test::mock_task task;
  test::gate shut;
  {
    std::vector<future<note>> list;
    for (int i = 0; i < 3; ++i)
      list.push_back([](test::gate& g, bool now) -> future<note> {
        if (!now) co_await g.wait();
        co_return note("value");
      }(shut, i == 1));
    auto j = eddy::join_all(std::move(list));
    CHECK_FALSE(task.poll(j).is_ready());
  }
  CHECK(note::live() == live);
  CHECK(shut.waiting() == 0);
  CHECK(task.references() == 0);
  test::take_trace();
}

#if EDDY_EXCEPTIONS
TEST_CASE("join_all awaits all, try_join_all ends with the first failure and destroys the rest") {
  const test::leak_check leaks;
  test::mock_task task;
  test::gate g;
  for (const bool all : {true, false}) {
    g.close();
    std::vector<future<int>> list;
    list.push_back(waits(g, 1));
    list.push_back(fails(errc::closed));
    list.push_back(fails(errc::aborted));
    if (all) {
      auto j = eddy::join_all(std::move(list));
      CHECK_FALSE(task.poll(j).is_ready());
      CHECK(g.waiting() == 1);
      g.open();
      CHECK(task.poll(j)->error() == errc::closed);
    } else {
      auto j = eddy::try_join_all(std::move(list));
      auto r = task.poll(j);
      REQUIRE(r.is_ready());
      CHECK(r->error() == errc::closed);
      CHECK(g.waiting() == 0);
    }
  }
  test::take_trace();
}

class bad_mover {
 public:
  explicit bad_mover(int left) : left_(left) {}
  bad_mover(bad_mover&& other) : left_(other.left_ - 1) {
    if (left_ < 0) throw std::runtime_error("move");
  }

 private:
  int left_;
};

TEST_CASE("a value whose move throws is a failure wherever that happens") {
  const test::leak_check leaks;
  test::mock_task task;
  int whole = 0;
  int failed = 0;
  for (int moves = 0; moves < 14; ++moves) {
    std::vector<future<bad_mover>> list;
    for (int i = 0; i < 2; ++i)
      list.push_back([](int n) -> future<bad_mover> { co_return bad_mover(n); }(moves + i));
    auto j = eddy::join_all(std::move(list));
    auto r = task.poll(j);
    REQUIRE(r.is_ready());
    ++(r->has_value() ? whole : failed);
  }
  CHECK(whole > 0);
  CHECK(failed > 0);
}
#endif

TEST_CASE("lists of references give pointers, lists of nothing give nothing, lent leaves live on") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    int n[3] = {0, 1, 2};
    std::vector<future<int&>> references;
    for (int& each : n) references.push_back([](int& v) -> future<int&> { co_return v; }(each));
    auto pointers = co_await eddy::join_all(std::move(references));
    static_assert(std::is_same_v<decltype(pointers), std::vector<int*>>);
    CHECK(pointers == std::vector<int*>{n, n + 1, n + 2});

    std::vector<test::pass> passes(3, test::pass(1));
    co_await eddy::join_all(std::move(passes));

    std::vector<eddy::join_handle<std::unique_ptr<int>>> handles;
    for (int i = 0; i < 3; ++i)
      handles.push_back(eddy::spawn([i]() -> future<std::unique_ptr<int>> {
        co_await eddy::yield_now();
        co_return std::make_unique<int>(i);
      }));
    auto owners = co_await eddy::try_join_all(handles);
    CHECK(*owners[2] == 2);
    CHECK(handles[0].is_finished());
  });
}

TEST_CASE("an always ready branch does not keep the others from their turn") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    int left[3] = {1000, 1000, 1000};
    std::vector<future<>> list;
    for (int& each : left)
      list.push_back([](int& mine, int* all) -> future<> {
        for (; mine != 0; --mine)
          co_await eddy::poll_fn([](eddy::context& cx) -> eddy::polled<> {
            if (!cx.proceed()) return eddy::pending;
            return eddy::ready;
          });
        for (int i = 0; i < 3; ++i) CHECK(all[i] < 300);
      }(each, left));
    co_await eddy::join_all(std::move(list));
  });
}

future<int> sleeps(int seconds, note) {
  co_await eddy::sleep(std::chrono::seconds(seconds));
  co_await eddy::yield_now();
  co_return seconds;
}
future<> scenario() {
  std::vector<future<int>> list;
  for (int i = 5; i > 0; --i) list.push_back(sleeps(i, note("arg")));
  auto r = co_await eddy::join_all(std::move(list));
  CHECK(r == std::vector<int>{5, 4, 3, 2, 1});
}

TEST_CASE("dropped at every cut point") {
  const auto live = note::live();
  CHECK(test::cut_points(scenario) >= 8);
  CHECK(note::live() == live);
  test::take_trace();
}

}  // namespace
