// The behaviour that Tokio's task_abort.rs tests. docs/conformance.tsv says which case is which
// test.

#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;

struct never {
  eddy::polled<> poll(eddy::context&) noexcept { return eddy::pending; }
};

TEST_CASE("awaiting the handle of an aborted task reports the abort") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto h = eddy::spawn([]() -> future<> { co_await eddy::sleep(100h); });
    co_await eddy::yield_now();  // the task runs until its sleep
    if (!test::on_pool()) CHECK(test::here().timer_count() == 1);
    h.abort();
    const auto r = co_await eddy::attempt(std::move(h));
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error() == eddy::errc::aborted);
    CHECK(test::here().timer_count() == 0);
  });
}

TEST_CASE("a task aborted by another thread is destroyed on its loop before its handle is ready") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    // Alive until the task's frames are destroyed; the deleter sees which thread destroys them.
    std::thread::id where;
    auto held = std::shared_ptr<int>(new int(4), [&where](int* p) {
      where = std::this_thread::get_id();
      delete p;
    });
    const std::weak_ptr<int> alive = held;
    auto h =
        eddy::spawn([](std::shared_ptr<int>) -> future<> { co_await never(); }, std::move(held));
    co_await eddy::yield_now();
    CHECK_FALSE(alive.expired());
    std::thread([&] {
      h.abort();
      CHECK_FALSE(alive.expired());  // abort() is only a request
    }).join();
    CHECK_FALSE(alive.expired());
    const auto r = co_await eddy::attempt(std::move(h));
    CHECK(alive.expired());
    CHECK(where == std::this_thread::get_id());
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error() == eddy::errc::aborted);
    co_await eddy::spawn([]() -> future<> { co_await eddy::yield_now(); });  // the loop still works
  });
}

TEST_CASE("a handle aborted and dropped on another thread ends its task on the task's loop") {
  const test::leak_check leaks;
  eddy::runtime rt;
  const auto home = std::this_thread::get_id();
  std::thread helper;
  rt.block_on([&]() -> future<> {
    eddy::promise<> p;
    auto gone = p.get_future();
    struct guard {
      eddy::promise<> told;
      std::thread::id home;
      ~guard() {
        CHECK(std::this_thread::get_id() == home);
        told.set_value();
      }
    };
    auto g = std::make_unique<guard>();
    g->told = std::move(p);
    g->home = home;
    auto h =
        eddy::spawn([](std::unique_ptr<guard>) -> future<> { co_await never(); }, std::move(g));
    co_await eddy::yield_now();
    helper = std::thread([h = std::move(h)] { h.abort(); });
    co_await std::move(gone);
  });
  helper.join();
}

TEST_CASE("an aborted task ends even if its handle is dropped at once") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto held = std::make_shared<int>(1);
    const std::weak_ptr<int> alive = held;
    {
      const auto h = eddy::spawn(
          [](std::shared_ptr<int>) -> future<> { co_await eddy::sleep(100h); }, std::move(held));
      co_await eddy::yield_now();
      h.abort();
    }
    if (!test::on_pool()) {
      CHECK_FALSE(alive.expired());  // abort() is only a request
      co_await eddy::yield_now();
      CHECK(alive.expired());
    }
    while (!alive.expired()) co_await eddy::yield_now();
  });
}

}  // namespace
