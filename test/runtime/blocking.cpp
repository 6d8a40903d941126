#include <eddy/task/spawn_blocking.hpp>

#include <doctest/doctest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;

/// Opens once, for good.
class gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

/// Blocking threads end by themselves; what they still hold of a job is gone when this returns.
void settle(std::size_t frames) {
  while (eddy::detail::live_frames() != frames) std::this_thread::yield();
}

TEST_CASE("a blocking job gives a value, nothing, a reference, or something that only moves") {
  const auto frames = eddy::detail::live_frames();
  {
    eddy::runtime rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      const auto home = std::this_thread::get_id();
      CHECK(co_await eddy::spawn_blocking([](int a, int b) { return a + b; }, 1, 2) == 3);
      const auto there = co_await eddy::spawn_blocking([] { return std::this_thread::get_id(); });
      CHECK(there != home);
      int side = 0;
      co_await eddy::spawn_blocking([&side] { side = 4; });
      CHECK(side == 4);
      int& same = co_await eddy::spawn_blocking(
          [](std::reference_wrapper<int> r) -> int& { return r; }, std::ref(side));
      CHECK(&same == &side);
      auto moved = co_await eddy::spawn_blocking([](std::unique_ptr<int> p) { return p; },
                                                 std::make_unique<int>(5));
      CHECK(*moved == 5);
    });
  }
  settle(frames);
}

TEST_CASE("what a blocking job holds is gone when its result is there") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    for (int i = 0; i < 200; ++i) {
      auto held = std::make_shared<int>();
      auto job = eddy::spawn_blocking([held](std::shared_ptr<int>) {}, held);
      co_await std::move(job);
      CHECK(held.use_count() == 1);
    }
  });
}

#if EDDY_EXCEPTIONS
struct throws_when_moved {
  bool armed = false;
  throws_when_moved() = default;
  throws_when_moved(throws_when_moved&& other) : armed(other.armed) {
    if (armed) throw std::runtime_error("moved");
  }
};

TEST_CASE("what a blocking job throws comes out of the await") {
  const auto frames = eddy::detail::live_frames();
  {
    eddy::runtime rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      const auto r = co_await eddy::attempt(
          eddy::spawn_blocking([]() -> int { throw std::out_of_range("far"); }));
      REQUIRE_FALSE(r.has_value());
      CHECK(r.error().message() == "far");
      const auto m = co_await eddy::attempt(eddy::spawn_blocking([] {
        throws_when_moved t;
        t.armed = true;
        return t;
      }));
      REQUIRE_FALSE(m.has_value());
      CHECK(m.error().message() == "moved");
    });
  }
  settle(frames);
}

TEST_CASE("a failure of a detached blocking job reaches the hook") {
  std::atomic<int> failures{0};
  std::string name;
  eddy::runtime rt = eddy::runtime::builder()
                         .on_unhandled_failure([&](const eddy::task_failure& f) {
                           name = f.name;
                           ++failures;
                         })
                         .build();
  rt.block_on([&]() -> future<> {
    static_cast<void>(eddy::spawn_blocking([] { throw std::runtime_error("x"); }));
    while (failures == 0) co_await eddy::yield_now();
  });
  CHECK(failures == 1);
  CHECK(name == "spawn_blocking");
}
#endif

TEST_CASE("a blocking job is on its runtime, and its thread is not afterwards") {
  eddy::runtime rt = eddy::runtime::builder().name("mine").build();
  rt.block_on([]() -> future<> {
    const auto name =
        co_await eddy::spawn_blocking([] { return std::string(eddy::handle::current().name()); });
    CHECK(name == "mine");
  });
}

