// The behaviour that Tokio's rt_basic.rs tests, for a runtime of one loop. docs/conformance.tsv
// says which case is which test.

#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "support/leak_check.hpp"
#include "support/runtime_access.hpp"

namespace {

using eddy::future;
using eddy::promise;

/// Calls a function when it is destroyed.
template <class F>
class on_drop {
 public:
  explicit on_drop(F f) : f_(std::move(f)) {}
  on_drop(on_drop&& other) noexcept
      : f_(std::move(other.f_)), armed_(std::exchange(other.armed_, false)) {}
  ~on_drop() {
    if (armed_) f_();
  }

 private:
  F f_;
  bool armed_ = true;
};

/// Counts the polls of a leaf.
template <class Leaf>
struct counted {
  Leaf inner;
  int* polls;
  auto poll(eddy::context& cx) noexcept {
    ++*polls;
    return inner.poll(cx);
  }
};

/// A leaf that is never ready and never woken.
struct never {
  eddy::polled<> poll(eddy::context&) noexcept { return eddy::pending; }
};

future<> one_round() { co_await eddy::yield_now(); }

TEST_CASE("a spawned task makes no progress while no thread is in block_on") {
  const test::leak_check leaks;
  eddy::runtime rt;
  promise<int> p;
  auto f = p.get_future();
  std::atomic<bool> ran{false};
  static_cast<void>(rt.spawn([&ran, p = std::move(p)]() mutable -> future<> {
    ran = true;
    p.set_value(31);
    co_return;
  }));
  // Other runtimes do not run it, on this thread or on another.
  std::thread([] { eddy::runtime().block_on(one_round()); }).join();
  eddy::runtime().block_on(one_round());
  CHECK_FALSE(ran);
  CHECK(rt.block_on(std::move(f)) == 31);
  CHECK(ran);
}

TEST_CASE("a task is polled once after spawning, and then once per wake") {
  const test::leak_check leaks;
  eddy::runtime rt;
  promise<> p1;
  promise<> p2;
  int polls = 0;
  auto f1 = eddy::pin(p1.get_future());
  auto f2 = eddy::pin(p2.get_future());
  static_cast<void>(rt.spawn([&]() -> future<> {
    co_await counted<eddy::pinned<void>&>{f1, &polls};
    co_await counted<eddy::pinned<void>&>{f2, &polls};
  }));
  rt.block_on(one_round());
  CHECK(polls == 1);
  rt.block_on(one_round());
  rt.block_on(one_round());
  CHECK(polls == 1);  // it was not woken
  p1.set_value();
  rt.block_on(one_round());
  CHECK(polls == 3);  // the first is ready, the second is not
  p2.set_value();
  rt.block_on(one_round());
  CHECK(polls == 4);
  rt.block_on(one_round());
  CHECK(polls == 4);
}

TEST_CASE("tasks that end each other's waits while the runtime is dropped do not run again") {
  const test::leak_check leaks;
  promise<> first;
  promise<> second;
  auto wait_first = first.get_future();
  auto wait_second = second.get_future();
  int dropped = 0;
  int went_on = 0;
  {
    eddy::runtime rt;
    // Each task waits for the next task's promise, which breaks when that task is destroyed.
    static_cast<void>(rt.spawn([&, w = std::move(wait_second)]() mutable -> future<> {
      const on_drop d([&] { ++dropped; });
      static_cast<void>(co_await eddy::attempt(std::move(w)));
      ++went_on;
    }));
    static_cast<void>(
        rt.spawn([&, w = std::move(wait_first), p = std::move(second)]() mutable -> future<> {
          const on_drop d([&] { ++dropped; });
          const promise<> held = std::move(p);
          static_cast<void>(co_await eddy::attempt(std::move(w)));
          ++went_on;
        }));
    static_cast<void>(rt.spawn([&, p = std::move(first)]() mutable -> future<> {
      const on_drop d([&] { ++dropped; });
      const promise<> held = std::move(p);
      co_await never();
      ++went_on;
    }));
    rt.block_on(one_round());
  }
  CHECK(dropped == 3);
  CHECK(went_on == 0);
}

TEST_CASE("a task's destructors see their runtime as the current one") {
  const test::leak_check leaks;
  std::string seen;
  {
    eddy::runtime rt = eddy::runtime::builder().name("home").build();
    static_cast<void>(rt.spawn([&seen]() -> future<> {
      const on_drop d([&] {
        if (eddy::handle::has_current()) seen = eddy::handle::current().name();
      });
      co_await never();
    }));
    rt.block_on(one_round());
    CHECK(seen.empty());
  }
  CHECK(seen == "home");
}

#if EDDY_EXCEPTIONS
TEST_CASE("tasks may wake each other while a failed block_on unwinds past their runtime") {
  const test::leak_check leaks;
  int dropped = 0;
  promise<> p1;
  promise<> p2;
  auto f1 = p1.get_future();
  auto f2 = p2.get_future();
  const auto task = [&dropped](promise<> theirs, future<> mine) -> future<> {
    std::optional<promise<>> p(std::move(theirs));
    const on_drop d([&] {
      ++dropped;
      p->set_value();  // wakes the other task, which must not run
    });
    co_await std::move(mine);
    FAIL("went on");
  };
  CHECK_THROWS_WITH_AS(
      [&] {
        eddy::runtime rt;
        static_cast<void>(rt.spawn(task, std::move(p2), std::move(f1)));
        static_cast<void>(rt.spawn(task, std::move(p1), std::move(f2)));
        rt.block_on([]() -> future<> {
          co_await eddy::yield_now();
          throw std::runtime_error("the keel broke");
        });
      }(),
      "the keel broke", std::runtime_error);
  CHECK(dropped == 2);
}
#endif

TEST_CASE("a task spawns a task, and both run on the thread of block_on") {
  const test::leak_check leaks;
  eddy::runtime rt;
  const auto home = std::this_thread::get_id();
  const int out = rt.block_on([home]() -> future<int> {
    promise<int> p;
    auto f = p.get_future();
    eddy::spawn([home, p = std::move(p)]() mutable -> future<> {
      eddy::spawn([home, p = std::move(p)]() mutable -> future<> {
        CHECK(std::this_thread::get_id() == home);
        p.set_value(77);
        co_return;
      });
      co_return;
    });
    co_return co_await std::move(f);
  });
  CHECK(out == 77);
}

TEST_CASE("a task woken by another thread continues on its own loop") {
  const test::leak_check leaks;
  eddy::runtime rt;
  std::thread helper;
  const int out = rt.block_on([&helper]() -> future<int> {
    auto h = eddy::spawn([&helper]() -> future<int> {
      promise<int> p;
      auto f = p.get_future();
      helper = std::thread([p = std::move(p)]() mutable { p.set_value(5); });
      const auto home = std::this_thread::get_id();
      const int v = co_await std::move(f);
      CHECK(std::this_thread::get_id() == home);
      co_return v;
    });
    co_return co_await std::move(h);
  });
  helper.join();
  CHECK(out == 5);
}

TEST_CASE("a runtime has no name unless it was given one") {
  eddy::runtime rt;
  CHECK(rt.get_handle().name().empty());
}

TEST_CASE("each runtime keeps the name it was given") {
  const eddy::runtime one = eddy::runtime::builder().name("north").build();
  const eddy::runtime two = eddy::runtime::builder().name("south").build();
  CHECK(one.get_handle().name() == "north");
  CHECK(two.get_handle().name() == "south");
}

future<std::tuple<std::uint64_t, std::uint64_t>> two_numbers() {
  const auto first = test::here().random();
  const auto second = test::here().random();
  co_return std::tuple{first, second};
}

TEST_CASE("runtimes with the same seed draw the same numbers") {
  for (const std::uint64_t seed :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0xfeed'0000'1234}}) {
    CAPTURE(seed);
    eddy::runtime rt1 = eddy::runtime::builder().rng_seed(seed).build();
    eddy::runtime rt2 = eddy::runtime::builder().rng_seed(seed).build();
    const auto a = rt1.block_on(two_numbers());
    const auto b = rt2.block_on(two_numbers());
    CHECK(a == b);
    CHECK(std::get<0>(a) != std::get<1>(a));
  }
  eddy::runtime rt3 = eddy::runtime::builder().rng_seed(1).build();
  eddy::runtime rt4 = eddy::runtime::builder().rng_seed(2).build();
  CHECK(rt3.block_on(two_numbers()) != rt4.block_on(two_numbers()));
}

