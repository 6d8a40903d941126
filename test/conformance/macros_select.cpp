// The behaviour that Tokio's macros_select.rs tests and test/combine/select.cpp does not.

#include <eddy/combine/select.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/sync/mpsc.hpp>
#include <eddy/sync/oneshot.hpp>

#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
namespace mpsc = eddy::sync::mpsc;
namespace oneshot = eddy::sync::oneshot;

template <class F>
void in_runtime(F f) {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on(f());
}

future<int> value(int v) { co_return v; }

TEST_CASE("a select of one branch takes a lambda's, a function's or a named future") {
  in_runtime([]() -> future<> {
    auto a = co_await eddy::select([]() -> future<int> { co_return 1; }());
    CHECK(a.get<0>() == 1);
    auto b = co_await eddy::select(value(2));
    CHECK(b.get<0>() == 2);
    auto named = value(3);
    auto c = co_await eddy::select(std::move(named));
    CHECK(c.get<0>() == 3);
  });
}

TEST_CASE("a select of otherwise alone returns its value, biased or not") {
  in_runtime([]() -> future<> {
    auto a = co_await eddy::select(eddy::otherwise(1));
    CHECK(a.get<0>() == 1);
    auto b = co_await eddy::select(eddy::biased, eddy::otherwise(2));
    CHECK(b.get<0>() == 2);
  });
}

TEST_CASE("a select may follow from another's result or be its branch") {
  in_runtime([]() -> future<> {
    auto outer = co_await eddy::select(value(1));
    auto inner = co_await eddy::select(value(outer.get<0>() + 2));
    CHECK(inner.get<0>() == 3);
    auto nested = co_await eddy::select(eddy::select(value(4)));
    CHECK(nested.get<0>().get<0>() == 4);
  });
}

TEST_CASE("of two ready branches only one runs") {
  in_runtime([]() -> future<> {
    int ran = 0;
    const auto branch = [](int& count, int v) -> future<int> {
      ++count;
      co_return v;
    };
    auto r = co_await eddy::select(branch(ran, 1), branch(ran, 2));
    CHECK(ran == 1);
    CHECK(r.visit([](int v) { return v; }, [](int v) { return v; }) ==
          static_cast<int>(r.index()) + 1);
  });
}

TEST_CASE("a branch owns what was moved into it") {
  in_runtime([]() -> future<> {
    std::string s = "hello";
    auto r = co_await eddy::select([](std::string mine) -> future<int> {
      const int v = co_await value(1);
      {
        const auto gone = std::move(mine);
      }
      co_return v;
    }(std::move(s)));
    CHECK(r.get<0>() == 1);
  });
}

TEST_CASE("of two channels, the one with a value wins a select") {
  in_runtime([]() -> future<> {
    auto [tx1, rx1] = oneshot::channel<int>();
    auto [tx2, rx2] = oneshot::channel<int>();
    static_cast<void>(std::move(tx1).send(1));
    auto r = co_await eddy::select(rx1, rx2);
    REQUIRE(r.index() == 0);
    CHECK(r.get<0>() == 1);
  });
}

TEST_CASE("a loop over two channels takes every message and ends when both are closed") {
  in_runtime([]() -> future<> {
    auto [tx1, rx1] = mpsc::unbounded_channel<int>();
    auto [tx2, rx2] = mpsc::unbounded_channel<int>();
    auto sending = eddy::spawn(
        [](mpsc::unbounded_sender<int> a, mpsc::unbounded_sender<int> b) -> future<> {
          static_cast<void>(b.send(1));
          co_await eddy::yield_now();
          static_cast<void>(a.send(2));
          co_await eddy::yield_now();
          static_cast<void>(b.send(3));
          co_await eddy::yield_now();
        },
        std::move(tx1), std::move(tx2));
    std::vector<int> got;
    for (bool more = true; more;) {
      auto r = co_await eddy::select(eddy::some(rx1.recv()), eddy::some(rx2.recv()),
                                     eddy::otherwise(false));
      if (auto* a = r.get_if<0>()) got.push_back(*a);
      if (auto* b = r.get_if<1>()) got.push_back(*b);
      if (r.index() == 2) more = r.get<2>();
    }
    CHECK(got == std::vector<int>{1, 2, 3});
    co_await sending;
  });
}

