// Channels and locks: the workloads of the Tokio peer by the same names.

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "workload.hpp"

namespace bench {
namespace {

namespace sync = eddy::sync;
namespace mpsc = eddy::sync::mpsc;

eddy::future<> send_numbers(mpsc::sender<int> tx, int n) {
  for (int i = 0; i < n; ++i) co_await tx.send(i);
}
eddy::future<long> sum_of(mpsc::receiver<int> rx) {
  long sum = 0;
  while (auto v = co_await rx.recv()) sum += *v;
  co_return sum;
}
eddy::future<> bounded(int producers, std::size_t capacity) {
  auto [tx, rx] = mpsc::channel<int>(capacity);
  for (int i = 1; i < producers; ++i) eddy::spawn(send_numbers(tx, operations / producers));
  eddy::spawn(send_numbers(std::move(tx), operations / producers));
  auto consumer = eddy::spawn(sum_of(std::move(rx)));
  long sum = co_await consumer;
  keep(sum);
}

eddy::future<> send_unbounded(mpsc::unbounded_sender<int> tx) {
  for (int i = 0; i < operations; ++i) static_cast<void>(tx.send(i));
  co_return;
}
eddy::future<long> sum_of_unbounded(mpsc::unbounded_receiver<int> rx) {
  long sum = 0;
  while (auto v = co_await rx.recv()) sum += *v;
  co_return sum;
}
eddy::future<> unbounded() {
  auto [tx, rx] = mpsc::unbounded_channel<int>();
  eddy::spawn(send_unbounded(std::move(tx)));
  auto consumer = eddy::spawn(sum_of_unbounded(std::move(rx)));
  long sum = co_await consumer;
  keep(sum);
}

eddy::future<> answer(mpsc::receiver<int> rx, mpsc::sender<int> tx) {
  while (auto v = co_await rx.recv()) {
    auto sent = co_await eddy::attempt(tx.send(*v));
    if (!sent) break;
  }
}
eddy::future<> ask(mpsc::sender<int> tx, mpsc::receiver<int> rx) {
  for (int i = 0; i < operations; ++i) {
    co_await tx.send(i);
    auto v = co_await rx.recv();
    keep(v);
  }
}
eddy::future<> mpsc_pingpong() {
  auto [tx, rx] = mpsc::channel<int>(1);
  auto [back_tx, back_rx] = mpsc::channel<int>(1);
  eddy::spawn(answer(std::move(rx), std::move(back_tx)));
  auto asking = eddy::spawn(ask(std::move(tx), std::move(back_rx)));
  co_await asking;
}

#if EDDY_POOL
// From ordinary threads into the loop: as many as fit, then all wait for the receiver.
constexpr int senders = 4;
eddy::future<> mpsc_from_threads() {
  auto [tx, rx] = mpsc::channel<int>(1000);
  std::vector<std::thread> threads;
  for (int t = 0; t < senders; ++t)
    threads.emplace_back([out = tx]() mutable {
      for (int i = 0; i < operations / senders; ++i) static_cast<void>(out.blocking_send(i));
    });
  {
    const auto last = std::move(tx);
  }
  auto consumer = eddy::spawn(sum_of(std::move(rx)));
  long sum = co_await consumer;
  keep(sum);
  for (auto& t : threads) t.join();
}
#endif

eddy::future<> take_turns(std::shared_ptr<sync::semaphore> s, int n) {
  for (int i = 0; i < n; ++i) auto permit = co_await s->acquire();
}

template <class F, class Shared>
eddy::future<> ten_of(F work, Shared shared, int n) {
  std::vector<eddy::join_handle<>> handles;
  for (int i = 0; i < 10; ++i) handles.push_back(eddy::spawn(work(shared, n)));
  for (auto& h : handles) {
    auto one = std::move(h);
    co_await one;
  }
}
eddy::future<> count_up(std::shared_ptr<sync::mutex<long>> m, int n) {
  for (int i = 0; i < n; ++i) {
    auto guard = co_await m->lock();
    ++*guard;
  }
}
eddy::future<> count_up_slowly(std::shared_ptr<sync::mutex<long>> m, int n) {
  for (int i = 0; i < n; ++i) {
    auto guard = co_await m->lock();
    ++*guard;
    co_await eddy::yield_now();
  }
}
eddy::future<> mutex_contended_10() {
  return ten_of(count_up, std::make_shared<sync::mutex<long>>(0), operations / 10);
}
eddy::future<> mutex_across_yield_10() {
  return ten_of(count_up_slowly, std::make_shared<sync::mutex<long>>(0), operations / 100);
}
eddy::future<> semaphore_contended_10() {
  return ten_of(take_turns, std::make_shared<sync::semaphore>(5), operations / 10);
}

namespace oneshot = sync::oneshot;

eddy::future<> pong(oneshot::receiver<int> rx, oneshot::sender<int> tx) {
  const int v = co_await rx;
  static_cast<void>(std::move(tx).send(v));
}
eddy::future<> oneshot_pingpong() {
  for (int i = 0; i < operations; ++i) {
    auto [tx, rx] = oneshot::channel<int>();
    auto [back_tx, back_rx] = oneshot::channel<int>();
    eddy::spawn(pong(std::move(rx), std::move(back_tx)));
    static_cast<void>(std::move(tx).send(1));
    co_await back_rx;
  }
}
using two_notifies = std::pair<sync::notify, sync::notify>;
eddy::future<> hear_then_tell(std::shared_ptr<two_notifies> n) {
  for (int i = 0; i < operations; ++i) {
    co_await n->first.notified();
    n->second.notify_one();
  }
}
eddy::future<> tell_then_hear(std::shared_ptr<two_notifies> n) {
  for (int i = 0; i < operations; ++i) {
    n->first.notify_one();
    co_await n->second.notified();
  }
}
eddy::future<> notify_pingpong() {
  auto both = std::make_shared<two_notifies>();
  auto one = eddy::spawn(hear_then_tell(both));
  auto other = eddy::spawn(tell_then_hear(both));
  co_await other;
  co_await one;
}

namespace broadcast = sync::broadcast;
namespace watch = sync::watch;

eddy::future<long> sum_of_broadcast(broadcast::receiver<int> rx) {
  long sum = 0;
  while (auto v = co_await rx.recv()) sum += *v;
  co_return sum;
}
eddy::future<> broadcast_1to10() {
  auto [tx, rx] = broadcast::channel<int>(operations / 10 + 1);
  {
    const auto unused = std::move(rx);
  }
  std::vector<eddy::join_handle<long>> handles;
  for (int i = 0; i < 10; ++i) handles.push_back(eddy::spawn(sum_of_broadcast(tx.subscribe())));
  for (int i = 0; i < operations / 10; ++i) {
    static_cast<void>(tx.send(i));
    if (i % 64 == 0) co_await eddy::yield_now();
  }
  {
    const auto last = std::move(tx);
  }
  for (auto& h : handles) {
    auto one = std::move(h);
    long sum = co_await one;
    keep(sum);
  }
}

eddy::future<> see_changes(watch::receiver<int> rx) {
  while (co_await rx.changed()) {
    int v = *rx.borrow_and_update();
    keep(v);
  }
}
eddy::future<> watch_send_changed() {
  auto [tx, rx] = watch::channel<int>(0);
  auto watching = eddy::spawn(see_changes(std::move(rx)));
  for (int i = 0; i < operations; ++i) {
    static_cast<void>(tx.send(i));
    co_await eddy::yield_now();
  }
  {
    const auto last = std::move(tx);
  }
  co_await watching;
}

constexpr workload workloads[] = {
    {"ct/mpsc_bounded_1p1c", operations, [] { return bounded(1, 1000); }},
    {"ct/mpsc_bounded32_1p1c", operations, [] { return bounded(1, 32); }},
    {"ct/mpsc_bounded_5p1c", operations, [] { return bounded(5, 1000); }},
    {"ct/mpsc_unbounded_1p1c", operations, unbounded},
    {"ct/mpsc_pingpong", operations, mpsc_pingpong},
#if EDDY_POOL
    {"ct/mpsc_from_4_threads", operations, mpsc_from_threads},
#endif
    {"ct/mutex_contended_10", operations, mutex_contended_10},
    {"ct/mutex_across_yield_10", operations / 10, mutex_across_yield_10},
    {"ct/semaphore_contended_10", operations, semaphore_contended_10},
    {"ct/oneshot_pingpong", operations, oneshot_pingpong},
    {"ct/broadcast_1to10", operations, broadcast_1to10},
    {"ct/watch_send_changed", operations, watch_send_changed},
    {"ct/notify_pingpong", operations, notify_pingpong},
};

}  // namespace

std::span<const workload> sync_workloads() { return workloads; }

}  // namespace bench
