// One runtime and many threads: who drives, who wakes, who drops what when. Runs under TSan.

#include <eddy/runtime/runtime.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/long_run.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::promise;

struct never {
  eddy::polled<> poll(eddy::context&) noexcept { return eddy::pending; }
};
future<> one_round() { co_await eddy::yield_now(); }
future<int> just(int v) { co_return v; }

TEST_CASE("several threads in block_on: each gets its own value") {
  const test::leak_check leaks;
  eddy::runtime rt;
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&rt, &sum, i] {
      for (int k = 0; k < 200; ++k)
        sum += rt.block_on([i, k]() -> future<int> {
          auto child = eddy::spawn(just(i));
          co_await eddy::yield_now();
          if (k % 16 == 0) co_await eddy::sleep(20us);
          const int v = co_await std::move(child);
          co_return v;
        });
    });
  for (auto& t : threads) t.join();
  CHECK(sum == 200 * (0 + 1 + 2 + 3));
}

TEST_CASE("a thread whose future is ready leaves, though another goes on driving") {
  // The one that waits must be told even when its task ends in the moment it begins to wait.
  const test::leak_check leaks;
  eddy::runtime rt;
  std::atomic<bool> stop{false};
  std::atomic<bool> drives{false};
  std::thread driver([&] {
    rt.block_on([&]() -> future<> {
      drives = true;
      while (!stop) co_await eddy::yield_now();
    });
  });
  while (!drives) std::this_thread::yield();
  for (int i = 0; i < test::rounds(5000); ++i) CHECK(rt.block_on(just(i)) == i);
  stop = true;
  driver.join();
}

TEST_CASE("a runtime moves to another thread between two block_ons, with tasks alive") {
  const test::leak_check leaks;
  eddy::runtime rt;
  auto held = std::make_shared<int>(0);
  std::vector<std::thread::id> seen;
  promise<> stop;
  auto last = rt.spawn([&seen, held, f = stop.get_future()]() mutable -> future<> {
    auto child = eddy::spawn(
        [](std::shared_ptr<int>, std::vector<std::thread::id>& s) -> future<> {
          for (;;) {
            s.push_back(std::this_thread::get_id());
            co_await eddy::yield_now();
          }
        },
        held, std::ref(seen));
    co_await std::move(f);
    child.abort();
  });
  rt.block_on(one_round());
  rt.block_on(one_round());
  std::thread([moved = std::move(rt), &seen, &stop, last = std::move(last)]() mutable {
    const auto before = seen.size();
    moved.block_on(eddy::sleep(1us));
    moved.block_on(one_round());
    moved.block_on(one_round());
    CHECK(seen.size() > before);
    CHECK(seen.back() == std::this_thread::get_id());
    CHECK(seen.front() != std::this_thread::get_id());
    stop.set_value();
    moved.block_on(std::move(last));
    eddy::runtime dropped_here = std::move(moved);
  }).join();
  CHECK(held.use_count() == 1);
}

TEST_CASE("two runtimes in two threads talk by promises and join handles") {
  const test::leak_check leaks;
  eddy::runtime a;
  eddy::runtime b;
  for (int i = 0; i < test::rounds(200); ++i) {
    promise<int> ping;
    promise<int> pong;
    auto at_b = b.spawn([f = ping.get_future(), p = std::move(pong), i]() mutable -> future<int> {
      const int v = co_await std::move(f);
      p.set_value(v + 1);
      co_return i;
    });
    std::thread tb([&] { CHECK(b.block_on(std::move(at_b)) == i); });
    a.block_on([&]() -> future<> {
      auto h = b.spawn(just(i));  // driven by the other thread, or by nobody any more
      ping.set_value(i);
      co_await eddy::yield_now();
      h.abort();
    });
    tb.join();
  }
}

