// A worker that goes on with something long leaves what is ready beside it to others: task/task_pool.hpp, I3.
#include "task/task_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/task/block_in_place.hpp>

#include "support/leak_check.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::block_in_place;
using eddy::future;
using eddy::handle;

eddy::runtime pool_of_two() {
  return eddy::runtime::builder().multi_loop().worker_threads(2).build();
}

/// A poll that goes on until `seen()`, which another worker has to make true. False: nobody did.
template <class F>
bool poll_until(F seen) {
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (!seen())
    if (std::chrono::steady_clock::now() > limit) return false;
  return true;
}

future<> set(std::atomic<bool>* flag) {
  flag->store(true);
  co_return;
}

/// Spawns `set` when somebody wants the loop back.
future<> spawn_at_the_end(std::atomic<bool>* begun, std::atomic<bool>* flag) {
  begun->store(true);
  auto& loop = test::here();
  CHECK(poll_until([&loop] { return loop.drivers().is_wanted(); }));
  eddy::spawn(set, flag);
  co_return;
}

TEST_CASE("a task that is ready together with a local one does not wait for its poll") {
  const test::leak_check leaks;
  auto rt = pool_of_two();
  rt.block_on([]() -> future<> {
    const auto both = eddy::clock::now() + 2ms;
    std::atomic<bool> polled{false};
    auto moves = eddy::spawn(
        [](eddy::instant t, std::atomic<bool>* flag) -> future<> {
          co_await eddy::sleep_until(t);
          flag->store(true);
        },
        both, &polled);
    co_await eddy::yield_now();
    co_await eddy::sleep_until(both);
    CHECK(poll_until([&] { return polled.load(); }));
    co_await moves;
  });
}

TEST_CASE("a task that a local one makes ready does not wait for the next local one's poll") {
  const test::leak_check leaks;
  auto rt = pool_of_two();
  rt.block_on([]() -> future<> {
    std::atomic<bool> polled{false};
    auto first = eddy::spawn_local([&]() -> future<> {
      eddy::spawn(set, &polled);
      co_return;
    });
    auto second = eddy::spawn_local([&]() -> future<> {
      CHECK(poll_until([&] { return polled.load(); }));
      co_return;
    });
    co_await first;
    co_await second;
  });
}

TEST_CASE("a task made ready before who has blocked comes back does not wait for his poll") {
  const test::leak_check leaks;
  auto rt = pool_of_two();
  std::atomic<bool> begun{false};
  std::atomic<bool> polled{false};
  rt.block_on([&]() -> future<> {
    block_in_place([&] {
      const auto here = test::here().worker()->number;
      handle::current().spawn_on(
          here,
          [](std::atomic<bool>* b, std::atomic<bool>* p) -> future<> {
            eddy::spawn(spawn_at_the_end, b, p);
            co_return;
          },
          &begun, &polled);
      CHECK(poll_until([&] { return begun.load(); }));
    });
    CHECK(poll_until([&] { return polled.load(); }));
    co_return;
  });
}

TEST_CASE("a worker that is called as who has blocked comes back for its loop calls another") {
  const test::leak_check leaks;
  std::atomic<eddy::detail::loop*> lent{nullptr};
  std::atomic<bool> asleep{false};
  std::atomic<bool> called{false};
  const auto parks = [&] {
    if (lent == &test::here()) asleep = true;
  };
  const auto unparks = [&] {
    auto* const l = lent.load();
    if (l != &test::here() || !asleep) return;
    called = true;
    CHECK(poll_until([l] { return l->drivers().is_wanted(); }));
  };
  auto rt = eddy::runtime::builder()
                .multi_loop()
                .worker_threads(3)
                .on_park(parks)
                .on_unpark(unparks)
                .build();
  std::atomic<bool> polled{false};
  rt.block_on([&]() -> future<> {
    std::optional<eddy::join_handle<>> made;
    block_in_place([&] {
      auto& here = test::here();
      std::atomic<bool> holds{false};
      std::atomic<bool> may_make{false};
      made = handle::current().spawn_on((here.worker()->number + 1) % 3, [&]() -> future<> {
        holds = true;
        CHECK(poll_until([&] { return may_make.load(); }));
        eddy::spawn(set, &polled);
        eddy::spawn([]() -> future<> { co_return; });  // of two, somebody is told
        CHECK(poll_until([&] { return polled.load(); }));
        co_return;
      });
      CHECK(poll_until([&] { return holds.load(); }));
      // The loop's stand-in is the last to fall asleep, as a rule, and so the first to be called.
      lent = &here;
      handle::current().spawn_on(here.worker()->number, []() -> future<> { co_return; });
      CHECK(poll_until([&] { return asleep.load(); }));
      may_make = true;
      CHECK(poll_until([&] { return called.load() || polled.load(); }));
    });
    lent = nullptr;
    CHECK(poll_until([&] { return polled.load(); }));
    co_await *made;
  });
}

}  // namespace
