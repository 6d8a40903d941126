// Broadcast and watch channels between threads, with ends that come and go at random.

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/sync/broadcast.hpp>
#include <eddy/sync/watch.hpp>

#include "support/leak_check.hpp"
#include "support/long_run.hpp"
#include "support/mock_task.hpp"

#if EDDY_POOL

namespace {

namespace broadcast = eddy::sync::broadcast;
namespace watch = eddy::sync::watch;

/// Counts what is alive; long enough not to be copied under the lock.
class counted {
 public:
  explicit counted(int n) : number(std::to_string(n)) { ++live(); }
  counted(const counted& other) : number(other.number) { ++live(); }
  ~counted() { --live(); }
  std::string number;

  static std::atomic<int>& live() {  // partner: itself, of other threads
    static std::atomic<int> n{0};
    return n;
  }
};

/// Reads to the end: items and misses make up everything, in order. Waits at random are dropped.
int read_all(broadcast::receiver<counted> rx, unsigned seed) {
  std::minstd_rand random(seed);
  test::mock_task task;
  int next = 0;
  for (;;) {
    if (random() % 4 == 0) {
      auto dropped = rx.resubscribe();
      auto recv = dropped.recv();
      static_cast<void>(task.poll(recv));
    }
    auto v = rx.blocking_recv();
    if (!v) return next;
    if (v.lagged() != 0)
      next += static_cast<int>(v.lagged());
    else if (std::stoi(v->number) == next)
      ++next;
    else
      return -1;
  }
}

TEST_CASE(
    "broadcast: readers on threads get every value in order, or are told how many they missed") {
  const test::leak_check leaks;
  const int n = test::rounds(4000);
  {
    auto [tx, rx] = broadcast::channel<counted>(64);
    std::vector<std::thread> threads;
    std::vector<int> seen(3);
    for (unsigned i = 0; i < 3; ++i)
      threads.emplace_back([mine = rx.resubscribe(), &at = seen[i], i]() mutable {
        at = read_all(std::move(mine), i + 1);
      });
    {
      const auto gone = std::move(rx);
    }
    for (int i = 0; i < n; ++i) CHECK(tx.emplace(i).has_value());
    {
      const auto gone = std::move(tx);
    }
    for (auto& t : threads) t.join();
    for (int s : seen) CHECK(s == n);
  }
  CHECK(counted::live() == 0);
}

TEST_CASE("broadcast: senders and receivers that come and go on threads leave nothing") {
  const test::leak_check leaks;
  const int n = test::rounds(2000);
  {
    auto [tx, rx] = broadcast::channel<counted>(4);
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t)
      threads.emplace_back([mine = tx, n, t]() mutable {
        std::minstd_rand random(t + 1);
        test::mock_task task;
        std::vector<broadcast::receiver<counted>> receivers;
        for (int i = 0; i < n; ++i) {
          switch (random() % 6) {
            case 0:
              receivers.push_back(mine.subscribe());
              break;
            case 1:
              if (!receivers.empty()) receivers.pop_back();
              break;
            case 2:
              if (!receivers.empty()) static_cast<void>(receivers.front().try_recv());
              break;
            case 3:
              if (!receivers.empty()) {
                auto recv = receivers.back().recv();
                static_cast<void>(task.poll(recv));
              }
              break;
            case 4: {
              auto closed = mine.closed();
              static_cast<void>(task.poll(closed));
              auto other = mine.downgrade().upgrade();
              CHECK(other.has_value());
              break;
            }
            default:
              static_cast<void>(mine.emplace(i));
          }
        }
      });
    for (auto& t : threads) t.join();
    CHECK(tx.receiver_count() == 1);
    CHECK(tx.strong_count() == 1);
    CHECK(tx.weak_count() == 0);
  }
  CHECK(counted::live() == 0);
}

TEST_CASE("watch: watchers on the loop see versions in order and the last one, from two threads") {
  const test::leak_check leaks;
  const int n = test::rounds(4000);
  eddy::run([](int all) -> eddy::future<> {
    auto [tx, rx] = watch::channel<std::pair<int, int>>({0, 0});
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
      threads.emplace_back([mine = tx, all] {
        for (int i = 0; i < all; ++i)
          mine.send_modify([](std::pair<int, int>& v) {
            ++v.first;
            ++v.second;
          });
      });
    {
      const auto gone = std::move(tx);
    }
    int last = 0;
    while (co_await rx.changed()) {
      const auto now = *rx.borrow_and_update();
      CHECK(now.first == now.second);
      CHECK(now.first >= last);
      last = now.first;
    }
    CHECK(last == 2 * all);
    for (auto& t : threads) t.join();
  }(n));
}

TEST_CASE("watch: borrows, changes, waits and ends that go at random on threads") {
  const test::leak_check leaks;
  const int n = test::rounds(3000);
  auto [tx, rx] = watch::channel<std::string>("start");
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t)
    threads.emplace_back([mine = tx, n, t]() mutable {
      std::minstd_rand random(t + 1);
      test::mock_task task;
      auto own = mine.subscribe();
      for (int i = 0; i < n; ++i) {
        switch (random() % 6) {
          case 0: {
            auto waits = own.changed();
            static_cast<void>(task.poll(waits));
            break;
          }
          case 1: {
            const auto a = own.borrow();
            const auto b = own.borrow();
            CHECK(*a == *b);
            break;
          }
          case 2: {
            auto other = own;
            auto found = other.wait_for([](const std::string& s) { return s.size() % 2 == 0; });
            static_cast<void>(task.poll(found));
            break;
          }
          case 3: {
            auto other = mine;
            auto closed = other.closed();
            static_cast<void>(task.poll(closed));
            break;
          }
          default:
            static_cast<void>(mine.send(std::string(random() % 40, 'x')));
        }
      }
    });
  for (auto& t : threads) t.join();
  CHECK(tx.sender_count() == 1);
  CHECK(tx.receiver_count() == 1);
}

}  // namespace

#endif
