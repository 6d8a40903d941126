// What only a pool does: several threads, stealing, and tasks that are used from more than one of them.

#include <eddy/eddy.hpp>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/net/unix_stream.hpp>

#include "support/few_descriptors.hpp"
#include "support/leak_check.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::net::unix_stream;

eddy::runtime pool_of(std::uint32_t n) {
  return eddy::runtime::builder().multi_loop().worker_threads(n).build();
}

struct never {
  eddy::polled<> poll(eddy::context&) noexcept { return eddy::pending; }
};

future<std::thread::id> thread_of_a_task() { co_return std::this_thread::get_id(); }

TEST_CASE("what a busy worker has in its queue is run by the others") {
  const test::leak_check leaks;
  auto rt = pool_of(2);
  constexpr int children = 100;
  std::latch all(children);  // counted down by other threads only: this one is blocked
  rt.block_on([&]() -> future<> {
    auto busy = eddy::spawn(
        [](std::latch* latch) -> future<> {
          for (int i = 0; i < children + 1; ++i)  // the last is kept for this worker
            eddy::spawn(
                [](std::latch* l, bool counts) -> future<> {
                  if (counts) l->count_down();
                  co_return;
                },
                latch, i < children);
          latch->wait();
          co_return;
        },
        &all);
    co_await busy;
  });
}

TEST_CASE("two tasks run at the same time") {
  const test::leak_check leaks;
  auto rt = pool_of(2);
  std::latch both(2);
  const auto meet = [](std::latch* l) -> future<> {
    l->arrive_and_wait();  // blocks its thread until the other is here as well
    co_return;
  };
  auto a = rt.spawn(meet, &both);
  auto b = rt.spawn(meet, &both);
  rt.block_on([&]() -> future<> {
    co_await a;
    co_await b;
  });
}

TEST_CASE("a local task stays on its thread, whatever it waits for") {
  const test::leak_check leaks;
  auto rt = pool_of(4);
  std::atomic<int> moved{0};
  rt.block_on([&]() -> future<> {
    std::vector<eddy::join_handle<>> all;
    for (int i = 0; i < 20; ++i)
      all.push_back(eddy::spawn(
          [](std::atomic<int>* m) -> future<> {
            auto local = eddy::spawn_local([m]() -> future<> {
              const auto home = std::this_thread::get_id();
              for (int k = 0; k < 20; ++k) {
                co_await eddy::yield_now();
                if (k % 5 == 0) co_await eddy::sleep(50us);
                auto elsewhere = eddy::spawn(thread_of_a_task());
                co_await elsewhere;
                if (std::this_thread::get_id() != home) m->fetch_add(1);
              }
            });
            co_await local;
          },
          &moved));
    for (auto& h : all) co_await h;
  });
  CHECK(moved == 0);
}

// A task with a socket, a timer and a branch that waits, which is then run by the other worker.
TEST_CASE(
    "a stolen task reads from the socket it made on the first worker, and drops its timer there") {
  const test::leak_check leaks;
  auto rt = pool_of(2);
  std::string got;
  bool moved = false;
  rt.block_on([&]() -> future<> {
    auto t = eddy::spawn(
        [](std::string* text, bool* elsewhere) -> future<> {
          auto pair = unix_stream::pair().value();
          unix_stream mine = std::move(pair.first);
          unix_stream its = std::move(pair.second);
          const auto home = std::this_thread::get_id();
          std::array<std::byte, 8> bytes{};
          auto waiting = mine.read(eddy::io::buffer(bytes));
          // Its node is in the list of this loop; the timer in this wheel.
          auto first =
              co_await eddy::select(eddy::biased, waiting, eddy::sleep(1h), eddy::yield_now());
          CHECK(first.index() == 2);
          // Blocked threads: this one's queue is taken over.
          for (int tries = 0; tries < 1000 && std::this_thread::get_id() == home; ++tries) {
            auto blocker = eddy::spawn([]() -> future<> {
              std::this_thread::sleep_for(1ms);
              co_return;
            });
            co_await eddy::yield_now();
          }
          *elsewhere = std::this_thread::get_id() != home;
          co_await its.write_all(std::string_view("hello"));
          const auto n = co_await waiting;
          text->assign(reinterpret_cast<const char*>(bytes.data()), n);
        },
        &got, &moved);
    co_await t;
  });
  CHECK(moved);
  CHECK(got == "hello");
}

