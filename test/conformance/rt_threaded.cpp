// The behaviour that Tokio's rt_threaded.rs tests, for a pool. docs/conformance.tsv says which case
// is which test.

#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/net/tcp_listener.hpp>
#include <eddy/net/tcp_stream.hpp>

#include "support/leak_check.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::promise;
namespace mpsc = eddy::sync::mpsc;

eddy::runtime::builder pool_of(std::uint32_t n) {
  eddy::runtime::builder b;
  b.multi_loop().worker_threads(n);
  return b;
}
future<> one_round() { co_await eddy::yield_now(); }

TEST_CASE("a pool of one runs tasks") {
  const test::leak_check leaks;
  eddy::runtime rt = pool_of(1).build();
  CHECK(rt.block_on([]() -> future<int> {
    co_return co_await eddy::spawn([]() -> future<int> { co_return 1; });
  }) == 1);
}

TEST_CASE("a pool that was never used can be dropped") {
  const test::leak_check leaks;
  static_cast<void>(pool_of(1).build());
  static_cast<void>(pool_of(4).build());
}

TEST_CASE("a pool runs a thousand tasks spawned from outside without a block_on") {
  const test::leak_check leaks;
  for (int i = 0; i < 5; ++i) {
    eddy::runtime rt = pool_of(4).build();
    const auto count = std::make_shared<std::atomic<int>>(0);
    std::promise<void> all;
    for (int k = 0; k < 1000; ++k)
      static_cast<void>(rt.spawn(
          [count](std::promise<void>* last) -> future<> {
            if (++*count == 1000) last->set_value();
            co_return;
          },
          &all));
    all.get_future().wait();
  }
}

TEST_CASE("a task of a pool spawns a task whose result reaches block_on") {
  const test::leak_check leaks;
  eddy::runtime rt = pool_of(4).build();
  CHECK(rt.block_on([]() -> future<std::string> {
    promise<std::string> p;
    auto f = p.get_future();
    eddy::spawn([p = std::move(p)]() mutable -> future<> {
      eddy::spawn([p = std::move(p)]() mutable -> future<> {
        p.set_value("inner");
        co_return;
      });
      co_return;
    });
    co_return co_await std::move(f);
  }) == "inner");
}

future<> forward(mpsc::receiver<int> from, mpsc::sender<int> to) {
  while (auto v = co_await from.recv()) co_await to.send(*v);
}

TEST_CASE("messages travel through chains of tasks on a pool") {
  const test::leak_check leaks;
  for (int i = 0; i < 3; ++i) {
    eddy::runtime rt = pool_of(4).build();
    std::vector<mpsc::sender<int>> starts;
    std::vector<mpsc::receiver<int>> ends;
    for (int track = 0; track < 10; ++track) {
      auto [first, rx] = mpsc::channel<int>(10);
      for (int k = 0; k < 100; ++k) {
        auto [to, next] = mpsc::channel<int>(10);
        static_cast<void>(rt.spawn(forward(std::move(rx), std::move(to))));
        rx = std::move(next);
      }
      auto [last, out] = mpsc::channel<int>(10);
      static_cast<void>(rt.spawn(
          [](mpsc::receiver<int> from, mpsc::sender<int> again, mpsc::sender<int> end) -> future<> {
            for (int round = 1;; ++round) {
              const auto v = co_await from.recv();
              if (round < 5) {
                co_await again.send(*v);
              } else {
                co_await end.send(*v);
                co_return;
              }
            }
          },
          std::move(rx), first, std::move(last)));
      starts.push_back(std::move(first));
      ends.push_back(std::move(out));
    }
    rt.block_on([s = std::move(starts), e = std::move(ends)]() mutable -> future<> {
      for (auto& tx : s) co_await tx.send(7);
      for (auto& rx : e) CHECK(co_await rx.recv() == 7);
    });
  }
}

future<> spawns_itself() {
  eddy::spawn([]() -> future<> { co_await spawns_itself(); });
  co_return;
}

TEST_CASE("a chain of self-spawning tasks does not starve a pool of one") {
  const test::leak_check leaks;
  eddy::runtime rt = pool_of(1).build();
  promise<> p;
  auto f = p.get_future();
  static_cast<void>(rt.spawn([p = std::move(p)]() mutable -> future<> {
    eddy::spawn(spawns_itself());
    p.set_value();
    co_return;
  }));
  rt.block_on(std::move(f));
}

future<> client_and_server(mpsc::unbounded_sender<int> done) {
  auto listener = co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
  const auto at = listener.local_addr();
  eddy::spawn(
      [](eddy::net::tcp_listener l) -> future<> {
        auto [s, peer] = co_await l.accept();
        co_await s.write_all("hello");
      },
      std::move(listener));
  auto client = co_await eddy::net::tcp_stream::connect(at);
  std::string got;
  std::array<char, 16> part;
  while (const auto n = co_await client.read(part)) got.append(part.data(), n);
  CHECK(got == "hello");
  CHECK(done.send(1).has_value());
}

TEST_CASE("a pool serves sockets, and its end destroys the tasks that own them") {
  const test::leak_check leaks;
  eddy::runtime rt = pool_of(4).build();
  auto [tx, rx] = mpsc::unbounded_channel<int>();
  rt.block_on([](mpsc::unbounded_sender<int> done) -> future<> {
    eddy::spawn(client_and_server(std::move(done)));
    co_return;
  }(tx));
  static_cast<void>(rt.spawn(client_and_server(std::move(tx))));
  CHECK(rx.blocking_recv() == 1);
  CHECK(rx.blocking_recv() == 1);
  eddy::runtime(std::move(rt));  // dropped
  CHECK(rx.blocking_recv() == std::nullopt);
}