TEST_CASE("seeded random numbers continue from one block_on to the next") {
  eddy::runtime rt1 = eddy::runtime::builder().rng_seed(9001).build();
  const auto a1 = rt1.block_on(two_numbers());
  const auto a2 = rt1.block_on(two_numbers());
  eddy::runtime rt2 = eddy::runtime::builder().rng_seed(9001).build();
  const auto b1 = rt2.block_on(two_numbers());
  const auto b2 = rt2.block_on(two_numbers());
  CHECK(a1 == b1);
  CHECK(a2 == b2);
  CHECK(a1 != a2);
}

#if EDDY_EXCEPTIONS
eddy::runtime ends_on_failure() {
  return eddy::runtime::builder()
      .unhandled_panic(eddy::unhandled_panic::shutdown_runtime)
      .on_unhandled_failure([](const eddy::task_failure&) {})
      .build();
}
future<> fails() {
  co_await eddy::yield_now();
  throw std::runtime_error("the mast fell");
}
future<> spawn_a_failure_and_wait() {
  eddy::spawn(fails());
  co_await never();
}

TEST_CASE("with shutdown_runtime the failure of a detached task ends block_on") {
  const test::leak_check leaks;
  eddy::runtime rt = ends_on_failure();
  CHECK_THROWS_AS(rt.block_on(spawn_a_failure_and_wait()), eddy::join_error);
}

