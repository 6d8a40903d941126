// Channels between threads: every message is received once, or given back, or dropped with its send.

#include <eddy/sync/mpsc.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/long_run.hpp"

#if EDDY_POOL

namespace {

namespace mpsc = eddy::sync::mpsc;
using eddy::future;

/// A message that is counted while it lives, and carries who sent it and which of theirs it is.
class message {
 public:
  message(std::uint32_t from, std::uint32_t number) noexcept : from_(from), number_(number) {
    live.fetch_add(1, std::memory_order_relaxed);
  }
  message(message&& other) noexcept : message(other.from_, other.number_) {}
  message& operator=(message&& other) noexcept {
    from_ = other.from_;
    number_ = other.number_;
    return *this;
  }
  ~message() { live.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t from() const noexcept { return from_; }
  std::uint32_t number() const noexcept { return number_; }

  static inline std::atomic<std::int64_t> live{
      0};  // partner: itself; read when all threads are joined

 private:
  std::uint32_t from_;
  std::uint32_t number_;
};

/// Polls a leaf by hand, as a mock task; other threads may hold its wakers for some instructions after the
/// leaf is gone, so its end waits for them.
class patient_task final : public eddy::wake_target {
 public:
  patient_task() = default;
  patient_task(const patient_task&) = delete;
  ~patient_task() {
    while (references_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  }
  template <class Leaf>
  auto poll(Leaf& leaf) {
    eddy::context cx(*this);
    return leaf.poll(cx);
  }
  void wake() noexcept override {}
  void retain() noexcept override { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept override { references_.fetch_sub(1, std::memory_order_release); }

 private:
  std::atomic<int> references_{0};  // partners: release, the destructor
};

/// What one sending thread did with its messages, one by one: sent, or kept.
struct account {
  std::vector<bool> sent;
  std::vector<bool> received;
};

/// One way or another to send message `n`, chosen at random, some of them cut short. True: it was sent.
bool send_somehow(mpsc::sender<message>& tx, std::uint32_t from, std::uint32_t n,
                  std::minstd_rand& random) {
  patient_task task;
  switch (random() % 8) {
    case 0:
      return tx.try_send(message(from, n)).has_value();
    case 1: {
      auto leaf = tx.send(message(from, n));  // dropped after a poll or two
      if (auto p = task.poll(leaf)) return p->has_value();
      if (random() % 2 == 0) std::this_thread::yield();
      auto p = task.poll(leaf);
      return p && p->has_value();
    }
    case 2: {
      auto leaf = tx.reserve();
      auto p = task.poll(leaf);
      if (!p || !p->has_value()) return false;
      auto permit = std::move(*p).value();
      if (random() % 4 == 0) return false;
      permit.send(message(from, n));
      return true;
    }
    case 3: {
      auto leaf = tx.reserve_many(1 + random() % 3);
      auto p = task.poll(leaf);
      if (!p) std::this_thread::yield();
      if (!p) return false;
      if (!p->has_value()) return false;
      auto permits = std::move(*p).value();
      permits.send(message(from, n));
      return true;
    }
    case 4: {
      auto owned = mpsc::sender<message>(tx).try_reserve_owned();
      if (!owned) return false;
      const auto back = std::move(*owned).send(message(from, n));
      return back.same_channel(tx);
    }
    case 5: {
      const auto weak = tx.downgrade();
      auto other = weak.upgrade();
      return other && other->blocking_send(message(from, n)).has_value();
    }
    default:
      return tx.blocking_send(message(from, n)).has_value();
  }
}

future<std::size_t> receive_until(mpsc::receiver<message> rx, std::vector<account>* accounts,
                                  std::size_t close_after, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<std::uint32_t> last(accounts->size());
  std::size_t got = 0;
  std::vector<message> many;
  for (;;) {
    many.clear();
    if (random() % 8 == 0) {  // a receive that is dropped takes nothing with it
      patient_task task;
      auto leaf = rx.recv();
      if (auto p = task.poll(leaf)) {
        auto m = p.take();
        if (!m) break;
        many.push_back(std::move(*m));
      }
    } else if (random() % 2 == 0) {
      const auto n = co_await rx.recv_many(many, 1 + random() % 7);
      if (n == 0) break;
    } else {
      auto m = co_await rx.recv();
      if (!m) break;
      many.push_back(std::move(*m));
    }
    for (const message& m : many) {
      // Each sender's messages come once, in their order.
      if (m.number() < last[m.from()]) co_return 0;
      last[m.from()] = m.number() + 1;
      (*accounts)[m.from()].received[m.number()] = true;
      ++got;
    }
    if (got >= close_after) rx.close();
  }
  co_return got;
}

void run_round(std::size_t capacity, std::uint32_t each, std::size_t close_after, unsigned seed) {
  constexpr std::uint32_t senders = 3;
  std::vector<account> accounts(senders);
  std::vector<std::thread> threads;
  auto ends = mpsc::channel<message>(capacity);
  for (std::uint32_t t = 0; t < senders; ++t) {
    accounts[t].sent.resize(each);
    accounts[t].received.resize(each);
    threads.emplace_back([tx = ends.tx, &mine = accounts[t].sent, t, each, seed]() mutable {
      std::minstd_rand random(seed + t + 1);
      for (std::uint32_t n = 0; n < each; ++n) mine[n] = send_somehow(tx, t, n, random);
    });
  }
  {
    const auto last = std::move(ends.tx);
  }
  eddy::runtime rt;
  const auto got = rt.block_on(receive_until(std::move(ends.rx), &accounts, close_after, seed));
  for (auto& t : threads) t.join();
  std::size_t sent = 0;
  bool same = true;
  for (const account& a : accounts)
    for (std::uint32_t n = 0; n < each; ++n) {
      sent += a.sent[n] ? 1 : 0;
      same = same && a.sent[n] == a.received[n];
    }
  CHECK(same);
  CHECK(sent == got);
}

TEST_CASE("random sends from threads, some cut short: exactly those that were sent are received") {
  for (int i = 0; i < test::rounds(340); ++i) {  // of 3000 sends: a million
    const test::leak_check leaks;
    CAPTURE(i);
    const auto seed = static_cast<unsigned>(i + 1);
    run_round(1 + static_cast<std::size_t>(i) % 5 * 7, 500, SIZE_MAX, seed);
    run_round(1 + static_cast<std::size_t>(i) % 3, 500, 300, seed);
    CHECK(message::live.load() == 0);
  }
}

TEST_CASE("unbounded: threads send, a thread receives, and nothing is lost or doubled") {
  const test::leak_check leaks;
  constexpr std::uint32_t senders = 3;
  const auto each = static_cast<std::uint32_t>(test::rounds(20'000));
  auto ends = mpsc::unbounded_channel<message>();
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < senders; ++t)
    threads.emplace_back([tx = ends.tx, t, each] {
      for (std::uint32_t n = 0; n < each; ++n)
        if (!tx.emplace(t, n)) return;
    });
  {
    const auto last = std::move(ends.tx);
  }
  std::vector<std::uint32_t> next(senders);
  bool in_order = true;
  while (auto m = ends.rx.blocking_recv()) in_order = m->number() == next[m->from()]++ && in_order;
  for (auto& t : threads) t.join();
  CHECK(in_order);
  for (const auto n : next) CHECK(n == each);
  CHECK(message::live.load() == 0);
}

TEST_CASE("the receiver goes while threads send: what is not received is given back or destroyed") {
  for (int i = 0; i < test::rounds(200); ++i) {
    const test::leak_check leaks;
    auto ends = mpsc::channel<message>(2);
    std::vector<std::thread> threads;
    std::atomic<int> back{0};  // partner: the main thread's read after the joins
    for (std::uint32_t t = 0; t < 2; ++t)
      threads.emplace_back([tx = ends.tx, t, &back] {
        for (std::uint32_t n = 0;; ++n) {
          auto r = tx.blocking_emplace(t, n);
          if (r) continue;
          if (r.error().value().number() == n) back.fetch_add(1);
          return;
        }
      });
    {
      auto rx = std::move(ends.rx);
      for (int k = 0; k < i % 10; ++k) static_cast<void>(rx.blocking_recv());
    }
    for (auto& t : threads) t.join();
    CHECK(back.load() == 2);
    CHECK(message::live.load() == 0);
  }
}

TEST_CASE("handles are cloned, downgraded and dropped by many threads at once") {
  for (int i = 0; i < test::rounds(50); ++i) {
    const test::leak_check leaks;
    auto ends = mpsc::channel<int>(4);
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([tx = ends.tx, t]() mutable {
        for (int k = 0; k < 50; ++k) {
          auto copy = tx;
          const auto weak = copy.downgrade();
          tx = std::move(copy);
          if (t == 0 && weak.upgrade().has_value()) static_cast<void>(tx.try_send(k));
        }
      });
    {
      const auto last = std::move(ends.tx);
    }
    while (ends.rx.blocking_recv()) {
    }
    for (auto& t : threads) t.join();
    CHECK(ends.rx.sender_strong_count() == 0);
    CHECK(ends.rx.sender_weak_count() == 0);
  }
}

}  // namespace

#endif
