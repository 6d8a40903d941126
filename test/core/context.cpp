#include <eddy/core/context.hpp>

#include <doctest/doctest.h>

#include <type_traits>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

namespace {

TEST_CASE("its wakers wake the target, and it keeps none itself") {
  test::mock_task target;
  {
    eddy::context cx(target);
    CHECK(target.references() == 0);
    auto w = cx.get_waker();
    CHECK(target.references() == 1);
    CHECK(cx.wakes_same(w));
    CHECK_FALSE(cx.wakes_same(eddy::waker()));
    w.wake();
    cx.wake();
    CHECK(target.take_wakes() == 2);
  }
  CHECK(target.references() == 0);
}

TEST_CASE("store_waker takes a reference only when the target is another") {
  test::mock_task one, two;
  eddy::context a(one), b(two);
  eddy::waker w;
  a.store_waker(w);
  a.store_waker(w);
  CHECK(one.references() == 1);
  b.store_waker(w);
  CHECK(one.references() == 0);
  CHECK(two.references() == 1);
  CHECK(b.wakes_same(w));
}

TEST_CASE("a mock task's budget never ends") {
  test::mock_task target;
  eddy::context cx(target);
  for (int i = 0; i < 100'000; ++i) REQUIRE(cx.proceed());
  CHECK(target.take_wakes() == 0);
}

TEST_CASE("a context cannot be kept") {
  static_assert(!std::is_copy_constructible_v<eddy::context>);
  static_assert(!std::is_copy_assignable_v<eddy::context>);
}

/// Spends `n` units; how many were granted in this poll is pushed to `grants`.
class spender {
 public:
  spender(int n, std::vector<int>& grants) noexcept : left_(n), grants_(&grants) {}
  eddy::polled<> poll(eddy::context& cx) noexcept {
    int granted = 0;
    for (; left_ > 0; --left_, ++granted) {
      if (!cx.proceed()) {
        grants_->push_back(granted);
        return eddy::pending;
      }
    }
    grants_->push_back(granted);
    return eddy::ready;
  }

 private:
  int left_;
  std::vector<int>* grants_;
};

eddy::future<> spend(int n, std::vector<int>& grants) { co_await spender(n, grants); }

TEST_CASE("a task's budget ends, wakes the task, and is full again at its next poll") {
  const test::leak_check leaks;
  constexpr int full = eddy::detail::coop_budget::full;
  eddy::runtime rt;
  std::vector<int> grants;
  rt.block_on(spend(2 * full + 5, grants));
  CHECK(grants == std::vector<int>{full, full, 5});
}

/// Polls a spender through a context of its own wake target, as a combinator does.
class through {
 public:
  through(test::mock_task& target, int n, std::vector<int>& grants) noexcept
      : target_(&target), inner_(n, grants) {}
  eddy::polled<> poll(eddy::context& cx) noexcept {
    eddy::context own(cx, *target_);
    auto p = inner_.poll(own);
    if (!p) cx.wake();
    return p;
  }

 private:
  test::mock_task* target_;
  spender inner_;
};

eddy::future<> spend_through(test::mock_task& target, int n, std::vector<int>& grants) {
  co_await through(target, n, grants);
}

TEST_CASE("a context for another target shares the budget, and wakes that target") {
  const test::leak_check leaks;
  constexpr int full = eddy::detail::coop_budget::full;
  test::mock_task target;
  eddy::runtime rt;
  std::vector<int> grants;
  rt.block_on(spend_through(target, full + 1, grants));
  CHECK(grants == std::vector<int>{full, 1});
  CHECK(target.take_wakes() == 1);
}

eddy::future<> always_ready(int& rounds, const bool& stop) {
  // A join handle of an ended task is ready at every poll, so this never waits for anything.
  while (!stop) {
    auto h = eddy::spawn([]() -> eddy::future<> { co_return; });
    co_await eddy::yield_now();
    while (!h.is_finished()) co_await eddy::yield_now();
    co_await h;
    ++rounds;
  }
}

eddy::future<> stop_it(int& rounds, bool& stop) {
  while (rounds < 1000) co_await eddy::yield_now();
  stop = true;
}

TEST_CASE("a task whose operations are always ready lets others run") {
  const test::leak_check leaks;
  eddy::runtime rt;
  int rounds = 0;
  bool stop = false;
  rt.block_on([&]() -> eddy::future<> {
    auto busy = eddy::spawn(always_ready(rounds, stop));
    auto other = eddy::spawn(stop_it(rounds, stop));
    co_await busy;
    co_await other;
  });
  CHECK(rounds >= 1000);
}

eddy::future<> never(eddy::future<> f) { co_await std::move(f); }

/// Polls each of many pinned futures at every poll, as a join does.
eddy::future<> join_many(std::vector<std::unique_ptr<eddy::pinned<void>>>& all) {
  std::size_t done = 0;
  co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
    for (auto& one : all) {
      if (one->done()) continue;
      if (one->poll(cx)) ++done;
    }
    if (done == all.size()) return eddy::ready;
    return eddy::pending;
  });
}

TEST_CASE(
    "waiting costs no budget: a task that waits for many things at once sleeps, and reaches all of "
    "them") {
  const test::leak_check leaks;
  constexpr std::size_t many = 3 * eddy::detail::coop_budget::full;
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([&]() -> eddy::future<> {
    SUBCASE("promises") {
      std::vector<eddy::promise<>> promises(many);
      std::vector<std::unique_ptr<eddy::pinned<void>>> all;
      for (auto& p : promises) all.push_back(std::make_unique<eddy::pinned<void>>(p.get_future()));
      auto joined = eddy::spawn(join_many(all));
      for (int i = 0; i < 4; ++i) co_await eddy::yield_now();
      const auto before = test::polls();
      for (int i = 0; i < 10; ++i) co_await eddy::yield_now();
      CHECK(test::polls() == before + 10);  // nobody but this task was polled
      promises.back().set_value();          // the last one is reached
      for (int i = 0; i < 4; ++i) co_await eddy::yield_now();
      CHECK(all.back()->done());
      promises.pop_back();
      for (auto& p : promises) p.set_value();
      co_await joined;
    }
    SUBCASE("sleeps") {
      std::vector<std::unique_ptr<eddy::pinned<void>>> all;
      for (std::size_t i = 0; i < many; ++i)
        all.push_back(
            std::make_unique<eddy::pinned<void>>([](std::chrono::milliseconds d) -> eddy::future<> {
              co_await eddy::sleep(d);
            }(std::chrono::milliseconds(many - i))));
      auto joined = eddy::spawn(join_many(all));
      for (int i = 0; i < 4; ++i) co_await eddy::yield_now();
      const auto before = test::polls();
      for (int i = 0; i < 10; ++i) co_await eddy::yield_now();
      CHECK(test::polls() == before + 10);
      co_await joined;
    }
    SUBCASE("join handles") {
      std::vector<eddy::promise<>> promises(many);
      std::vector<std::unique_ptr<eddy::pinned<void>>> all;
      for (auto& p : promises)
        all.push_back(
            std::make_unique<eddy::pinned<void>>([](eddy::join_handle<> h) -> eddy::future<> {
              co_await h;
            }(eddy::spawn(never(p.get_future())))));
      auto joined = eddy::spawn(join_many(all));
      for (int i = 0; i < 4; ++i) co_await eddy::yield_now();
      const auto before = test::polls();
      for (int i = 0; i < 10; ++i) co_await eddy::yield_now();
      CHECK(test::polls() == before + 10);
      for (auto& p : promises) p.set_value();
      co_await joined;
    }
  });
}

}  // namespace
