// block_in_place, and what Tokio's tests ask of it. docs/conformance.tsv says which case is which test.

#include <eddy/task/block_in_place.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::block_in_place;
using eddy::future;
using eddy::handle;
namespace mpsc = eddy::sync::mpsc;

eddy::runtime pool_of(std::uint32_t n) {
  return eddy::runtime::builder().multi_loop().worker_threads(n).build();
}
future<int> number(int v) { co_return v; }

TEST_CASE("block_in_place gives what its function returns, in tasks and in block_on's future") {
  const test::leak_check leaks;
  auto rt = pool_of(2);
  const auto work = []() -> future<int> {
    const auto here = std::this_thread::get_id();
    int v = 1;
    CHECK(block_in_place([&] { return std::this_thread::get_id(); }) == here);
    CHECK(std::this_thread::get_id() == here);
    int& same = block_in_place([](int& x) -> int& { return ++x; }, v);
    CHECK(&same == &v);
    auto p = block_in_place([](std::unique_ptr<int> x) { return x; }, std::make_unique<int>(40));
    block_in_place([&] { *p += v; });
    co_await eddy::yield_now();
    co_return *p;
  };
  CHECK(rt.block_on(work()) == 42);
  CHECK(rt.block_on(rt.spawn(work)) == 42);
}

#if EDDY_EXCEPTIONS
TEST_CASE("what the function throws comes out, and the task goes on") {
  const test::leak_check leaks;
  auto rt = pool_of(1);
  rt.block_on(rt.spawn([]() -> future<> {
    CHECK_THROWS_WITH_AS(block_in_place([] { throw std::runtime_error("adrift"); }), "adrift",
                         std::runtime_error);
    co_await eddy::sleep(1ms);
  }));
}
#endif

TEST_CASE("while a task blocks all else of its loop goes on: tasks, timers, block_on") {
  const test::leak_check leaks;
  auto rt = pool_of(1);
  std::latch others(3);
  const auto arrives = [](std::latch* l) -> future<> {
    co_await eddy::sleep(1ms);
    l->count_down();
  };
  rt.block_on([&]() -> future<> {
    auto blocks = eddy::spawn(
        [](std::latch* l) -> future<> {
          block_in_place([l] { l->wait(); });
          co_return;
        },
        &others);
    co_await eddy::yield_now();
    auto moves = eddy::spawn(arrives, &others);
    auto stays = eddy::spawn_local(arrives, &others);
    co_await eddy::sleep(1ms);
    others.count_down();
    co_await blocks;
    co_await moves;
    co_await stays;
  });
}

TEST_CASE("a blocking job that takes the only blocking thread does not take the loop's") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().multi_loop().worker_threads(1).max_blocking_threads(1).build();
  std::latch job_runs(1);
  std::latch over(1);
  rt.block_on([&]() -> future<> {
    auto job = eddy::spawn_blocking([&] {
      job_runs.count_down();
      over.wait();
    });
    job_runs.wait();
    auto next = eddy::spawn_blocking([] {});
    auto opens = eddy::spawn(
        [](std::latch* l) -> future<> {
          l->count_down();
          co_return;
        },
        &over);
    block_in_place([&] { over.wait(); });
    co_await job;
    co_await next;
    co_await opens;
  });
}

TEST_CASE("who has blocked goes on without waiting for who blocks after him") {
  const test::leak_check leaks;
  auto rt = pool_of(1);
  const auto later = [](std::latch* blocks, std::latch* over) -> future<> {
    block_in_place([=] {
      blocks->count_down();
      over->wait();
    });
    co_await eddy::yield_now();
  };
  const auto first = [later](std::latch* blocks, std::latch* over) -> future<> {
    auto h = eddy::spawn(later, blocks, over);
    block_in_place([=] { blocks->wait(); });  // until the other one does, on a stand-in
    co_await eddy::sleep(1ms);                // on the loop that both have left
    over->count_down();
    co_await h;
  };
  for (const bool moves : {false, true}) {
    std::latch blocks(1);
    std::latch over(1);
    if (moves)
      rt.block_on(rt.spawn(first, &blocks, &over));
    else
      rt.block_on(first(&blocks, &over));
  }
}