TEST_CASE("threads spawn on a runtime that is being dropped: run, aborted, but never lost") {
  const test::leak_check leaks;
  for (int i = 0; i < test::rounds(100); ++i) {
    const auto held = std::make_shared<int>();
    std::optional<eddy::runtime> rt(std::in_place);
    const auto h = rt->get_handle();
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
      threads.emplace_back([&ready, h, held] {
        ++ready;
        std::vector<eddy::join_handle<int>> mine;
        for (int k = 0; k < 40; ++k) {
          mine.push_back(h.spawn(
              [](std::shared_ptr<int>) -> future<int> {
                co_await eddy::yield_now();
                co_return 1;
              },
              held));
          if (k % 3 == 0) mine.pop_back();
        }
        eddy::runtime own;
        for (auto& j : mine) {
          const auto r = own.block_on(eddy::attempt(std::move(j)));
          CHECK((r.has_value() || r.error() == eddy::errc::aborted));
        }
      });
    while (ready != 2) std::this_thread::yield();
    for (int k = 0; k < i % 5; ++k) rt->block_on(one_round());
    rt.reset();
    for (auto& t : threads) t.join();
    CHECK(held.use_count() == 1);
  }
}

TEST_CASE("promises fulfilled on another thread while their runtime is dropped") {
  const test::leak_check leaks;
  for (int i = 0; i < test::rounds(300); ++i) {
    const auto held = std::make_shared<int>();
    std::vector<promise<std::shared_ptr<int>>> promises(20);
    std::optional<eddy::runtime> rt(
        eddy::runtime::builder().on_unhandled_failure([](const eddy::task_failure&) {}).build());
    for (auto& p : promises)
      static_cast<void>(rt->spawn([held, f = p.get_future()]() mutable -> future<> {
        co_await eddy::timeout(1h, std::move(f));
        co_await never();
      }));
    rt->block_on(one_round());
    std::atomic<bool> go{false};
    std::thread other([&] {
      while (!go) {
      }
      for (std::size_t k = 0; k < promises.size(); ++k) {
        if (EDDY_EXCEPTIONS &&
            k % 4 == 0)  // without them a broken promise that is awaited ends the program
          promise<std::shared_ptr<int>> broken = std::move(promises[k]);
        else
          promises[k].set_value(held);
      }
    });
    go = true;
    if (i % 3 == 0) rt->block_on(one_round());
    rt.reset();
    other.join();
    CHECK(held.use_count() == 1);
  }
}

TEST_CASE("join handles dropped and awaited elsewhere while their runtime is dropped") {
  const test::leak_check leaks;
  for (int i = 0; i < test::rounds(200); ++i) {
    const auto held = std::make_shared<int>();
    std::optional<eddy::runtime> rt(std::in_place);
    std::vector<eddy::join_handle<std::shared_ptr<int>>> handles;
    rt->block_on([&]() -> future<> {
      for (int k = 0; k < 20; ++k) {
        const auto task = [](std::shared_ptr<int> v, int n) -> future<std::shared_ptr<int>> {
          if (n % 3 == 0) co_await eddy::yield_now();
          if (n % 3 == 1) co_await never();
          co_return v;
        };
        handles.push_back(k % 2 == 0 ? eddy::spawn(task, held, k)
                                     : eddy::handle::current().spawn(task, held, k));
      }
      co_await eddy::yield_now();
    });
    std::atomic<bool> go{false};
    std::thread other([&go, hs = std::move(handles)]() mutable {
      while (!go) {
      }
      for (std::size_t k = 0; k < hs.size(); ++k)
        if (k % 5 == 0) hs[k].abort();
      hs.clear();
    });
    go = true;
    if (i % 2 == 0) rt->block_on(one_round());
    rt.reset();
    other.join();
    CHECK(held.use_count() == 1);
  }
}

