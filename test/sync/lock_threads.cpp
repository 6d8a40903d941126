// Locks and permits between threads and loops, with drops at random points. Runs under TSan.

#include <eddy/sync/semaphore.hpp>

#include <doctest/doctest.h>

#include <atomic>
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
#include "support/mock_task.hpp"

#if EDDY_POOL

namespace {

using eddy::future;
using eddy::sync::barrier;
using eddy::sync::mutex;
using eddy::sync::rw_lock;
using eddy::sync::semaphore;

constexpr int threads = 4;

/// Runs `f(seed)` on several threads at once.
template <class F>
void on_threads(F f) {
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i)
    all.emplace_back([f, i] { f(std::minstd_rand(static_cast<unsigned>(i + 1))); });
  for (auto& t : all) t.join();
}
bool one_in(std::minstd_rand& r, unsigned n) { return r() % n == 0; }

/// A thread as the task of one leaf. Whoever wakes may be at it for some instructions after the leaf has gone.
class stepper final : public eddy::wake_target {
 public:
  stepper() = default;
  stepper(const stepper&) = delete;
  ~stepper() {
    while (references_.load() != 0) std::this_thread::yield();
  }
  bool take_wakes() { return wakes_.exchange(0) != 0; }
  void wake() noexcept override { wakes_.fetch_add(1); }
  void retain() noexcept override { references_.fetch_add(1); }
  void release() noexcept override { references_.fetch_sub(1); }

 private:
  std::atomic<int> wakes_{0};
  std::atomic<int> references_{0};
};

/// Waits for what `make()` waits for, or drops it before its first poll, while it waits, or when it has been
/// woken and not polled again. The outcome, if it came to that.
template <class Make>
auto step(std::minstd_rand& r, Make make) {
  stepper t;
  auto leaf = make();
  using outcome = decltype(leaf.poll(std::declval<eddy::context&>()).take());
  std::optional<outcome> out;
  if (one_in(r, 8)) return out;
  eddy::context cx(t);
  for (;;) {
    auto p = leaf.poll(cx);
    if (p) {
      out.emplace(p.take());
      return out;
    }
    if (one_in(r, 3)) return out;
    while (!t.take_wakes()) std::this_thread::yield();
    if (one_in(r, 3)) return out;
  }
}

TEST_CASE("a mutex that is waited for and dropped anywhere is held by one at a time") {
  mutex<std::int64_t> m(0);
  std::atomic<std::int64_t> had{0};
  on_threads([&](std::minstd_rand r) {
    for (int i = 0; i < test::rounds(3000); ++i) {
      if (one_in(r, 4)) {
        ++*m.blocking_lock();
        ++had;
      } else if (one_in(r, 4)) {
        if (auto g = m.try_lock()) ++**g, ++had;
      } else if (auto g = step(r, [&] { return m.lock(); })) {
        ++**g;
        ++had;
      }
    }
  });
  CHECK(*m.try_lock().value() == had);
  CHECK(had > 0);
}

TEST_CASE("an rw_lock that is waited for and dropped anywhere shows readers whole writes") {
  struct both {
    std::int64_t a = 0, b = 0;
  };
  rw_lock<both> l(both(), 3);
  std::atomic<std::int64_t> written{0};
  std::atomic<int> torn{0};
  on_threads([&](std::minstd_rand r) {
    for (int i = 0; i < test::rounds(3000); ++i) {
      if (one_in(r, 3)) {
        auto g = step(r, [&] { return l.write(); });
        if (!g) continue;
        ++(*g)->a;
        ++(*g)->b;
        ++written;
        if (!one_in(r, 2)) continue;
        const auto value = (*g)->a;
        auto reads = std::move(*g).downgrade();
        torn += reads->a != value || reads->b != value;
      } else if (auto g = step(r, [&] { return l.read(); })) {
        torn += (*g)->a != (*g)->b;
      }
    }
  });
  CHECK(torn == 0);
  const auto end = l.try_write().value();  // every permit has come back
  CHECK(end->a == written);
}

TEST_CASE("permits that are waited for and dropped anywhere all come back") {
  semaphore s(5);
  std::atomic<std::size_t> out{0};
  std::atomic<int> too_many{0};
  on_threads([&](std::minstd_rand r) {
    for (int i = 0; i < test::rounds(3000); ++i) {
      const std::size_t n = 1 + r() % 5;
      auto p = step(r, [&] { return s.acquire_many(n); });
      if (!p) continue;
      auto& permit = **p;
      too_many += out.fetch_add(n) + n > 5;
      auto part = permit.split(r() % (n + 1));
      if (one_in(r, 2)) permit.merge(std::move(*part));
      out -= n;
    }
  });
  CHECK(too_many == 0);
  CHECK(s.available_permits() == 5);
}

