// Branches of one task, woken and dropped while other threads hold their wakers.

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/testing/doctest.hpp>

#include "support/long_run.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;

/// Threads that take wakers and wake them, some at once, some several times, some after their branch is long gone.
class wakers {
 public:
  explicit wakers(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this, i] { run(i); });
  }
  ~wakers() {
    stop_ = true;
    for (auto& t : threads_) t.join();
  }
  void give(eddy::waker w) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(w));
  }

 private:
  void run(int seed) {
    std::vector<eddy::waker> old;
    auto random = static_cast<std::uint32_t>(seed * 2654435761U + 1);
    while (!stop_) {
      std::vector<eddy::waker> taken;
      {
        const std::lock_guard lock(mutex_);
        taken.swap(waiting_);
      }
      if (taken.empty()) std::this_thread::yield();
      for (auto& w : taken) {
        random = random * 1664525U + 1013904223U;
        w.wake();
        if (random % 3 == 0) w.wake();
        if (random % 5 == 0)
          old.push_back(std::move(w));
        else if (random % 2 == 0)
          std::move(w).wake();
      }
      if (old.size() > 100) {
        for (const auto& w : old) w.wake();
        old.clear();
      }
    }
  }

  std::mutex mutex_;
  std::vector<eddy::waker> waiting_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

/// Ready after having been polled so often; each poll gives a waker away.
class [[nodiscard]] woken_elsewhere {
 public:
  woken_elsewhere(wakers& by, int times) : by_(&by), left_(times) {}
  eddy::polled<> poll(eddy::context& cx) noexcept {
    if (left_-- <= 0) return eddy::ready;
    by_->give(cx.get_waker());
    return eddy::pending;
  }

 private:
  wakers* by_;
  int left_;
};

future<> child(wakers& by, int times) {
  co_await woken_elsewhere(by, times);
  co_await woken_elsewhere(by, 1);
}

TEST_CASE("no wake is lost, and none reaches what is gone: scopes") {
  const eddy::test::leak_check leaks;
  wakers by(2);
  eddy::runtime rt;
  rt.block_on([&by]() -> future<> {
    for (int round = 0; round < test::rounds(300); ++round) {
      int ended = 0;
      co_await eddy::scope([&](eddy::task_scope& s) -> future<> {
        for (int i = 0; i < 20; ++i)
          s.spawn(
              [&by, &ended](int times) -> future<> {
                co_await child(by, times);
                ++ended;
              },
              i % 4);
        co_await woken_elsewhere(by, 2);
      });
      CHECK(ended == 20);
    }
  });
}

TEST_CASE("no wake is lost, and none reaches what is gone: dropped in the middle") {
  const eddy::test::leak_check leaks;
  wakers by(2);
  eddy::runtime rt;
  rt.block_on([&by]() -> future<> {
    for (int round = 0; round < test::rounds(300); ++round) {
      std::vector<future<>> list;
      for (int i = 0; i < 20; ++i) list.push_back(child(by, 1 + (i + round) % 5));
      auto any = eddy::select_any(std::move(list));
      static_cast<void>(co_await any);
      co_await eddy::scope([&](eddy::task_scope& outer) -> future<> {
        for (int i = 0; i < 5; ++i)
          outer.spawn(
              [&by](int r) -> future<> {
                std::vector<future<>> inner;
                for (int k = 0; k < 5; ++k) inner.push_back(child(by, 1 + (r + k) % 3));
                static_cast<void>(co_await eddy::select_any(std::move(inner)));
              },
              round + i);
        co_return;
      });
    }
  });
}

TEST_CASE("a set joins tasks of another loop, and is shut down while they end") {
  const eddy::test::leak_check leaks;
  eddy::runtime here;
  eddy::runtime there;
  eddy::promise<> stop;
  auto stopped = stop.get_future();
  std::thread other([&] { there.block_on(std::move(stopped)); });
  here.block_on([](eddy::handle far) -> future<> {
    for (int round = 0; round < test::rounds(100); ++round) {
      eddy::join_set<int> set;
      for (int i = 0; i < 20; ++i)
        set.spawn_on(
            far,
            [](int n) -> future<int> {
              for (int k = 0; k < n; ++k) co_await eddy::yield_now();
              co_return n;
            },
            i);
      for (int i = 0; i < round % 20; ++i) {
        auto r = co_await set.join_next();
        REQUIRE(r.has_value());
        CHECK(r->has_value());
      }
      co_await set.shutdown();
      CHECK(set.empty());
    }
  }(there.get_handle()));
  stop.set_value();
  other.join();
}

}  // namespace
