// The guide's snippets about other threads, callbacks, leaves and the dump.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

// [guide:blocking]
std::int64_t expensive(std::vector<std::int64_t> input) {  // an ordinary function
  return std::accumulate(input.begin(), input.end(), std::int64_t{0});
}

eddy::future<std::int64_t> off_the_loop(std::vector<std::int64_t> input) {
  co_return co_await eddy::spawn_blocking(expensive, std::move(input));
}
// [/guide:blocking]

// [guide:promise]
eddy::future<int> from_a_thread() {
  eddy::promise<int> p;
  auto f = p.get_future();
  std::jthread other([p = std::move(p)]() mutable { p.set_value(7); });
  co_return co_await std::move(f);
}
// [/guide:promise]

// Stands for a C library that calls back from a thread of its own.
std::jthread library_thread;
void start_lookup(int key, void (*done)(void* user, int value), void* user) {
  library_thread = std::jthread([=] { done(user, key * 2); });
}

// [guide:callback]
eddy::future<int> lookup(int key) {
  return eddy::from_callback<int>(
      [](eddy::promise<int> p, int k) {
        auto* user = new eddy::promise<int>(std::move(p));
        start_lookup(
            k,
            [](void* u, int value) {
              std::unique_ptr<eddy::promise<int>> done(static_cast<eddy::promise<int>*>(u));
              done->set_value(value);  // on whichever thread the library calls
            },
            user);
      },
      key);
}
// [/guide:callback]

// [guide:handle]
eddy::future<int> twice(int n) { co_return 2 * n; }

eddy::future<int> from_outside() {
  auto home = eddy::handle::current();  // may be copied to any thread
  eddy::promise<int> p;
  auto f = p.get_future();
  std::jthread other([home, p = std::move(p)]() mutable {
    home.spawn([](eddy::promise<int> out) -> eddy::future<> { out.set_value(co_await twice(21)); },
               std::move(p));  // the task runs on the loop, not here
  });
  co_return co_await std::move(f);
}
// [/guide:handle]

// [guide:poll_fn]
eddy::future<int> third_time() {
  int asked = 0;
  co_return co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<int> {
    if (++asked == 3) return asked;
    cx.wake();  // asks for another poll
    return eddy::pending;
  });
}
// [/guide:poll_fn]

// [guide:leaf]
/// Wakes the task that waits for it when it is set. Set it once, on the waiter's loop.
class event {
 public:
  class [[nodiscard]] waiting {
   public:
    explicit waiting(event& e) noexcept : event_(&e) {}
    eddy::polled<> poll(eddy::context& cx) noexcept {
      if (event_->set_) return eddy::ready;
      cx.store_waker(event_->waker_);  // room for one waiter; several need a list
      return eddy::pending;
    }

   private:
    event* event_;
  };

  waiting wait() noexcept { return waiting(*this); }
  void set() noexcept {
    set_ = true;
    std::move(waker_).wake();
  }

 private:
  bool set_ = false;
  eddy::waker waker_;
};
// [/guide:leaf]

// [guide:dump]
eddy::future<> query() { co_await eddy::sleep(1h); }
eddy::future<> session() { co_await query(); }

eddy::future<std::string> who_waits() {
  auto task = eddy::spawn(session());
  co_await eddy::yield_now();  // the task runs until its sleep
  co_return eddy::dump();
}
// [/guide:dump]

eddy::future<bool> event_in_a_task() {
  event e;
  auto setter = eddy::spawn([&e]() -> eddy::future<> {
    e.set();
    co_return;
  });
  co_await e.wait();
  co_return true;
}

}  // namespace

TEST_CASE("blocking jobs, promises, callbacks and handles bring results from other threads") {
  const test::leak_check leaks;
  eddy::runtime rt;
  CHECK(rt.block_on(off_the_loop({1, 2, 3})) == 6);
  CHECK(rt.block_on(from_a_thread()) == 7);
  CHECK(rt.block_on(lookup(4)) == 8);
  library_thread.join();
  CHECK(rt.block_on(from_outside()) == 42);
}

TEST_CASE("a leaf made by poll_fn and a leaf that is a class can be awaited") {
  const test::leak_check leaks;
  eddy::runtime rt;
  CHECK(rt.block_on(third_time()) == 3);
  CHECK(rt.block_on(event_in_a_task()));
}

TEST_CASE("the dump names tasks, states and await sites") {
  const test::leak_check leaks;
  eddy::runtime rt;
  const auto text = rt.block_on(who_waits());
  INFO(text);
  CHECK(text.find("running") != std::string::npos);  // the task that calls dump()
  CHECK(text.find("session' waiting, spawned at ") != std::string::npos);
  const auto outer = text.find("session bridges.cpp:");
  const auto inner = text.find("query bridges.cpp:");
  REQUIRE(outer != std::string::npos);
  REQUIRE(inner != std::string::npos);
  CHECK(outer < inner);
}