TEST_CASE("in another block_in_place, on a blocking thread, outside of runtimes it is a call") {
  const test::leak_check leaks;
  const auto nested = [] {
    return block_in_place([] { return block_in_place([] { return 5; }); });
  };
  CHECK(nested() == 5);
  auto rt = pool_of(1);
  {
    const auto guard = rt.enter();
    CHECK(nested() == 5);
  }
  for (int i = 0; i < 20; ++i)
    rt.block_on([&]() -> future<> {
      CHECK(co_await eddy::spawn_blocking(nested) == 5);
      CHECK(co_await eddy::spawn([nested]() -> future<int> { co_return nested(); }) == 5);
    });
}

TEST_CASE("a runtime of its own may be driven in block_in_place; the task is the same after it") {
  const test::leak_check leaks;
  auto rt = pool_of(1);
  rt.block_on(rt.spawn([]() -> future<> {
    const auto id = eddy::this_task::id();
    block_in_place([id] {
      CHECK(eddy::this_task::id() == id);
      eddy::runtime inner;
      inner.block_on(inner.spawn([id]() -> future<> {
        CHECK(eddy::this_task::id() != id);
        co_await eddy::yield_now();
      }));
      CHECK(eddy::this_task::id() == id);
    });
    CHECK(eddy::this_task::id() == id);
    co_await eddy::yield_now();
    CHECK(eddy::this_task::id() == id);
  }));
}

TEST_CASE("block_on in block_in_place: yields, a lock taken often, tasks, block_in_place again") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().multi_loop().worker_threads(1).max_blocking_threads(1).build();
  for (int i = 0; i < 50; ++i) {
    rt.block_on([]() -> future<> {
      block_in_place([] { handle::current().block_on(eddy::yield_now()); });
      co_await eddy::spawn([]() -> future<> {
        block_in_place([] {
          const auto h = handle::current();
          eddy::sync::mutex<int> locked(0);
          h.block_on([&]() -> future<> {
            for (int k = 0; k < 200; ++k) {
              auto guard = co_await locked.lock();
              ++*guard;
            }
            co_await eddy::yield_now();
            block_in_place([&] { CHECK(h.block_on(eddy::spawn(number, 7)) == 7); });
          });
          CHECK(*locked.try_lock().value() == 200);
        });
        co_return;
      });
    });
  }
}

TEST_CASE("there is no budget in block_in_place, and the rest of the old one after it") {
  const test::leak_check leaks;
  auto rt = pool_of(1);
  const auto reads = []() -> future<> {
    auto [tx, rx] = mpsc::unbounded_channel<int>();
    for (int i = 0; i < 600; ++i) CHECK(tx.send(i).has_value());
    co_await eddy::yield_now();  // a new budget
    block_in_place([&] {
      for (int i = 0; i < 300; ++i) CHECK(rx.blocking_recv() == i);
      CHECK(eddy::coop::has_budget_remaining());
      test::mock_task elsewhere;  // another executor
      auto yields = eddy::yield_now();
      elsewhere.assert_pending(yields);
      CHECK(elsewhere.is_woken());
      elsewhere.assert_ready(yields);
    });
    int ready = 0;
    co_await eddy::poll_fn([&, spent = false](eddy::context& cx) mutable -> eddy::polled<> {
      if (spent) return eddy::ready;
      for (;; ++ready) {
        auto next = rx.recv();
        if (!next.poll(cx)) break;
      }
      spent = true;
      return eddy::pending;
    });
    CHECK(ready > 0);
    CHECK(ready < 200);
  };
  rt.block_on(reads());
  rt.block_on(rt.spawn(reads));
}

/// Pending once, and blocks meanwhile.
struct blocks_once {
  std::latch* blocks;
  std::latch* over;
  eddy::waker* waker;
  bool again = false;
  eddy::polled<> poll(eddy::context& cx) noexcept {
    if (std::exchange(again, true)) return eddy::ready;
    *waker = cx.get_waker();
    block_in_place([this] {
      blocks->count_down();
      over->wait();
    });
    return eddy::pending;
  }
};