struct counts_its_end {
  std::shared_ptr<std::atomic<int>> ended;
  counts_its_end(std::shared_ptr<std::atomic<int>> e) : ended(std::move(e)) {}
  counts_its_end(counts_its_end&&) noexcept = default;
  ~counts_its_end() {
    if (ended != nullptr) ++*ended;
  }
  eddy::polled<> poll(eddy::context&) noexcept { return eddy::pending; }
};

TEST_CASE("thread hooks are called for each worker, and a dropped pool drops its tasks") {
  const test::leak_check leaks;
  for (int i = 0; i < 200; ++i) {
    std::atomic<int> started{0};
    std::atomic<int> stopped{0};
    const auto ended = std::make_shared<std::atomic<int>>(0);
    {
      eddy::runtime rt =
          pool_of(2).on_thread_start([&] { ++started; }).on_thread_stop([&] { ++stopped; }).build();
      if (i % 2 != 0) rt.block_on(one_round());
      static_cast<void>(rt.spawn([](counts_its_end c) -> future<> { co_await std::move(c); },
                                 counts_its_end(ended)));
    }
    CHECK(started == 2);
    CHECK(stopped == 2);
    CHECK(*ended == 1);
  }
}

TEST_CASE("tasks of two pools can wake each other") {
  const test::leak_check leaks;
  const eddy::runtime one = pool_of(2).build();
  const eddy::runtime two = pool_of(2).build();
  promise<> p;
  std::promise<void> done;
  static_cast<void>(two.spawn(
      [f = p.get_future()](std::promise<void>* d) mutable -> future<> {
        co_await std::move(f);
        d->set_value();
      },
      &done));
  static_cast<void>(one.spawn([p = std::move(p)]() mutable -> future<> {
    p.set_value();
    co_return;
  }));
  done.get_future().wait();
}

TEST_CASE("a pool with a global_queue_interval of 1 works") {
  const test::leak_check leaks;
  eddy::runtime rt = pool_of(4).global_queue_interval(1).build();
  std::atomic<int> count{0};
  rt.block_on([&count]() -> future<> {
    eddy::join_set<> set;
    for (int i = 0; i < 10; ++i)
      set.spawn([&count]() -> future<> {
        ++count;
        co_return;
      });
    while (auto r = co_await set.join_next()) CHECK(r->has_value());
  });
  CHECK(count == 10);
}

TEST_CASE("a task destroyed by a dropped pool may wake another one") {
  const test::leak_check leaks;
  for (int i = 0; i < 20; ++i) {
    struct shared {
      std::mutex mutex;
      eddy::waker who;
    };
    const auto s = std::make_shared<shared>();
    struct wakes {
      std::shared_ptr<shared> at;
      ~wakes() {
        eddy::waker w;
        {
          const std::lock_guard lock(at->mutex);
          w = std::move(at->who);
        }
        if (w) std::move(w).wake();
      }
    };
    eddy::runtime rt = pool_of(1).build();
    static_cast<void>(rt.spawn(
        [](std::shared_ptr<shared> at) -> future<> {
          co_await eddy::poll_fn([&at](eddy::context& cx) -> eddy::polled<> {
            const std::lock_guard lock(at->mutex);
            at->who = cx.get_waker();
            return eddy::pending;
          });
        },
        s));
    static_cast<void>(rt.spawn(
        [](std::shared_ptr<shared> at) -> future<> {
          const wakes last{std::move(at)};
          co_await eddy::poll_fn([](eddy::context&) -> eddy::polled<> { return eddy::pending; });
        },
        s));
    rt.block_on(one_round());
  }
}

TEST_CASE("a pool has no name unless it was given one") {
  const eddy::runtime rt = pool_of(2).build();
  CHECK(rt.get_handle().name().empty());
}

TEST_CASE("each pool keeps the name it was given, on every worker") {
  eddy::runtime one = pool_of(2).name("north").build();
  const eddy::runtime two = pool_of(2).name("south").build();
  CHECK(one.get_handle().name() == "north");
  CHECK(two.get_handle().name() == "south");
  for (int i = 0; i < 4; ++i)
    CHECK(one.block_on([]() -> future<std::string> {
      co_return std::string(eddy::handle::current().name());
    }) == "north");
}

TEST_CASE("another worker runs what a task spawned before it blocked its thread") {
  const test::leak_check leaks;
  eddy::runtime rt = pool_of(2).build();
  // A single new task does not make a worker look at the queues of others, so this keeps waking
  // them.
  std::atomic<bool> over{false};
  std::thread news([&over, h = rt.get_handle()] {
    while (!over) {
      static_cast<void>(h.spawn(one_round()));
      std::this_thread::sleep_for(100us);
    }
  });
  rt.block_on([]() -> future<> {
    co_await eddy::spawn([]() -> future<> {
      const auto done = std::make_shared<std::promise<void>>();
      eddy::spawn([done]() -> future<> {
        done->set_value();
        co_return;
      });
      done->get_future().wait();
      co_return;
    });
  });
  over = true;
  news.join();
}

}  // namespace
