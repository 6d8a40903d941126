#include <eddy/core/waker.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

namespace {

using eddy::waker;

TEST_CASE("an empty waker wakes nobody") {
  waker none;
  CHECK_FALSE(static_cast<bool>(none));
  none.wake();
  std::move(none).wake();
  none.reset();
  CHECK(none.will_wake(waker()));
}

TEST_CASE("each waker is one reference, copies and moves count right") {
  test::mock_task target;
  {
    waker a(target);
    CHECK(target.references() == 1);
    waker b = a;
    CHECK(target.references() == 2);
    waker c = std::move(a);
    CHECK(target.references() == 2);
    CHECK_FALSE(static_cast<bool>(a));
    CHECK(b.will_wake(c));
    CHECK_FALSE(b.will_wake(a));
    a = b;
    CHECK(target.references() == 3);
    const waker& same = a;
    a = same;
    CHECK(target.references() == 3);
    CHECK(static_cast<bool>(a));
    a.reset();
    CHECK(target.references() == 2);
    b = waker();
    CHECK(target.references() == 1);
  }
  CHECK(target.references() == 0);
  CHECK(target.take_wakes() == 0);
}

TEST_CASE("waking by reference keeps the waker, by value gives it away") {
  test::mock_task target;
  waker w(target);
  w.wake();
  w.wake();
  CHECK(target.take_wakes() == 2);
  CHECK(target.references() == 1);
  std::move(w).wake();
  CHECK(target.take_wakes() == 1);
  CHECK(target.references() == 0);
  CHECK_FALSE(static_cast<bool>(w));
  std::move(w).wake();
  CHECK(target.take_wakes() == 0);
}

TEST_CASE("wakers of two targets are told apart") {
  test::mock_task one, two;
  const waker a(one), b(two);
  CHECK_FALSE(a.will_wake(b));
  b.wake();
  CHECK(one.take_wakes() == 0);
  CHECK(two.take_wakes() == 1);
}

TEST_CASE("a waker is one word") { static_assert(sizeof(waker) == sizeof(void*)); }

eddy::future<> hold_waker(waker& out, int& polls, test::gate& g) {
  co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
    out = cx.get_waker();
    return eddy::ready;
  });
  auto wait = g.wait();
  co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
    ++polls;
    return wait.poll(cx);
  });
}

eddy::future<> wakes_fold(waker& w, int& polls, test::gate& g) {
  auto h = eddy::spawn(hold_waker(w, polls, g));
  co_await eddy::yield_now();
  CHECK(polls == 1);
  for (int i = 0; i < 10; ++i) w.wake();  // queued already: nothing happens
  CHECK(polls == 1);                      // nothing runs in place
  co_await eddy::yield_now();
  CHECK(polls == 2);
  co_await eddy::yield_now();
  CHECK(polls == 2);
  g.open();
  co_await h;
  CHECK(polls == 3);
  w.wake();  // the task has ended
  waker copy = w;
  std::move(copy).wake();
}

TEST_CASE("a task is polled once however often it is woken, and never in place") {
  const test::leak_check leaks;
  waker w;
  test::gate g;
  int polls = 0;
  {
    eddy::runtime rt;
    rt.block_on(wakes_fold(w, polls, g));
  }
  w.wake();  // the runtime has ended
  waker copy = w;
  std::move(w).wake();
  copy.reset();
  CHECK(polls == 3);
}

eddy::future<> wait_for_count(std::atomic<int>& n, int until, waker& out) {
  co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
    cx.store_waker(out);
    if (n.load() == until) return eddy::ready;
    return eddy::pending;
  });
}

TEST_CASE("copies on other threads wake, and outlive task and runtime") {
  const test::leak_check leaks;
  constexpr int threads = 3, rounds = 2000;
  std::atomic<int> count{0};
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> all;
  {
    eddy::runtime rt;
    rt.block_on([&]() -> eddy::future<> {
      waker w;
      auto h = eddy::spawn(wait_for_count(count, threads * rounds, w));
      co_await eddy::yield_now();
      REQUIRE(static_cast<bool>(w));
      for (int t = 0; t < threads; ++t)
        all.emplace_back([&, mine = w] {
          ready.fetch_add(1);
          while (!go.load()) std::this_thread::yield();
          for (int i = 0; i < rounds; ++i) {
            count.fetch_add(1);
            waker copy = mine;
            i % 2 == 0 ? copy.wake() : std::move(copy).wake();
          }
          mine.wake();
        });
      while (ready.load() != threads) co_await eddy::yield_now();
      go.store(true);
      co_await h;
      CHECK(count.load() == threads * rounds);
    });
  }
  for (auto& t : all) t.join();
}

}  // namespace
