// mt2: workloads on a pool of two workers. Those of sync.cpp are run there as they are; these are the scheduler's own.

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "workload.hpp"

#if EDDY_POOL

namespace {

using bench::keep;
using eddy::future;

/// What a thread waits for, until it has been told so often.
class countdown {
 public:
  explicit countdown(int n) noexcept : left_(n) {}
  void tell() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return over_; });
  }

 private:
  std::atomic<int> left_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
};
using shared_countdown = std::shared_ptr<countdown>;

future<> told(shared_countdown c) {
  c->tell();
  co_return;
}

constexpr int many = 10'000;

future<> spawn_each(shared_countdown c) {
  for (int i = 0; i < many; ++i) eddy::spawn(told(c));
  co_return;
}
void spawn_many_local(eddy::runtime& rt) {
  const auto all = std::make_shared<countdown>(many);
  rt.block_on([&]() -> future<> {
    eddy::spawn(spawn_each(all));
    co_return;
  });
  all->wait();
}
void spawn_many_remote(eddy::runtime& rt) {
  const auto all = std::make_shared<countdown>(many);
  for (int i = 0; i < many; ++i) rt.spawn(told(all));
  all->wait();
}

constexpr int yielding = 200;
constexpr int yields = 1000;

void yield_many(eddy::runtime& rt) {
  const auto all = std::make_shared<countdown>(yielding);
  for (int i = 0; i < yielding; ++i)
    rt.spawn(
        [](shared_countdown c) -> future<> {
          for (int k = 0; k < yields; ++k) co_await eddy::yield_now();
          c->tell();
        },
        all);
  all->wait();
}

constexpr int pairs = 1000;

future<> ping_pong_once(shared_countdown c) {
  auto [tx1, rx1] = eddy::sync::oneshot::channel<int>();
  auto [tx2, rx2] = eddy::sync::oneshot::channel<int>();
  eddy::spawn(
      [](eddy::sync::oneshot::receiver<int> in, eddy::sync::oneshot::sender<int> out) -> future<> {
        const int v = co_await in;
        static_cast<void>(std::move(out).send(v));
      },
      std::move(rx1), std::move(tx2));
  static_cast<void>(std::move(tx1).send(1));
  int v = co_await rx2;
  keep(v);
  c->tell();
}
void ping_pong(eddy::runtime& rt) {
  const auto all = std::make_shared<countdown>(pairs);
  rt.block_on([&]() -> future<> {
    eddy::spawn(
        [](shared_countdown c) -> future<> {
          for (int i = 0; i < pairs; ++i) eddy::spawn(ping_pong_once(c));
          co_return;
        },
        all);
    co_return;
  });
  all->wait();
}

constexpr int links = 1000;

future<> chain(shared_countdown c, int left) {
  if (left == 0)
    c->tell();
  else
    eddy::spawn(chain(std::move(c), left - 1));
  co_return;
}
void chained_spawn(eddy::runtime& rt) {
  const auto end = std::make_shared<countdown>(1);
  rt.block_on([&]() -> future<> {
    eddy::spawn(chain(end, links));
    co_return;
  });
  end->wait();
}

// ---- fork and join

future<long> skynet(long number, long size) {
  if (size == 1) co_return number;
  const long part = size / 10;
  std::vector<eddy::join_handle<long>> children;
  children.reserve(10);
  for (long i = 0; i < 10; ++i) children.push_back(eddy::spawn(skynet(number + i * part, part)));
  long sum = 0;
  for (auto& child : children) {
    auto one = std::move(child);
    sum += co_await one;
  }
  co_return sum;
}
future<long> fib(int n) {
  if (n < 2) co_return n;
  auto one = eddy::spawn(fib(n - 1));
  const long other = co_await fib(n - 2);
  const long first = co_await one;
  co_return first + other;
}
void block_on_a_task(eddy::runtime& rt, future<long> f) {
  long sum = rt.block_on([&]() -> future<long> {
    auto h = eddy::spawn(std::move(f));
    co_return co_await h;
  });
  keep(sum);
}

constexpr bench::pool_workload workloads[] = {
    {"mt2/spawn_many_local", many, spawn_many_local},
    {"mt2/spawn_many_remote", many, spawn_many_remote},
    {"mt2/yield_many", yielding* yields, yield_many},
    {"mt2/ping_pong", pairs, ping_pong},
    {"mt2/chained_spawn", links, chained_spawn},
    {"mt2/skynet_1M", 1'111'111,
     [](eddy::runtime& rt) { block_on_a_task(rt, skynet(0, 1'000'000)); }},
    {"mt2/fib_24_spawn", 46368, [](eddy::runtime& rt) { block_on_a_task(rt, fib(24)); }},
};

}  // namespace

std::span<const bench::pool_workload> bench::pool_workloads() { return workloads; }

#endif