TEST_CASE("block_on from several threads at once") {
  const test::leak_check leaks;
  auto rt = pool_of(2);
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&rt, &sum, i] {
      for (int k = 0; k < 50; ++k)
        sum += rt.block_on([i]() -> future<int> {
          auto h = eddy::spawn([](int v) -> future<int> { co_return v; }, i);
          co_return co_await h;
        });
    });
  for (auto& t : threads) t.join();
  CHECK(sum == 50 * 6);
}

TEST_CASE("a pool's handle is awaited on another runtime, and may be dropped there") {
  const test::leak_check leaks;
  auto rt = pool_of(2);
  eddy::runtime other;
  auto h = rt.spawn(
      [](int v) -> future<std::string> {
        co_await eddy::sleep(1ms);
        co_return std::to_string(v);
      },
      42);
  auto gone = rt.spawn([]() -> future<std::string> { co_return "nobody's"; });
  CHECK(other.block_on([&]() -> future<std::string> {
    {
      const auto dropped = std::move(gone);
    }
    co_return co_await h;
  }) == "42");
}

#if EDDY_EXCEPTIONS
TEST_CASE("a failure that nobody awaits reaches the hook, wherever its handle is dropped") {
  const test::leak_check leaks;
  std::mutex mutex;
  std::multiset<std::string> told;
  {
    auto rt = eddy::runtime::builder()
                  .multi_loop()
                  .worker_threads(2)
                  .on_unhandled_failure([&](const eddy::task_failure& f) {
                    const std::lock_guard lock(mutex);
                    told.insert(f.why.message());
                  })
                  .build();
    const auto fail = [](std::string what) -> future<> {
      co_await eddy::yield_now();
      throw std::runtime_error(what);
    };
    rt.spawn(fail, std::string("detached"));
    auto late = rt.spawn(fail, std::string("late"));
    while (!late.is_finished()) std::this_thread::yield();
    {
      const auto dropped = std::move(late);
    }
    CHECK_THROWS_WITH(rt.block_on([&]() -> future<> {
      auto h = eddy::spawn(fail, std::string("awaited"));
      co_await h;
    }),
                      "awaited");
    for (std::size_t n = 0; n < 2; std::this_thread::yield()) {
      const std::lock_guard lock(mutex);
      n = told.size();
    }
  }
  CHECK(told == std::multiset<std::string>{"detached", "late"});
}

TEST_CASE("a future whose parameters must stay is refused by a pool before it runs") {
  const test::leak_check leaks;
  auto rt = pool_of(1);
  const auto with_rc = [](eddy::rc<int> v) -> future<int> { co_return *v; };
  rt.block_on([&]() -> future<> {
    CHECK_THROWS_WITH_AS(
        eddy::spawn(with_rc(eddy::make_rc<int>(1))),
        "eddy: spawn: a parameter of this coroutine is not is_send, and another thread may run "
        "the task: use spawn_local",
        std::logic_error);
    auto local = eddy::spawn_local(with_rc, eddy::make_rc<int>(2));
    const int two = co_await local;
    CHECK(two == 2);
  });
}

TEST_CASE("a pool refuses a paused clock and a shuffled order, and is refused a host's loop") {
  CHECK_THROWS_AS(eddy::runtime::builder().multi_loop().start_paused().build(), std::logic_error);
  CHECK_THROWS_AS(eddy::runtime::builder().multi_loop().shuffle_ready().build(), std::logic_error);
  CHECK_THROWS_AS(eddy::runtime::builder().worker_threads(0), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(eddy::runtime::builder().multi_loop().attach(nullptr)),
                  std::logic_error);
}
#endif

TEST_CASE("each worker's thread is announced when it begins and when it ends") {
  std::atomic<int> started{0};
  std::atomic<int> stopped{0};
  {
    auto rt = eddy::runtime::builder()
                  .multi_loop()
                  .worker_threads(3)
                  .on_thread_start([&] { ++started; })
                  .on_thread_stop([&] { ++stopped; })
                  .build();
    while (started != 3) std::this_thread::yield();
    CHECK(stopped == 0);
  }
  CHECK(started == 3);
  CHECK(stopped == 3);
}