TEST_CASE("a job that waits in the queue when its task is aborted is not run") {
  eddy::runtime rt = test::make_runtime();
  gate g;
  std::atomic<int> waiting{0};
  std::atomic<bool> ran{false};
  rt.block_on([&]() -> future<> {
    std::vector<eddy::join_handle<>> jobs;
    for (int i = 0; i < 512; ++i)
      jobs.push_back(eddy::spawn_blocking([&] {
        ++waiting;
        g.pass();
      }));
    while (waiting < 512) co_await eddy::yield_now();
    auto one_more = eddy::spawn_blocking([&] { ran = true; });
    auto another = eddy::spawn_blocking([&] { return waiting.load(); });
    one_more.abort();
    const auto r = co_await eddy::attempt(std::move(one_more));
    CHECK(r.error() == eddy::errc::aborted);
    CHECK(waiting == 512);  // that many threads and no more
    g.open();
    for (auto& j : jobs) co_await std::move(j);
    CHECK(co_await std::move(another) == 512);
  });
  CHECK_FALSE(ran);
}

TEST_CASE("threads are used again") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    // One job at a time: at most two threads, should one be on its way to sleep when the next job comes.
    std::vector<std::thread::id> seen;
    for (int i = 0; i < 100; ++i) {
      const auto id = co_await eddy::spawn_blocking([] { return std::this_thread::get_id(); });
      bool known = false;
      for (const auto& s : seen) known |= s == id;
      if (!known) seen.push_back(id);
    }
    CHECK(seen.size() < 50);
  });
}

TEST_CASE("a job that runs outlives its runtime; its handle gives its outcome, nobody waits") {
  const auto frames = eddy::detail::live_frames();
  auto g = std::make_shared<gate>();
  auto started = std::make_shared<gate>();
  const auto held = std::make_shared<int>();
  {
    std::optional<eddy::join_handle<std::shared_ptr<int>>> kept;
    {
      eddy::runtime rt = test::make_runtime();
      rt.block_on([&]() -> future<> {
        kept = eddy::spawn_blocking([g, started, held] {
          started->open();
          g->pass();
          return held;
        });
        started->pass();
        co_return;
      });
    }  // comes back although the job waits
    CHECK_FALSE(kept->is_finished());
    g->open();
    eddy::runtime another;
    CHECK(another.block_on(*std::move(kept)) == held);
  }
  CHECK(held.use_count() == 1);
  settle(frames);
}

TEST_CASE("a job's value that nobody takes is dropped, before and after its end") {
  const auto frames = eddy::detail::live_frames();
  const auto held = std::make_shared<int>();
  eddy::runtime rt;
  rt.block_on([](std::shared_ptr<int> value) -> future<> {
    static_cast<void>(eddy::spawn_blocking([value] { return value; }));
    auto ended = eddy::spawn_blocking([value] { return value; });
    while (!ended.is_finished()) co_await eddy::yield_now();
    auto aborted = eddy::spawn_blocking([value] { return value; });
    while (!aborted.is_finished()) co_await eddy::yield_now();
    aborted.abort();  // too late
    const auto r = co_await eddy::attempt(std::move(aborted));
    CHECK(r.value() == value);
  }(held));
  while (held.use_count() != 1) std::this_thread::yield();
  settle(frames);
}

TEST_CASE("no more threads than were asked for; an aborted job's arguments go at once") {
  eddy::runtime rt = eddy::runtime::builder().max_blocking_threads(1).build();
  gate g;
  rt.block_on([](gate& open) -> future<> {
    auto first = eddy::spawn_blocking([&open] { open.pass(); });
    const auto held = std::make_shared<int>();
    auto second = eddy::spawn_blocking([](std::shared_ptr<int>) {}, held);
    CHECK(held.use_count() == 2);
    CHECK(first.id() != second.id());
    second.abort();
    CHECK(held.use_count() == 1);
    CHECK(second.is_finished());
    const auto r = co_await eddy::attempt(std::move(second));
    CHECK(r.error() == eddy::errc::aborted);
    open.open();
    co_await first;
  }(g));
}