TEST_CASE("a task that is woken, or aborted, while it blocks hears of it") {
  const test::leak_check leaks;
  auto rt = pool_of(1);
  for (const bool aborts : {false, true}) {
    std::latch blocks(1);
    std::latch over(1);
    eddy::waker waker;
    auto h = rt.spawn([](blocks_once leaf) -> future<> { co_await leaf; },
                      blocks_once{&blocks, &over, &waker});
    blocks.wait();
    if (aborts)
      h.abort();
    else
      std::move(waker).wake();
    over.count_down();
    const auto end = rt.block_on(eddy::attempt(std::move(h)));
    CHECK(end.has_value() == !aborts);
    waker = {};
  }
}

TEST_CASE("tasks block in place on all workers, again and again") {
  const test::leak_check leaks;
  constexpr int tasks = 40;
  constexpr int rounds = 25;
  for (const std::uint32_t workers : {1U, 3U}) {
    auto rt = pool_of(workers);
    std::atomic<int> count{0};
    rt.block_on([&]() -> future<> {
      eddy::join_set<> all;
      for (int i = 0; i < tasks; ++i)
        all.spawn(
            [](std::atomic<int>* n, int number) -> future<> {
              for (int k = 0; k < rounds; ++k) {
                block_in_place([n] {
                  std::this_thread::yield();
                  ++*n;
                });
                if ((number + k) % 3 == 0) co_await eddy::yield_now();
                if ((number + k) % 7 == 0)
                  co_await eddy::spawn_local([]() -> future<> { co_await eddy::yield_now(); });
                if ((number + k) % 11 == 0) co_await eddy::sleep(10us);
              }
            },
            &count, i);
      block_in_place([] { std::this_thread::yield(); });
      while (co_await all.join_next()) {
      }
    });
    CHECK(count == tasks * rounds);
  }
}

// ---- the end of the runtime

using told = std::shared_ptr<std::promise<void>>;  // destroyed: the wait for it is over

future<> keeps(told) { co_await eddy::sleep(1h); }

/// Blocks until `f` is over, and then once more for what a pool that ends does not do.
future<> waits(std::latch* blocks, std::atomic<int>* over, std::future<void> f, bool to_the_end) {
  block_in_place([&] {
    blocks->count_down();
    f.wait();
    if (!to_the_end) return;
    const auto h = handle::current();
    CHECK(h.block_on(eddy::attempt(h.spawn(number, 1))).error() == eddy::errc::aborted);
    CHECK(h.block_on(eddy::attempt(h.spawn_on(0, number, 1))).error() == eddy::errc::aborted);
  });
  ++*over;
  co_await eddy::sleep(1h);
  ++*over;
}

TEST_CASE("a pool that is dropped while tasks block destroys the others, then waits for them") {
  const test::leak_check leaks;
  for (int kind = 0; kind < 8; ++kind) {
    const std::uint32_t workers = kind < 4 ? 1 : 2;  // of one: the second blocks a stand-in
    std::latch blocks(2);
    std::atomic<int> over{0};
    {
      auto rt = pool_of(workers);
      auto one = std::make_shared<std::promise<void>>();
      auto two = std::make_shared<std::promise<void>>();
      const bool told_before = kind % 4 == 3;
      static_cast<void>(rt.spawn(waits, &blocks, &over, one->get_future(), !told_before));
      static_cast<void>(rt.spawn(waits, &blocks, &over, two->get_future(), true));
      blocks.wait();
      if (kind % 4 == 0) {
        static_cast<void>(rt.spawn(keeps, std::move(one)));
        static_cast<void>(rt.spawn(keeps, std::move(two)));
      } else if (kind % 4 == 1) {
        static_cast<void>(rt.spawn_on(0, keeps, std::move(one)));
        static_cast<void>(rt.spawn_on(workers - 1, keeps, std::move(two)));
      } else if (kind % 4 == 2) {  // and one of them is waiting
        rt.block_on([&]() -> future<> {
          static_cast<void>(eddy::spawn(keeps, std::move(one)));
          static_cast<void>(eddy::spawn_local(keeps, std::move(two)));
          co_await eddy::sleep(1ms);
        });
      } else {
        one->set_value();
        static_cast<void>(rt.spawn(keeps, std::move(two)));
      }
    }
    CHECK(over == 2);
  }
}