TEST_CASE("after shutdown_runtime a spawned task never runs, and the next block_on destroys it") {
  const test::leak_check leaks;
  eddy::runtime rt = ends_on_failure();
  std::thread([&rt] {
    CHECK_THROWS_AS(rt.block_on(spawn_a_failure_and_wait()), eddy::join_error);
  }).join();
  bool ran = false;
  auto late = rt.spawn([&ran]() -> future<> {
    ran = true;
    co_return;
  });
  CHECK_THROWS_AS(rt.block_on(one_round()), eddy::join_error);
  CHECK(late.is_finished());
  CHECK(eddy::runtime().block_on(eddy::attempt(std::move(late))).error() == eddy::errc::aborted);
  CHECK_FALSE(ran);
}

TEST_CASE("shutdown_runtime ends every block_on that waits") {
  const test::leak_check leaks;
  eddy::runtime rt = ends_on_failure();
  std::atomic<int> waiting{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      CHECK_THROWS_AS(rt.block_on([&waiting]() -> future<> {
        ++waiting;
        co_await never();
      }),
                      eddy::join_error);
    });
  while (waiting != 2) std::this_thread::yield();
  static_cast<void>(rt.spawn(fails()));
  for (auto& t : threads) t.join();
}
#endif

TEST_CASE("a task woken by on_park runs before the loop sleeps") {
  const test::leak_check leaks;
  eddy::waker root;
  int parks = 0;
  int unparks = 0;
  eddy::runtime rt = eddy::runtime::builder()
                         .on_park([&] {
                           ++parks;
                           std::exchange(root, eddy::waker()).wake();
                         })
                         .on_unpark([&] { ++unparks; })
                         .build();
  bool woken = false;
  rt.block_on(eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
    if (std::exchange(woken, true)) return eddy::ready;
    root = cx.get_waker();
    return eddy::pending;
  }));
  CHECK(parks == 1);
  CHECK(unparks == 0);  // the loop did not sleep: nothing else could have woken it
}

}  // namespace
