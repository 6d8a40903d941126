// spawn_on: tasks that stay on one worker of a pool.

#include <eddy/task/spawn_on.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::join_handle;

constexpr std::uint32_t workers = 3;

eddy::runtime pool() {
  return eddy::runtime::builder().multi_loop().worker_threads(workers).build();
}
future<std::thread::id> thread_here() { co_return std::this_thread::get_id(); }

/// Its thread, if that has always been the same.
future<std::optional<std::thread::id>> stays() {
  const auto first = std::this_thread::get_id();
  bool same = true;
  for (int i = 0; i < 20; ++i) {
    co_await eddy::yield_now();
    same = same && std::this_thread::get_id() == first;
    const auto beside = co_await eddy::spawn_local(thread_here());
    same = same && beside == first;
  }
  co_await eddy::sleep(1ms);
  same = same && std::this_thread::get_id() == first;
  if (!same) co_return std::nullopt;
  co_return first;
}

TEST_CASE("a task spawned on a worker stays there, and so does what it spawns locally") {
  const test::leak_check leaks;
  auto rt = pool();
  CHECK(rt.get_handle().worker_count() == workers);
  std::vector<std::optional<std::thread::id>> first(workers);
  for (int round = 0; round < 3; ++round)
    for (std::uint32_t k = 0; k < workers; ++k) {
      const auto a = rt.block_on(rt.spawn_on(k, stays));
      const auto b = rt.block_on([k]() -> future<std::optional<std::thread::id>> {
        co_return co_await eddy::spawn_on(k, stays());  // from one worker to another, or the same
      });
      REQUIRE(a.has_value());
      CHECK(a == b);
      if (!first[k]) first[k] = a;
      CHECK(a == first[k]);
    }
  CHECK(std::set(first.begin(), first.end()).size() == workers);
}

TEST_CASE("what a task on another worker gives, or fails with, is awaited here") {
  const test::leak_check leaks;
  auto rt = pool();
  rt.block_on([]() -> future<> {
    auto sum = eddy::spawn_on(
        2, [](std::unique_ptr<int> a, int b) -> future<int> { co_return *a + b; },
        std::make_unique<int>(40), 2);
    CHECK(co_await sum == 42);
    auto moved = eddy::spawn([h = eddy::spawn_on(1, stays)]() mutable -> future<bool> {
      const auto id = co_await std::move(h);
      co_return id.has_value();
    });
    CHECK(co_await moved);
#if EDDY_EXCEPTIONS
    auto fails = eddy::spawn_on(0, []() -> future<> {
      co_await eddy::yield_now();
      throw std::runtime_error("no berth");
    });
    const auto end = co_await eddy::attempt(std::move(fails));
    CHECK(end.error().message().find("no berth") != std::string::npos);
#endif
  });
}

future<> keeps(std::shared_ptr<int>) { co_await eddy::sleep(1h); }

TEST_CASE("a task on another worker is aborted from here") {
  const test::leak_check leaks;
  auto rt = pool();
  const auto held = std::make_shared<int>(0);
  rt.block_on([&]() -> future<> {
    for (std::uint32_t k = 0; k < workers; ++k) {
      auto h = eddy::spawn_on(k, keeps, held);
      co_await eddy::yield_now();
      h.abort();
      const auto end = co_await eddy::attempt(std::move(h));
      CHECK(end.error() == eddy::errc::aborted);
    }
  });
  CHECK(held.use_count() == 1);
}

TEST_CASE("a pool that is dropped destroys what waits on its workers; later nothing is spawned") {
  const test::leak_check leaks;
  const auto held = std::make_shared<int>(0);
  std::vector<join_handle<>> handles;
  std::optional<eddy::handle> late;
  {
    auto rt = pool();
    late = rt.get_handle();
    for (std::uint32_t k = 0; k < workers; ++k) handles.push_back(rt.spawn_on(k, keeps, held));
  }
  CHECK(held.use_count() == 1);
  handles.push_back(late->spawn_on(workers - 1, keeps, held));
  CHECK(held.use_count() == 1);
  for (auto& h : handles) {
    const auto end = eddy::runtime().block_on(eddy::attempt(std::move(h)));
    CHECK(end.error() == eddy::errc::aborted);
  }
}

TEST_CASE("a current_thread runtime has worker 0") {
  const test::leak_check leaks;
  eddy::runtime rt;
  CHECK(rt.get_handle().worker_count() == 1);
  const auto here = std::this_thread::get_id();
  CHECK(rt.block_on(rt.spawn_on(0, thread_here())) == here);
  CHECK(rt.block_on([]() -> future<std::thread::id> {
    co_return co_await eddy::spawn_on(0, thread_here);
  }) == here);
}

#if EDDY_EXCEPTIONS
future<> uses(eddy::rc<int>) { co_return; }

TEST_CASE("a worker that there is not, a parameter that stays, and no runtime are misuse") {
  const test::leak_check leaks;
  constexpr auto none = "eddy: spawn_on: the runtime has no worker of that number";
  auto rt = pool();
  CHECK_THROWS_WITH_AS(rt.spawn_on(workers, thread_here()), none, std::logic_error);
  CHECK_THROWS_WITH_AS(rt.get_handle().spawn_on(UINT32_MAX, thread_here), none, std::logic_error);
  const eddy::runtime one;
  CHECK_THROWS_WITH_AS(one.spawn_on(1, thread_here()), none, std::logic_error);
  CHECK_THROWS_WITH_AS(eddy::spawn_on(0, thread_here()),
                       "eddy: spawn_on: this thread is not on a runtime", std::logic_error);
  rt.block_on([]() -> future<> {
    CHECK_THROWS_AS(eddy::spawn_on(0, uses(eddy::make_rc<int>(1))), std::logic_error);
    CHECK_THROWS_AS(eddy::spawn_on(1, [] { return uses(eddy::make_rc<int>(1)); }),
                    std::logic_error);
    co_return;
  });
}
#endif

}  // namespace