#if EDDY_EXCEPTIONS
TEST_CASE("a block_on that waits for the pool while a task blocks ends with it") {
  const test::leak_check leaks;
  auto rt = std::make_optional(pool_of(1));
  std::latch blocks(1);
  auto promise = std::make_shared<std::promise<void>>();
  static_cast<void>(rt->spawn(
      [](std::latch* l, std::future<void> f) -> future<> {
        block_in_place([&] {
          l->count_down();
          f.wait();
        });
        co_return;
      },
      &blocks, promise->get_future()));
  blocks.wait();
  std::promise<void> runs;
  std::thread waits([&runs, h = rt->get_handle(), p = std::move(promise)]() mutable {
    CHECK_THROWS_AS(h.block_on([](std::promise<void>* r, told mine) -> future<> {
      r->set_value();
      co_await keeps(std::move(mine));
    }(&runs, std::move(p))),
                    eddy::join_error);
  });
  runs.get_future().wait();
  rt.reset();
  waits.join();
}
#endif

// ---- misuse

#if EDDY_EXCEPTIONS

constexpr auto one_thread =
    "eddy: block_in_place: a current_thread runtime has one thread; use spawn_blocking";
constexpr auto local =
    "eddy: block_in_place: local tasks would go on on another thread; use spawn_blocking";

/// Blocks when it is destroyed.
struct blocks_late {
  const char* why;
  std::shared_ptr<int> refused;
  ~blocks_late() {
    try {
      block_in_place([] {});
    } catch (const std::logic_error& e) {
      if (e.what() == std::string(why)) ++*refused;
    }
  }
};

future<> is_refused(const char* why) {
  bool called = false;
  CHECK_THROWS_WITH_AS(block_in_place([&] { called = true; }), why, std::logic_error);
  CHECK_FALSE(called);
  co_return;
}

TEST_CASE("block_in_place in a task of a current_thread runtime is misuse") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on(is_refused(one_thread));
  rt.block_on(rt.spawn(is_refused, one_thread));
  rt.block_on([]() -> future<> {
    const eddy::local_set set;
    co_await set.run_until(is_refused(one_thread));
    co_await set.spawn_local(is_refused, one_thread);
  });
}

TEST_CASE("block_in_place in a pool's local tasks, and in a local_set, is misuse") {
  const test::leak_check leaks;
  auto rt = pool_of(2);
  rt.block_on([]() -> future<> {
    const eddy::local_set set;
    co_await set.run_until(is_refused(local));
    co_await set.spawn_local(is_refused, local);
    co_await eddy::spawn_local(is_refused, local);
    co_await eddy::spawn_on(1, is_refused, local);
    block_in_place([] {});  // but not in what block_on itself was given
  });
}

TEST_CASE("block_in_place in a destructor of a local_set's task is misuse") {
  const test::leak_check leaks;
  const auto refused = std::make_shared<int>(0);
  const auto ends = [&](const char* why) -> future<> {
    std::optional<eddy::local_set> set(std::in_place);
    auto h = set->spawn_local(
        [](const char* w, std::shared_ptr<int> n) -> future<> {
          const blocks_late late{w, std::move(n)};
          co_await eddy::sleep(1h);
        },
        why, refused);
    co_await set->run_until(eddy::yield_now());
    set.reset();
    const auto end = co_await eddy::attempt(std::move(h));
    CHECK(end.error() == eddy::errc::aborted);
  };
  eddy::runtime().block_on(ends(one_thread));
  CHECK(*refused == 1);
  pool_of(1).block_on(ends(local));
  CHECK(*refused == 2);
}
#endif

}  // namespace