#if EDDY_EXCEPTIONS
TEST_CASE(
    "a result that holds the handle of another task is dropped elsewhere while their runtime is "
    "dropped") {
  const test::leak_check leaks;
  for (int i = 0; i < test::rounds(200); ++i) {
    using inner = eddy::join_handle<std::shared_ptr<int>>;
    const auto held = std::make_shared<int>();
    std::optional<eddy::runtime> rt(std::in_place);
    std::vector<eddy::join_handle<inner>> handles;
    rt->block_on([&]() -> future<> {
      for (int k = 0; k < 10; ++k)
        handles.push_back(eddy::spawn(
            [](std::shared_ptr<int> v) -> future<inner> {
              co_return eddy::spawn(
                  [](std::shared_ptr<int> w) -> future<std::shared_ptr<int>> { co_return w; }, v);
            },
            held));
      co_await eddy::yield_now();
      co_await eddy::yield_now();
    });
    std::atomic<bool> go{false};
    std::thread other([&go, hs = std::move(handles)]() mutable {
      while (!go) {
      }
      hs.clear();
    });
    go = true;
    rt.reset();
    other.join();
    CHECK(held.use_count() == 1);
  }
}
#endif

/// Wakers on their way between threads.
class bag {
 public:
  void put(eddy::waker w) {
    const std::lock_guard lock(mutex_);
    wakers_.push_back(std::move(w));
  }
  eddy::waker take(std::minstd_rand& random) {
    const std::lock_guard lock(mutex_);
    if (wakers_.empty()) return {};
    std::swap(wakers_[random() % wakers_.size()], wakers_.back());
    auto w = std::move(wakers_.back());
    wakers_.pop_back();
    return w;
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return wakers_.size();
  }

 private:
  std::mutex mutex_;
  std::vector<eddy::waker> wakers_;
};

TEST_CASE("wakers are copied, woken and dropped by threads, and outlive their runtime") {
  const test::leak_check leaks;
  for (unsigned round = 0; round < 20; ++round) {
    bag wakers;
    std::atomic<bool> over{false};
    std::atomic<int> polls{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t)
      threads.emplace_back([&, t] {
        std::minstd_rand random(round * 8 + t + 1);
        while (!over || wakers.size() != 0) {
          auto w = wakers.take(random);
          if (!w) {
            std::this_thread::yield();
            continue;
          }
          switch (random() % 5) {
            case 0:
              wakers.put(w);  // a copy, and wakes by the original
              [[fallthrough]];
            case 1:
              w.wake();
              break;
            case 2:
              std::move(w).wake();
              break;
            case 3:
              if (!over) wakers.put(std::move(w));
              break;
            default:
              break;
          }
        }
      });
    {
      eddy::runtime rt;
      rt.block_on([&]() -> future<> {
        std::minstd_rand random(round + 1);
        for (int i = 0; i < 200; ++i) {
          auto h = eddy::spawn(
              [&wakers, &polls, left = static_cast<int>(random() % 6)]() mutable -> future<> {
                co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
                  ++polls;
                  if (left-- <= 0) return eddy::ready;
                  wakers.put(cx.get_waker());
                  wakers.put(cx.get_waker());
                  return eddy::pending;
                });
              });
          if (random() % 4 == 0) h.abort();
          if (random() % 3 == 0) co_await eddy::yield_now();
          if (random() % 16 == 0)
            static_cast<void>(co_await eddy::attempt(eddy::timeout(50us, std::move(h))));
        }
      });
      if (round % 2 == 0)
        for (int i = 0; i < 20; ++i) rt.block_on(one_round());
    }
    over = true;
    for (auto& t : threads) t.join();
    CHECK(polls > 0);
  }
}

TEST_CASE("a loop that sleeps is woken by whoever comes, however often") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([&]() -> future<> {
    std::vector<std::thread> threads;
    std::vector<future<int>> futures;
    for (int t = 0; t < 3; ++t) {
      std::vector<promise<int>> mine(300);
      for (auto& p : mine) futures.push_back(p.get_future());
      threads.emplace_back([ps = std::move(mine)]() mutable {
        for (std::size_t k = 0; k < ps.size(); ++k) {
          ps[k].set_value(static_cast<int>(k));
          if (k % 8 == 0) std::this_thread::yield();
        }
      });
    }
    int sum = 0;
    for (auto& f : futures) sum += co_await std::move(f);
    CHECK(sum == 3 * 300 * 299 / 2);
    for (auto& t : threads) t.join();
  });
}

}  // namespace