TEST_CASE("a losing branch that was passed by name can be awaited after the select") {
  in_runtime([]() -> future<> {
    auto [tx1, rx1] = oneshot::channel<int>();
    auto [tx2, rx2] = oneshot::channel<int>();
    static_cast<void>(std::move(tx1).send(1));
    static_cast<void>(std::move(tx2).send(2));
    auto r = co_await eddy::select(rx1, rx2);
    if (r.index() == 0) {
      CHECK(r.get<0>() == 1);
      const int other = co_await rx2;
      CHECK(other == 2);
    } else {
      CHECK(r.get<1>() == 2);
      const int other = co_await rx1;
      CHECK(other == 1);
    }
  });
}

class ready_value {
 public:
  explicit ready_value(int v) noexcept : value_(v) {}
  eddy::polled<int> poll(eddy::context&) noexcept { return value_; }

 private:
  int value_;
};

TEST_CASE("a select is at most as large as its branches and a word") {
  constexpr std::size_t branch = sizeof(eddy::detail::branch<ready_value>);
  CHECK(sizeof(eddy::select(ready_value(0))) <= branch + 8);
  CHECK(sizeof(eddy::select(ready_value(0), ready_value(0))) <= 2 * branch + 8);
  CHECK(sizeof(eddy::select(ready_value(0), ready_value(0), ready_value(0))) <= 3 * branch + 8);
}

TEST_CASE("what a branch borrowed is free again after the select") {
  in_runtime([]() -> future<> {
    int value = 234;
    const auto change = [](int& v) -> future<> {
      v += 1;
      co_return;
    };
    auto r = co_await eddy::select(change(value), eddy::yield_now());
    if (r.index() == 1) value += 5;
    CHECK(value == 235);
    auto e = co_await eddy::select(change(value), eddy::yield_now(), eddy::otherwise(0));
    if (e.index() == 2) value += 27;
    CHECK(value == 236);
  });
}

TEST_CASE("a branch that has dropped out is not polled again") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = oneshot::channel<int>();
  int polls = 0;
  auto once = eddy::poll_fn([&](eddy::context&) -> eddy::polled<std::optional<int>> {
    ++polls;
    return std::optional<int>();
  });
  auto s = eddy::select(eddy::some(once), rx);
  CHECK_FALSE(task.poll(s).is_ready());
  CHECK_FALSE(task.poll(s).is_ready());
  CHECK(polls == 1);
  static_cast<void>(std::move(tx).send(1));
  CHECK(task.take_wakes() == 1);
  auto r = task.poll(s);
  REQUIRE(r.is_ready());
  CHECK((*r)->get<1>() == 1);
}

TEST_CASE("a branch whose condition is false is never polled") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = oneshot::channel<int>();
  auto never = eddy::poll_fn([](eddy::context&) -> eddy::polled<> {
    FAIL("polled");
    return eddy::ready;
  });
  auto s = eddy::select(eddy::when(false, never), rx);
  CHECK_FALSE(task.poll(s).is_ready());
  static_cast<void>(std::move(tx).send(1));
  CHECK(task.is_woken());
  CHECK(task.poll(s).is_ready());
}

future<int> both(oneshot::receiver<int> rx1, oneshot::receiver<int> rx2) {
  std::optional<int> a;
  std::optional<int> b;
  while (!a || !b) {
    auto r = co_await eddy::select(eddy::when(!a, rx1), eddy::when(!b, rx2));
    if (auto* v = r.get_if<0>()) a = *v;
    if (auto* v = r.get_if<1>()) b = *v;
  }
  co_return *a + *b;
}

TEST_CASE("a select in a loop awaits two receivers that are passed by name") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx1, rx1] = oneshot::channel<int>();
  auto [tx2, rx2] = oneshot::channel<int>();
  auto f = eddy::pin(both(std::move(rx1), std::move(rx2)));
  CHECK_FALSE(task.poll(f).is_ready());
  static_cast<void>(std::move(tx1).send(123));
  CHECK(task.take_wakes() == 1);
  CHECK_FALSE(task.poll(f).is_ready());
  static_cast<void>(std::move(tx2).send(456));
  CHECK(task.take_wakes() == 1);
  auto r = task.poll(f);
  REQUIRE(r.is_ready());
  CHECK(**r == 579);
}

TEST_CASE("a sleep whose condition is false does not win, biased or not") {
  in_runtime([]() -> future<> {
    auto a = co_await eddy::select(eddy::when(false, eddy::sleep(0ms)), value(1));
    CHECK(a.index() == 1);
    auto b = co_await eddy::select(eddy::biased, eddy::when(false, eddy::sleep(0ms)), value(1));
    CHECK(b.index() == 1);
  });
}