TEST_CASE("an idle pool does not wake") {
  std::atomic<int> woken{0};
  std::atomic<int> parked{0};
  auto rt = eddy::runtime::builder()
                .multi_loop()
                .worker_threads(3)
                .on_park([&] { ++parked; })
                .on_unpark([&] { ++woken; })
                .build();
  rt.block_on([]() -> future<> { co_await eddy::yield_now(); });
  // Sooner or later nothing happens any more. (A worker that is called in vain does not sleep when it is about to.)
  bool quiet = false;
  for (int tries = 0; tries < 100 && !quiet; ++tries) {
    const int before = parked + woken;
    std::this_thread::sleep_for(20ms);
    quiet = parked + woken == before;
  }
  CHECK(quiet);
}

TEST_CASE("what waits when a pool ends is destroyed, and its handle says so") {
  const test::leak_check leaks;
  auto kept = std::make_shared<int>(7);
  std::optional<eddy::join_handle<>> waits;
  {
    auto rt = pool_of(2);
    waits.emplace(rt.spawn([](std::shared_ptr<int>) -> future<> { co_await never(); }, kept));
    rt.block_on([]() -> future<> { co_await eddy::yield_now(); });
  }
  CHECK(kept.use_count() == 1);
  eddy::runtime other;
  auto outcome = other.block_on([&]() -> future<eddy::result<void>> {
    co_return co_await eddy::attempt(*std::exchange(waits, std::nullopt));
  });
  CHECK(outcome.error() == eddy::errc::aborted);
}

#if EDDY_EXCEPTIONS
TEST_CASE("failures whose handles are dropped by several threads at once all reach the hook") {
  const test::leak_check leaks;
  std::atomic<int> told{0};
  constexpr int each = 50;
  auto rt = eddy::runtime::builder()
                .multi_loop()
                .worker_threads(2)
                .on_unhandled_failure([&](const eddy::task_failure&) { ++told; })
                .build();
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&rt] {
      for (int i = 0; i < each; ++i) {
        const auto h = rt.spawn([]() -> future<> {
          throw std::runtime_error("late");
          co_return;
        });
        while (!h.is_finished()) std::this_thread::yield();
      }
    });
  for (auto& t : threads) t.join();
  CHECK(told == 3 * each);
}

TEST_CASE("a pool is not built, and leaves nothing, when descriptors run out") {
  eddy::runtime().block_on([]() -> future<> { co_return; });
  const test::leak_check leaks;
  const int failures = test::failures_until_built(30, [] { auto rt = pool_of(3); });
  CHECK(failures >= 6);  // of the second and the third loop, too
}
#endif

TEST_CASE("a worker does not sleep on what on_park has spawned") {
  const test::leak_check leaks;
  std::atomic<bool> first{true};
  std::latch ran(1);
  auto rt = eddy::runtime::builder()
                .multi_loop()
                .worker_threads(1)
                .on_park([&] {
                  if (first.exchange(false))
                    eddy::spawn(
                        [](std::latch* l) -> future<> {
                          l->count_down();
                          co_return;
                        },
                        &ran);
                })
                .build();
  ran.wait();
}

TEST_CASE("a worker that is called and has a local task to run first calls another one") {
  const test::leak_check leaks;
  auto rt = pool_of(2);
  for (int i = 0; i < 10; ++i) {
    eddy::promise<> go;
    std::latch waits(1);
    std::latch ran(1);
    std::thread local([&] {
      rt.block_on([&]() -> future<> {
        auto woken = go.get_future();
        waits.count_down();
        co_await std::move(woken);
        ran.wait();  // blocks this worker
      });
    });
    waits.wait();
    std::this_thread::sleep_for(1ms);  // now it sleeps, as a rule, and would be called
    static_cast<void>(rt.spawn(
        [](std::latch* l) -> future<> {
          l->count_down();
          co_return;
        },
        &ran));
    go.set_value();
    local.join();
  }
}

}  // namespace