TEST_CASE("a runtime that ends drops the jobs in its queue, but for mandatory ones") {
  const auto frames = eddy::detail::live_frames();
  gate started;
  gate g;
  std::atomic<int> ran{0};
  std::optional<eddy::join_handle<>> dropped;
  std::optional<eddy::join_handle<>> kept;
  {
    eddy::runtime rt = eddy::runtime::builder().max_blocking_threads(1).build();
    const auto inside = rt.enter();
    static_cast<void>(eddy::spawn_blocking([&] {
      started.open();
      g.pass();
    }));
    dropped = eddy::spawn_blocking([&] { ran += 1; });
    kept = eddy::spawn_mandatory_blocking([&] { ran += 10; });
    started.pass();
  }
  CHECK(dropped->is_finished());
  CHECK_FALSE(kept->is_finished());
  g.open();
  eddy::runtime another;
  another.block_on(*std::move(kept));
  CHECK(ran == 10);
  another.block_on([](eddy::join_handle<> h) -> future<> {
    const auto r = co_await eddy::attempt(std::move(h));
    CHECK(r.error() == eddy::errc::aborted);
    CHECK(r.error().message().find("the runtime has ended") != std::string::npos);
  }(*std::move(dropped)));
  dropped.reset();
  kept.reset();
  settle(frames);
}

TEST_CASE("spawn_blocking on a runtime that has ended gives a handle that says so") {
  std::optional<eddy::handle> ended;
  {
    eddy::runtime rt;
    ended = rt.get_handle();
  }
  const auto inside = ended->enter();
  std::atomic<bool> ran{false};
  auto job = eddy::spawn_blocking([&] { ran = true; });
  auto write = eddy::spawn_mandatory_blocking([&] { ran = true; });
  CHECK(job.is_finished());
  CHECK(write.is_finished());
  eddy::runtime another;
  another.block_on([](eddy::join_handle<> h) -> future<> {
    const auto r = co_await eddy::attempt(std::move(h));
    CHECK(r.error() == eddy::errc::aborted);
  }(std::move(job)));
  CHECK_FALSE(ran);
}

TEST_CASE(
    "shutdown_timeout waits for running jobs as long as it is told, shutdown_background does not") {
  auto g = std::make_shared<gate>();
  std::atomic<int> ended{0};
  const auto start = [&](eddy::runtime& rt) {
    const auto inside = rt.enter();
    auto started = std::make_shared<gate>();
    static_cast<void>(eddy::spawn_blocking([g, started, &ended] {
      started->open();
      g->pass();
      ++ended;
    }));
    started->pass();
  };
  eddy::runtime stuck;
  start(stuck);
  CHECK_FALSE(std::move(stuck).shutdown_timeout(0ns));
  eddy::runtime left;
  start(left);
  std::move(left).shutdown_background();
  CHECK(ended == 0);
  eddy::runtime waits;
  start(waits);
  g->open();
  CHECK(std::move(waits).shutdown_timeout(1h));
  while (ended != 3) std::this_thread::yield();
}

TEST_CASE("a blocking thread sleeps for ever if told, and not at all for less than nothing") {
  for (const auto keep : {std::chrono::nanoseconds::max(), std::chrono::nanoseconds::min()}) {
    eddy::runtime rt = eddy::runtime::builder().thread_keep_alive(keep).build();
    rt.block_on([&]() -> future<> {
      std::set<std::thread::id> seen;
      for (bool slept = false; !slept;) {
        const auto id = co_await eddy::spawn_blocking([] { return std::this_thread::get_id(); });
        slept = !seen.insert(id).second || keep < 0ns;
      }
    });
    CHECK(std::move(rt).shutdown_timeout(1h));
  }
}

