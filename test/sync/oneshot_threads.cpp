// The two ends on two threads, each of which does something at random and then goes. Every value must be
// received, given back, or dropped with its channel.

#include <eddy/sync/oneshot.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
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

namespace oneshot = eddy::sync::oneshot;

class counted {
 public:
  explicit counted(int n) noexcept : number_(n) { ++live(); }
  counted(counted&& other) noexcept : number_(std::exchange(other.number_, -1)) { ++live(); }
  ~counted() {
    --live();
    if (number_ >= 0) ++dropped();
  }
  int take() noexcept { return std::exchange(number_, -1); }

  static std::atomic<int>& live() {  // partner: itself, of the other thread
    static std::atomic<int> n{0};
    return n;
  }
  static std::atomic<int>& dropped() {  // partner: itself, of the other thread
    static std::atomic<int> n{0};
    return n;
  }

 private:
  int number_;
};

int receive(oneshot::receiver<counted> rx, test::mock_task& task, unsigned how) {
  switch (how % 5) {
    case 0:
      return 0;
    case 1:
      static_cast<void>(task.poll(rx));
      return 0;
    case 2:
      rx.close();
      break;
    case 3: {
      auto r = rx.try_recv();
      return r && r->take() >= 0 ? 1 : 0;
    }
    default:
      break;
  }
  for (;;) {
    auto p = task.poll(rx);
    if (p) return p->has_value() && (*p)->take() >= 0 ? 1 : 0;
    while (task.take_wakes() == 0) std::this_thread::yield();
  }
}

/// Sends or not; 1 when the value came back.
int send(oneshot::sender<counted> tx, int number, test::mock_task& task, unsigned how) {
  if (how % 7 == 0) return 2;
  if (how % 3 == 0) {
    eddy::context cx(task);
    static_cast<void>(tx.poll_closed(cx));
  }
  auto sent = std::move(tx).emplace(number);
  return !sent && sent.error().value().take() >= 0 ? 1 : 0;
}

TEST_CASE("oneshot: ends on two threads that do and drop at random lose no value") {
  const test::leak_check leaks;
  const int n = test::rounds(20'000);
  std::vector<oneshot::sender<counted>> senders;
  std::vector<oneshot::receiver<counted>> receivers;
  for (int i = 0; i < n; ++i) {
    auto [tx, rx] = oneshot::channel<counted>();
    senders.push_back(std::move(tx));
    receivers.push_back(std::move(rx));
  }
  test::mock_task sending, receiving;
  counted::dropped() = 0;
  int received = 0, returned = 0, unsent = 0;
  std::thread other([&] {
    std::minstd_rand random(7);
    for (auto& rx : receivers)
      received += receive(std::move(rx), receiving, static_cast<unsigned>(random()) >> 8);
  });
  std::minstd_rand random(11);
  for (int i = 0; i < n; ++i) {
    const int outcome = send(std::move(senders[static_cast<std::size_t>(i)]), i, sending,
                             static_cast<unsigned>(random()) >> 8);
    returned += outcome == 1;
    unsent += outcome == 2;
  }
  other.join();
  CHECK(received + returned + unsent + counted::dropped() == n);
  CHECK(counted::live() == 0);
  CHECK(received > 0);
}

TEST_CASE("oneshot: values from another thread while the loop sleeps or runs") {
  const test::leak_check leaks;
  const int n = test::rounds(3000);
  eddy::run([](int all) -> eddy::future<> {
    std::vector<oneshot::sender<int>> senders;
    std::vector<oneshot::receiver<int>> receivers;
    for (int i = 0; i < all; ++i) {
      auto [tx, rx] = oneshot::channel<int>();
      senders.push_back(std::move(tx));
      receivers.push_back(std::move(rx));
    }
    std::thread other([work = std::move(senders)]() mutable {
      for (std::size_t i = 0; i < work.size(); ++i) {
        auto tx = std::move(work[i]);
        if (i % 5 != 0) static_cast<void>(std::move(tx).send(1));
      }
    });
    int values = 0, closed = 0;
    for (auto& rx : receivers) {
      auto r = co_await eddy::attempt(rx);
      if (r)
        values += *r;
      else
        closed += r.error() == eddy::errc::closed;
    }
    other.join();
    CHECK(closed == (all + 4) / 5);
    CHECK(values == all - closed);
  }(n));
}

}  // namespace

#endif
