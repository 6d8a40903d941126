// A branch that holds a lock while nobody polls it: why a select cannot get stuck on it, and when it still can.

#include <eddy/combine/select.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/leaves.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;

future<> hold(eddy::sync::semaphore& lock, test::gate& g) {
  auto held = co_await lock.acquire();
  co_await g.wait();
}

TEST_CASE(
    "by value: a branch that loses gives back its lock, and its place among those who wait for "
    "one") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  test::gate g;
  rt.block_on([](test::gate& never) -> future<> {
    eddy::sync::semaphore lock(1);
    // A holds the lock, B stands behind it in the queue, C ends; then the winner's handler takes the lock.
    auto r =
        co_await eddy::select(eddy::biased, hold(lock, never), hold(lock, never), eddy::sleep(1s));
    CHECK(r.index() == 2);
    auto mine = co_await eddy::attempt(eddy::timeout(1s, lock.acquire()));
    CHECK(mine.has_value());
  }(g));
}

TEST_CASE("pinned: a branch that loses keeps its lock as long as nobody polls it") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  test::gate g;
  rt.block_on([](test::gate& shut) -> future<> {
    eddy::sync::semaphore lock(1);
    auto work = eddy::pin(hold(lock, shut));
    auto r = co_await eddy::select(work, eddy::sleep(1s));
    CHECK(r.index() == 1);
    shut.open();  // it could go on, but is not polled
    auto stuck = co_await eddy::attempt(eddy::timeout(1h, lock.acquire()));
    REQUIRE_FALSE(stuck.has_value());
    CHECK(stuck.error() == errc::elapsed);
    // The way out: poll it beside what needs the lock.
    auto [done, mine] = co_await eddy::join(work, eddy::timeout(1h, lock.acquire()));
    static_cast<void>(done);
    CHECK(work.done());
    CHECK(lock.available_permits() == 0);
  }(g));
}

TEST_CASE("a pinned branch that only waits in the queue holds up those behind it") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    eddy::sync::semaphore lock(1);
    auto first = co_await lock.acquire();
    {
      auto queued = lock.acquire();
      auto r = co_await eddy::select(queued, eddy::sleep(1s));
      CHECK(r.index() == 1);
      {
        const auto back = std::move(first);
      }
      auto stuck = co_await eddy::attempt(eddy::timeout(1h, lock.acquire()));
      CHECK_FALSE(stuck.has_value());
    }
    auto mine = co_await eddy::attempt(eddy::timeout(1h, lock.acquire()));
    CHECK(mine.has_value());
  });
}

}  // namespace
