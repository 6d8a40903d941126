// notify, tokens and trackers between a loop and foreign threads, with drops at random moments. What is counted
// must come out even.

#include <eddy/sync/cancellation_token.hpp>
#include <eddy/sync/notify.hpp>
#include <eddy/sync/task_tracker.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/long_run.hpp"
#include "support/mock_task.hpp"

#if EDDY_POOL

namespace {

using eddy::future;
using eddy::sync::cancellation_token;
using eddy::sync::notify;
using eddy::sync::task_tracker;

void wait_for_wake(test::mock_task& task) {
  while (task.take_wakes() == 0) std::this_thread::yield();
}

/// Polls a leaf on this thread until it is ready, or drops it after some polls.
template <class Leaf>
bool hear(Leaf leaf, test::mock_task& task, int patience) {
  for (;;) {
    if (task.poll(leaf).is_ready()) return true;
    for (int i = 0; !task.is_woken(); ++i) {
      if (patience >= 0 && i >= patience) return false;
      std::this_thread::yield();
    }
    task.take_wakes();
  }
}

TEST_CASE("a queue behind a notify: every item is taken once, whoever of the takers gives up") {
  const test::leak_check leaks;
  for (int round = 0; round < test::rounds(20); ++round) {
    notify n;
    std::atomic<int> items{0}, taken{0};
    constexpr int all = 600;
    const auto take = [&] {
      for (int have = items.load(); have > 0;)
        if (items.compare_exchange_weak(have, have - 1)) {
          // One told, one item: what one wake stands for is taken by one, so the rest must be told on.
          if (have > 1) n.notify_one();
          ++taken;
          return;
        }
    };
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t)
      threads.emplace_back([&, t] {
        std::minstd_rand random(t + 1);
        test::mock_task task;
        while (taken < all)
          if (hear(n.notified(), task, static_cast<int>(random() % 8))) take();
      });
    for (int i = 0; i < all; ++i) {
      ++items;
      if (i % 3 == 0)
        n.notify_last();
      else
        n.notify_one();
    }
    // Those who gave up passed on what they had been told: the last item is never left lying.
    for (auto& t : threads) t.join();
    CHECK(items == 0);
    CHECK(taken == all);
  }
}

TEST_CASE("notify_one and answer: two threads take turns and none is lost") {
  const test::leak_check leaks;
  notify there, back;
  const int turns = test::rounds(3000);
  std::thread other([&] {
    test::mock_task task;
    for (int i = 0; i < turns; ++i) {
      hear(there.notified(), task, -1);
      back.notify_one();
    }
  });
  test::mock_task task;
  for (int i = 0; i < turns; ++i) {
    there.notify_one();
    hear(back.notified(), task, -1);
  }
  other.join();
  CHECK(task.references() == 0);
}

TEST_CASE("notify_waiters reaches everything that was made before, on loops and threads") {
  const test::leak_check leaks;
  for (int round = 0; round < test::rounds(100); ++round) {
    const auto n = std::make_shared<notify>();
    std::atomic<int> made{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
      threads.emplace_back([&] {
        test::mock_task task;
        auto leaf = n->notified();
        ++made;
        while (!task.poll(leaf).is_ready()) wait_for_wake(task);
      });
    eddy::runtime rt;
    rt.block_on([&]() -> future<> {
      std::vector<eddy::join_handle<>> handles;
      for (int i = 0; i < 40; ++i)
        handles.push_back(eddy::spawn(
            [](std::shared_ptr<notify> on) -> future<> {
              co_await notify::notified_owned(std::move(on));
            },
            n));
      co_await eddy::yield_now();
      threads.emplace_back([&] {
        while (made != 2) std::this_thread::yield();
        n->notify_waiters();
      });
      for (auto& each : handles) {
        auto one = std::move(each);
        co_await one;
      }
    });
    for (auto& t : threads) t.join();
  }
}

TEST_CASE(
    "a tree of tokens is grown, dropped and cancelled by threads: below a cancelled token all "
    "are") {
  const test::leak_check leaks;
  for (int round = 0; round < test::rounds(60); ++round) {
    std::optional<cancellation_token> root(std::in_place);
    std::atomic<int> heard{0};
    constexpr int count = 3;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < count; ++t)
      threads.emplace_back([&heard, token = root->child_token(), t, round]() mutable {
        std::minstd_rand random(t + 10 * static_cast<unsigned>(round) + 1);
        test::mock_task task;
        std::vector<cancellation_token> mine;
        for (int i = 0; i < 200; ++i) {
          switch (random() % 4) {
            case 0:
              mine.push_back(mine.empty() ? token.child_token() : mine.back().child_token());
              break;
            case 1:
              if (!mine.empty())
                mine.erase(mine.begin() + static_cast<long>(random() % mine.size()));
              break;
            case 2:
              if (!mine.empty()) {
                const auto at = random() % mine.size();
                mine[at].cancel();
                for (auto below = at; below < mine.size(); ++below)
                  CHECK(mine[below].is_cancelled());
                mine.resize(at, token);
              }
              break;
            default:
              hear(token.cancelled_owned(), task, static_cast<int>(random() % 4));
              break;
          }
        }
        mine.push_back(token.child_token());
        token = mine.back().child_token();  // what it came from is gone but for its descendants
        hear(token.cancelled(), task, -1);
        ++heard;
      });
    std::this_thread::yield();
    root->cancel();
    root.reset();
    for (auto& t : threads) t.join();
    CHECK(heard == count);
  }
}

TEST_CASE(
    "tokens of a tracker go on threads while it is closed and reopened: the last wait is told") {
  const test::leak_check leaks;
  for (int round = 0; round < test::rounds(100); ++round) {
    const task_tracker tracker;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t)
      threads.emplace_back([&tracker, token = std::optional(tracker.token()), t]() mutable {
        std::minstd_rand random(t + 1);
        test::mock_task task;
        for (int i = 0; i < 20; ++i) {
          const auto more = *token;
          if (random() % 3 == 0)
            static_cast<void>(random() % 2 == 0 ? tracker.close() : tracker.reopen());
          if (random() % 3 == 0) hear(tracker.wait(), task, 2);
        }
        token.reset();
      });
    test::mock_task task;
    threads.emplace_back([&tracker] {
      std::this_thread::yield();
      while (!tracker.is_empty()) std::this_thread::yield();
      tracker.close();
    });
    hear(tracker.wait(), task, -1);
    for (auto& t : threads) t.join();
    CHECK(tracker.is_empty());
  }
}

}  // namespace

#endif