TEST_CASE("blocking threads have a name and hooks, and end when they have had nothing to do") {
  std::atomic<int> started{0};
  std::atomic<int> stopped{0};
  eddy::runtime rt = eddy::runtime::builder()
                         .thread_name("my-thread-with-a-long-name")
                         .thread_keep_alive(0ns)
                         .thread_stack_size(256 * 1024)
                         .on_thread_start([&] { ++started; })
                         .on_thread_stop([&] { ++stopped; })
                         .build();
  rt.block_on([&]() -> future<> {
    for (int i = 1; i <= 2; ++i) {
      const auto name = co_await eddy::spawn_blocking([] {
        std::array<char, 32> text{};
        pthread_getname_np(pthread_self(), text.data(), text.size());
        return std::string(text.data());
      });
#if defined(__linux__)
      CHECK(name == "my-thread-with-");
#endif
      while (stopped != i) co_await eddy::yield_now();
    }
  });
  CHECK(started == 2);
}

TEST_CASE("a job that spawns and wakes while its runtime is dropped") {
  const auto frames = eddy::detail::live_frames();
  for (int i = 0; i < 100; ++i) {
    eddy::runtime rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      for (int k = 0; k < 4; ++k)
        static_cast<void>(eddy::spawn_blocking([] {
          const auto h = eddy::spawn([]() -> future<> { co_await eddy::yield_now(); });
          static_cast<void>(eddy::spawn_blocking([] { return 1; }));
          h.abort();
        }));
      co_await eddy::yield_now();
    });
  }
  settle(frames);
}

TEST_CASE("a paused clock does not jump while a job runs") {
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    const auto before = eddy::clock::now();
    co_await eddy::timeout(1h, eddy::spawn_blocking([] {
                             for (int i = 0; i < 1000; ++i) std::this_thread::yield();
                           }));
    CHECK(eddy::clock::now() == before);
  });
}

TEST_CASE("a paused clock goes on however a job's end meets the loop going to sleep") {
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    for (int i = 0; i < 2000; ++i) {
      const auto before = eddy::clock::now();
      auto job = [i] {
        for (int k = 0; k < i % 40; ++k) static_cast<void>(std::chrono::steady_clock::now());
      };
      co_await eddy::timeout(1h, eddy::spawn_blocking(job));
      CHECK(eddy::clock::now() == before);
      static_cast<void>(eddy::spawn_blocking(job));  // nobody waits for this one
      co_await eddy::sleep(1s);
    }
  });
}

TEST_CASE("a job may ask for the time while the loop moves a paused clock") {
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    std::atomic<bool> stop{false};
    const auto start = eddy::clock::now();
    auto job = eddy::spawn_blocking([&] {
      auto last = eddy::clock::now();
      while (!stop) {
        const auto t = eddy::clock::now();
        if (t < last) return false;
        last = t;
      }
      return true;
    });
    for (int i = 0; i < 100; ++i) {
      test::advance(1s);
      co_await eddy::yield_now();
    }
    CHECK(eddy::clock::now() - start == 100s);
    stop = true;
    CHECK(co_await std::move(job));
  });
}

TEST_CASE("another runtime may be shut down in a task") {
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    eddy::runtime a;
    CHECK(std::move(a).shutdown_timeout(0ns));
    eddy::runtime b;
    std::move(b).shutdown_background();
    co_return;
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("a paused clock goes on when a job has failed") {
  eddy::runtime rt = eddy::runtime::builder()
                         .start_paused()
                         .on_unhandled_failure([](const eddy::task_failure&) {})
                         .build();
  rt.block_on([]() -> future<> {
    static_cast<void>(eddy::spawn_blocking([] { throw std::runtime_error("x"); }));
    co_await eddy::sleep(1s);
  });
}
#endif

#if EDDY_EXCEPTIONS
TEST_CASE("what a builder is given in vain is misuse") {
  CHECK_THROWS_WITH_AS(eddy::runtime::builder().max_blocking_threads(0),
                       "eddy: builder::max_blocking_threads: 0 threads", std::logic_error);
  CHECK_THROWS_AS(eddy::runtime::builder().worker_threads(0), std::logic_error);
  CHECK_THROWS_AS(eddy::runtime::builder().global_queue_interval(0), std::logic_error);
  CHECK_THROWS_AS(eddy::runtime::builder().event_interval(0), std::logic_error);
}
#endif

}  // namespace