TEST_CASE("a semaphore that is closed while threads take permits lets everybody go") {
  for (int i = 0; i < test::rounds(200); ++i) {
    auto s = std::make_shared<semaphore>(2);
    std::atomic<int> refused{0};
    std::thread closes([s] { s->close(); });
    on_threads([&](std::minstd_rand r) {
      for (;;) {
        auto p = one_in(r, 2) ? semaphore::blocking_acquire_many_owned(s, 1 + r() % 2)
                              : semaphore::try_acquire_owned(s);
        if (!p && p.error() == eddy::errc::closed) break;
      }
      ++refused;
    });
    closes.join();
    CHECK(refused == threads);
    CHECK(s->available_permits() == 2);
  }
}

TEST_CASE("threads that come to a barrier and leave it again meet all the same") {
  barrier b(threads);
  std::atomic<int> meetings{0};
  const int enough = test::rounds(300);
  on_threads([&](std::minstd_rand r) {
    while (meetings < enough) {
      stepper t;
      eddy::context cx(t);
      auto leaf = b.wait();
      for (;;) {
        auto p = leaf.poll(cx);
        if (p) meetings += p->is_leader();
        if (p || one_in(r, 4)) break;
        while (!t.take_wakes() && meetings < enough) std::this_thread::yield();
        if (meetings >= enough || one_in(r, 4)) break;
      }
    }
  });
  stepper t;  // nobody is left in it
  eddy::context cx(t);
  std::vector<decltype(b.wait())> few;
  few.reserve(threads);
  for (int i = 1; i < threads; ++i) {
    few.push_back(b.wait());
    CHECK_FALSE(few.back().poll(cx).is_ready());
  }
  auto last = b.wait();
  CHECK(last.poll(cx).is_ready());
}

// ---- loops

future<> adds(std::shared_ptr<rw_lock<int>> to, std::shared_ptr<barrier> at, int n) {
  for (int i = 0; i < 1000; ++i) {
    auto g = co_await to->write();
    *g += n;
  }
  co_await at->wait();
}

TEST_CASE("writers on four loops meet at a barrier, and nothing that they wrote is lost") {
  const test::leak_check leaks;
  auto at = std::make_shared<barrier>(5);
  auto l = std::make_shared<rw_lock<int>>(0);
  std::vector<std::thread> loops;
  for (const int n : {2, 3, 5, 7})
    loops.emplace_back([at, l, n] {
      eddy::runtime rt;
      rt.block_on(adds(l, at, n));
    });
  eddy::runtime rt;
  rt.block_on([](std::shared_ptr<rw_lock<int>> all, std::shared_ptr<barrier> meet) -> future<> {
    co_await meet->wait();
    auto g = co_await all->read();
    CHECK(*g == 17'000);
  }(l, at));
  for (auto& t : loops) t.join();
}

future<> counts(std::shared_ptr<mutex<std::int64_t>> m,
                std::shared_ptr<std::atomic<std::int64_t>> had) {
  for (;;) {
    auto g = co_await mutex<std::int64_t>::lock_owned(m);
    ++*g;
    ++*had;
    co_await eddy::yield_now();
  }
}

TEST_CASE("tasks of several loops are aborted while they wait for one mutex or hold it") {
  const test::leak_check leaks;
  auto m = std::make_shared<mutex<std::int64_t>>(0);
  auto had = std::make_shared<std::atomic<std::int64_t>>(0);
  on_threads([&](std::minstd_rand r) {
    eddy::runtime rt;
    rt.block_on([](auto& of, auto& count, std::minstd_rand& random) -> future<> {
      for (int i = 0; i < test::rounds(20); ++i) {
        std::vector<eddy::join_handle<>> tasks;
        for (int k = 0; k < 5; ++k) tasks.push_back(eddy::spawn(counts(of, count)));
        for (auto k = random() % 20; k > 0; --k) co_await eddy::yield_now();
        for (auto& t : tasks) t.abort();
        for (auto& t : tasks) {
          auto ended = co_await eddy::attempt(t);
          CHECK(ended.error() == eddy::errc::aborted);
        }
      }
    }(m, had, r));
  });
  CHECK(m.use_count() == 1);
  CHECK(*m->try_lock().value() == *had);
}

TEST_CASE("a barrier's wait is dropped while the last one arrives, and gives its waker up once") {
  const int count = test::rounds(3000);
  test::mock_task here, there;
  std::optional<barrier> b;
  std::atomic<int> begun{0}, arrived{0};
  std::thread last([&] {
    for (int i = 1; i <= count; ++i) {
      while (begun.load() < i) std::this_thread::yield();
      {
        auto wait = b->wait();
        static_cast<void>(there.poll(wait));
      }
      arrived.store(i);
    }
  });
  for (int i = 1; i <= count; ++i) {
    b.emplace(2);
    {
      auto wait = b->wait();
      CHECK_FALSE(here.poll(wait).is_ready());
      begun.store(i);
      for (int turns = i % 60; turns > 0; --turns) static_cast<void>(arrived.load());
    }
    while (arrived.load() < i) std::this_thread::yield();
    REQUIRE(here.references() == 0);
  }
  last.join();
}

}  // namespace

#endif