template <std::size_t... I>
auto many(std::index_sequence<I...>) {
  return eddy::select(ready_value(static_cast<int>(I))...);
}

TEST_CASE("a select may have 64 branches") {
  in_runtime([]() -> future<> {
    auto r = co_await many(std::make_index_sequence<64>());
    CHECK(r.index() < 64);
  });
}

TEST_CASE("a branch that never ends does not hinder the others") {
  in_runtime([]() -> future<> {
    test::gate never;
    auto r = co_await eddy::select(never.wait(), value(1));
    CHECK(r.index() == 1);
  });
}

TEST_CASE("the winner's value may be changed") {
  in_runtime([]() -> future<> {
    auto ok = eddy::pin(value(1));
    auto r = co_await eddy::select(ok);
    int& a = r.get<0>();
    a += 1;
    CHECK(a == 2);
    auto text = co_await eddy::select(
        eddy::some([]() -> future<std::optional<std::string>> { co_return "1"; }()));
    text.get<0>() += "2";
    CHECK(text.get<0>() == "12");
  });
}

TEST_CASE("a biased select takes the first ready branch and polls no further") {
  in_runtime([]() -> future<> {
    auto [tx1, rx1] = oneshot::channel<int>();
    auto [tx2, rx2] = oneshot::channel<int>();
    auto [tx3, rx3] = oneshot::channel<int>();
    static_cast<void>(std::move(tx2).send(2));
    static_cast<void>(std::move(tx3).send(3));
    auto r = co_await eddy::select(eddy::biased, rx1, rx2, rx3);
    REQUIRE(r.index() == 1);
    CHECK(r.get<1>() == 2);
  });
}

future<> nothing() { co_return; }
future<> a_yield() { co_await eddy::yield_now(); }

TEST_CASE("a biased loop takes branches as they become ready, until none is enabled") {
  in_runtime([]() -> future<> {
    auto one = eddy::pin(nothing());
    auto two = eddy::pin(a_yield());
    auto three = eddy::pin(a_yield());
    std::string order;
    for (;;) {
      auto r = co_await eddy::select(eddy::biased, eddy::when(!two.done(), two),
                                     eddy::when(!three.done(), three), eddy::when(!one.done(), one),
                                     eddy::otherwise(0));
      if (r.index() == 3) break;
      order += r.index() == 2 ? '1' : r.index() == 0 ? '2' : '3';
    }
    CHECK(order == "123");
  });
}

future<std::vector<std::size_t>> winners() {
  std::vector<std::size_t> won;
  for (int i = 0; i < 20; ++i) {
    auto r = co_await many(std::make_index_sequence<10>());
    won.push_back(r.index());
  }
  co_return won;
}
std::vector<std::size_t> draws(std::uint64_t seed) {
  auto rt = eddy::runtime::builder().rng_seed(seed).build();
  return rt.block_on(winners());
}

TEST_CASE("runtimes with the same seed make the same choices in select") {
  CHECK(draws(11) == draws(11));
  CHECK(draws(11) != draws(12));
}

#if EDDY_POOL
std::vector<std::size_t> draws_of_pool(std::uint64_t seed) {
  auto rt = eddy::runtime::builder().multi_loop().worker_threads(1).rng_seed(seed).build();
  return rt.block_on(
      []() -> future<std::vector<std::size_t>> { co_return co_await eddy::spawn(winners()); });
}

TEST_CASE("pools of one worker with the same seed make the same choices in select") {
  CHECK(draws_of_pool(11) == draws_of_pool(11));
  CHECK(draws_of_pool(11) != draws_of_pool(12));
}
#endif

TEST_CASE("a named leaf may be passed to select by name") {
  in_runtime([]() -> future<> {
    test::pass leaf(1);
    auto r = co_await eddy::select(leaf, eddy::sleep(1h));
    CHECK(r.index() == 0);
  });
}

TEST_CASE("a select whose task has spent its budget waits for the next poll") {
  in_runtime([]() -> future<> {
    const auto spend = [](eddy::context& cx) -> eddy::polled<> {
      if (!cx.proceed()) return eddy::pending;
      return eddy::ready;
    };
    int first = 0;
    bool ran = false;
    auto other = eddy::spawn([&ran]() -> future<> {
      ran = true;
      co_return;
    });
    while (!ran) {
      auto r = co_await eddy::select(eddy::biased, eddy::poll_fn(spend), ready_value(1));
      CHECK(r.index() == 0);
      REQUIRE(++first < 1000);
    }
    co_await other;
  });
}

}  // namespace
