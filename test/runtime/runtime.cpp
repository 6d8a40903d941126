#include <eddy/runtime/runtime.hpp>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/net/tcp_listener.hpp>
#include <eddy/net/tcp_stream.hpp>

#include "support/few_descriptors.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::promise;

struct never {
  eddy::polled<> poll(eddy::context&) noexcept { return eddy::pending; }
};
future<> one_round() { co_await eddy::yield_now(); }
future<int> just(int v) { co_return v; }

/// A pipe watched by the loop, to see how often the loop looks.
struct watched_pipe {
  std::array<int, 2> ends{-1, -1};
  uv_poll_t handle;
  int events = 0;
  explicit watched_pipe(uv_loop_t* loop) {
    REQUIRE(::pipe(ends.data()) == 0);
    REQUIRE(::write(ends[1], "x", 1) == 1);  // always readable
    uv_poll_init(loop, &handle, ends[0]);
    handle.data = this;
    uv_poll_start(&handle, UV_READABLE,
                  [](uv_poll_t* h, int, int) { ++static_cast<watched_pipe*>(h->data)->events; });
  }
  void close() {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
    uv_run(handle.loop, UV_RUN_NOWAIT);
    ::close(ends[0]);
    ::close(ends[1]);
  }
};

// ---- builder

TEST_CASE("event_interval is the number of polls between two looks") {
  for (const std::uint32_t interval : {1U, 7U, 100U}) {
    CAPTURE(interval);
    eddy::runtime rt = eddy::runtime::builder().event_interval(interval).build();
    watched_pipe pipe(eddy::runtime_access::loop(rt).native());
    rt.block_on([&]() -> future<> {
      for (int i = 0; i < 1000; ++i) co_await eddy::yield_now();  // a batch is one poll
    });
    CHECK(pipe.events == 1000 / static_cast<int>(interval));
    pipe.close();
  }
}

TEST_CASE("looks come between batches, never within one") {
  eddy::runtime rt = eddy::runtime::builder().event_interval(1).build();
  watched_pipe pipe(eddy::runtime_access::loop(rt).native());
  rt.block_on([&]() -> future<> {
    std::vector<int> seen;
    std::vector<eddy::join_handle<>> tasks;
    for (int i = 0; i < 10; ++i)
      tasks.push_back(eddy::spawn([&]() -> future<> {
        seen.push_back(pipe.events);
        co_return;
      }));
    for (auto& t : tasks) co_await std::move(t);
    for (const int e : seen) CHECK(e == seen.front());
  });
  pipe.close();
}

TEST_CASE("without an event_interval a task that only yields does not keep the loop from looking") {
  eddy::runtime rt;
  watched_pipe pipe(eddy::runtime_access::loop(rt).native());
  std::uint64_t polls = 0;
  rt.block_on([&]() -> future<> {
    while (pipe.events < 3) co_await eddy::yield_now();
    polls = test::polls();
  });
  CHECK(polls > 3);  // and it does not look after each poll
  pipe.close();
}

#if EDDY_EXCEPTIONS
TEST_CASE("an event_interval of 0 is refused") {
  CHECK_THROWS_WITH_AS(eddy::runtime::builder().event_interval(0),
                       "eddy: builder::event_interval: 0 polls", std::logic_error);
}
#endif

TEST_CASE("on_park is called before the loop sleeps and on_unpark after, on its thread") {
  const test::leak_check leaks;
  std::string order;
  std::thread::id where;
  eddy::runtime rt = eddy::runtime::builder()
                         .on_park([&] { order += 'p'; })
                         .on_unpark([&] {
                           order += 'u';
                           where = std::this_thread::get_id();
                         })
                         .build();
  rt.block_on(just(1));
  CHECK(order.empty());  // nothing to wait for
  // It does not sleep when the time is over by the time it would begin.
  while (order.find('u') == std::string::npos) rt.block_on(eddy::sleep(2ms));
  for (std::size_t i = 0; i < order.size(); ++i)
    if (order[i] == 'u') CHECK((i != 0 && order[i - 1] == 'p'));
  CHECK(where == std::this_thread::get_id());
}

TEST_CASE("on_park may spawn, and the loop does not sleep") {
  const test::leak_check leaks;
  int parks = 0;
  int unparks = 0;
  promise<> p;
  auto f = p.get_future();
  eddy::runtime rt = eddy::runtime::builder()
                         .on_park([&] {
                           if (++parks == 1)
                             eddy::spawn([&p]() -> future<> {
                               p.set_value();
                               co_return;
                             });
                         })
                         .on_unpark([&] { ++unparks; })
                         .build();
  rt.block_on(std::move(f));
  CHECK(parks == 1);
  CHECK(unparks == 0);
}

#if EDDY_EXCEPTIONS
struct noted {
  std::vector<std::string> names;
  std::vector<std::string> sites;
  std::vector<std::string> messages;
  std::vector<eddy::task_id> ids;
  auto hook() {
    return [this](const eddy::task_failure& f) {
      names.emplace_back(f.name);
      sites.emplace_back(f.site);
      messages.push_back(f.why.message());
      ids.push_back(f.id);
    };
  }
};

future<> fails_in_the_hold() {
  co_await eddy::yield_now();
  throw std::runtime_error("leak");
}

TEST_CASE(
    "on_unhandled_failure is told name, id, place and reason of a detached task that failed") {
  const test::leak_check leaks;
  noted seen;
  eddy::runtime rt = eddy::runtime::builder().on_unhandled_failure(seen.hook()).build();
  eddy::task_id id;
  int line = 0;
  rt.block_on([&]() -> future<> {
    auto h = eddy::spawn(fails_in_the_hold());
    line = __LINE__ - 1;
    id = h.id();
    {
      const auto gone = std::move(h);
    }
    co_await eddy::yield_now();
    CHECK(seen.ids.empty());
    co_await eddy::yield_now();
  });
  REQUIRE(seen.ids.size() == 1);
  CHECK(seen.ids[0] == id);
  CHECK(seen.names[0] == "fails_in_the_hold");
  CHECK(seen.sites[0] == "runtime.cpp:" + std::to_string(line));
  CHECK(seen.messages[0] == "leak");
}

TEST_CASE("a failure is unhandled when its handle is dropped after the task has ended") {
  const test::leak_check leaks;
  noted seen;
  eddy::runtime rt = eddy::runtime::builder().on_unhandled_failure(seen.hook()).build();
  rt.block_on([&]() -> future<> {
    std::optional<eddy::join_handle<>> h = eddy::spawn(fails_in_the_hold());
    while (!h->is_finished()) co_await eddy::yield_now();
    CHECK(seen.ids.empty());
    h.reset();
    CHECK(seen.ids.size() == 1);
  });
}

TEST_CASE("a failure that was awaited is not unhandled, nor is an aborted task") {
  const test::leak_check leaks;
  noted seen;
  eddy::runtime rt = eddy::runtime::builder().on_unhandled_failure(seen.hook()).build();
  rt.block_on([&]() -> future<> {
    CHECK_FALSE(co_await eddy::attempt(eddy::spawn(fails_in_the_hold())));
    eddy::spawn([]() -> future<> { co_await never(); }).abort();
    co_await eddy::yield_now();
  });
  CHECK(seen.ids.empty());
}

TEST_CASE(
    "a failure is unhandled, and the hook told, when a handle from outside the loop is dropped") {
  const test::leak_check leaks;
  noted seen;
  eddy::runtime rt = eddy::runtime::builder().on_unhandled_failure(seen.hook()).build();
  SUBCASE("before the task has run") {
    static_cast<void>(rt.spawn(fails_in_the_hold()));
    rt.block_on(one_round());
    rt.block_on(one_round());
  }
  SUBCASE("after the task has ended, where nobody turns the loop") {
    {
      const auto h = rt.spawn(fails_in_the_hold());
      while (!h.is_finished()) rt.block_on(one_round());
    }
    rt.block_on(one_round());
  }
  SUBCASE("after the task has ended, inside the loop") {
    auto h = rt.spawn(fails_in_the_hold());
    while (!h.is_finished()) rt.block_on(one_round());
    rt.block_on([h = std::move(h)]() mutable -> future<> {
      {
        const auto gone = std::move(h);
      }
      co_return;
    });
  }
  SUBCASE("after the task has ended, on another thread") {
    auto h = rt.spawn(fails_in_the_hold());
    while (!h.is_finished()) rt.block_on(one_round());
    std::thread([h = std::move(h)] {}).join();
    rt.block_on(one_round());
  }
  CHECK(seen.ids.size() == 1);
  if (!seen.messages.empty()) CHECK(seen.messages[0] == "leak");
}
#endif

TEST_CASE("a builder's runtimes share nothing") {
  const test::leak_check leaks;
  eddy::runtime a = eddy::runtime::builder().name("a").build();
  eddy::runtime b = eddy::runtime::builder().build();
  CHECK(a.get_handle().name() == "a");
  CHECK(b.get_handle().name().empty());
  CHECK(a.block_on(just(1)) + b.block_on(just(2)) == 3);
}

TEST_CASE("start_paused: time stands still while there is work, and jumps when there is none") {
  const test::leak_check leaks;
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  const auto real = std::chrono::steady_clock::now();
  rt.block_on([]() -> future<> {
    const auto start = eddy::clock::now();
    for (int i = 0; i < 100; ++i) co_await eddy::yield_now();
    CHECK(eddy::clock::now() == start);
    co_await eddy::sleep(24h);
    CHECK(eddy::clock::now() - start == 24h);
  });
  CHECK(std::chrono::steady_clock::now() - real < 1h);
}

#if EDDY_EXCEPTIONS
TEST_CASE("build fails, and leaves nothing, when descriptors run out") {
  eddy::runtime().block_on(one_round());
  const test::leak_check leaks;
  CHECK(test::failures_until_built(20, [] { eddy::runtime rt; }) >= 2);
}
#endif

// ---- block_on

TEST_CASE(
    "block_on takes futures, leaves and callables, and gives values, references and nothing") {
  const test::leak_check leaks;
  eddy::runtime rt;
  CHECK(rt.block_on(just(3)) == 3);
  rt.block_on(eddy::yield_now());
  CHECK(rt.block_on([x = 4]() -> future<int> { co_return x; }) == 4);
  CHECK(*rt.block_on(
            []() -> future<std::unique_ptr<int>> { co_return std::make_unique<int>(5); }) == 5);
  int target = 6;
  int& got = rt.block_on([&]() -> future<int&> { co_return target; });
  CHECK(&got == &target);
  int polls = 0;
  CHECK(rt.block_on(eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<int> {
    if (++polls == 1) {
      cx.wake();
      return eddy::pending;
    }
    return 7;
  })) == 7);
  auto h = rt.spawn(just(8));
  CHECK(rt.block_on(std::move(h)) == 8);
}

TEST_CASE("what block_on does not wait for goes on in the next one") {
  const test::leak_check leaks;
  eddy::runtime rt;
  int rounds = 0;
  static_cast<void>(rt.spawn([&]() -> future<> {
    for (;;) {
      ++rounds;
      co_await eddy::yield_now();
    }
  }));
  rt.block_on(one_round());
  const int before = rounds;
  CHECK(before >= 1);
  rt.block_on(one_round());
  CHECK(rounds > before);
}

TEST_CASE("block_on in a blocking job of the same runtime waits its turn") {
  eddy::runtime rt;
  CHECK(rt.block_on([&rt]() -> future<int> {
    co_return co_await eddy::spawn_blocking([&rt] { return rt.block_on(just(9)); });
  }) == 9);
  // The thread gives the job's block back after its result is out.
  CHECK(std::move(rt).shutdown_timeout(1min));
}

// ---- handle and enter

TEST_CASE("handle::current is the runtime of the task, of enter(), or none") {
  const test::leak_check leaks;
  CHECK_FALSE(eddy::handle::has_current());
  eddy::runtime a = eddy::runtime::builder().name("a").build();
  eddy::runtime b = eddy::runtime::builder().name("b").build();
  a.block_on([&]() -> future<> {
    CHECK(eddy::handle::current().name() == "a");
    {
      const auto in_b = b.enter();
      CHECK(eddy::handle::current().name() == "b");
      {
        const auto in_a = a.enter();
        CHECK(eddy::handle::current().name() == "a");
      }
      CHECK(eddy::handle::current().name() == "b");
    }
    CHECK(eddy::handle::current().name() == "a");
    co_return;
  });
  CHECK_FALSE(eddy::handle::has_current());
  {
    const auto in_b = b.get_handle().enter();
    CHECK(eddy::handle::current().name() == "b");
    a.block_on([]() -> future<> {  // its tasks are on their own runtime
      CHECK(eddy::handle::current().name() == "a");
      co_return;
    });
    CHECK(eddy::handle::current().name() == "b");
  }
  CHECK_FALSE(eddy::handle::has_current());
}

#if EDDY_EXCEPTIONS
TEST_CASE("without a runtime, handle::current, spawn and spawn_blocking are refused") {
  const test::leak_check leaks;
  CHECK_THROWS_WITH_AS(eddy::handle::current(),
                       "eddy: handle::current: this thread is not on a runtime", std::logic_error);
  CHECK_THROWS_AS(eddy::spawn(just(1)), std::logic_error);
  CHECK_THROWS_AS(eddy::spawn([]() -> future<> { co_return; }), std::logic_error);
  CHECK_THROWS_AS(eddy::spawn_blocking([] {}), std::logic_error);
}

TEST_CASE(
    "a coroutine made by calling a lambda with captures is refused by spawn, the lambda is not") {
  const test::leak_check leaks;
  eddy::runtime rt;
  int x = 1;
  CHECK_THROWS_AS(rt.spawn([x]() -> future<int> { co_return x; }()), std::logic_error);
  CHECK(rt.block_on(rt.spawn([x]() -> future<int> { co_return x; })) == 1);
  CHECK(rt.block_on(rt.spawn([]() -> future<int> { co_return 2; }())) == 2);  // captures nothing
  CHECK_THROWS_AS(rt.spawn(future<>()), std::logic_error);
}

TEST_CASE("a callable that throws before it makes its future spawns nothing") {
  const test::leak_check leaks;
  eddy::runtime rt;
  const auto held = std::make_shared<int>();
  const auto throws = [held](int) -> future<> { throw std::runtime_error("no"); };
  CHECK_THROWS_WITH(rt.spawn(throws, 1), "no");
  rt.block_on([&]() -> future<> {
    CHECK_THROWS_WITH(eddy::spawn(throws, 1), "no");
    CHECK(test::here().live_tasks() == 1);
    co_return;
  });
  CHECK(held.use_count() == 2);
}
#endif

TEST_CASE("a handle outlives its runtime: what it spawns is aborted, and destroyed at once") {
  const test::leak_check leaks;
  std::optional<eddy::runtime> rt(std::in_place);
  const eddy::handle h = rt->get_handle();
  rt.reset();
  const auto held = std::make_shared<int>();
  bool ran = false;
  auto j1 = h.spawn([&ran, held]() -> future<int> {
    ran = true;
    co_return 1;
  });
  auto j2 = h.spawn([](std::shared_ptr<int>) -> future<> { co_return; }, held);
  auto j3 = h.spawn(just(3));
  CHECK(held.use_count() == 1);
  CHECK(j1.is_finished());
  j1.abort();
  eddy::runtime other;
  other.block_on([&]() -> future<> {
    const auto r1 = co_await eddy::attempt(std::move(j1));
    const auto r2 = co_await eddy::attempt(std::move(j2));
    CHECK(r1.error() == eddy::errc::aborted);
    CHECK(r2.error() == eddy::errc::aborted);
  });
  {
    const auto dropped = std::move(j3);
  }
  CHECK_FALSE(ran);
  const auto guard = h.enter();
  CHECK(eddy::spawn(just(1)).is_finished());
  CHECK(h.name().empty());
}

TEST_CASE("a handle that outlives its runtime keeps no descriptor") {
  const int before = test::open_descriptors();
  std::optional<eddy::runtime> rt(std::in_place);
  const eddy::handle h = rt->get_handle();
  CHECK(test::open_descriptors() > before);
  rt.reset();
  CHECK(test::open_descriptors() == before);
}

TEST_CASE("a join handle is awaited on another runtime, and dropped there") {
  const test::leak_check leaks;
  eddy::runtime a;
  eddy::runtime b;
  SUBCASE("made outside of both") {
    auto j1 = a.spawn(just(11));
    auto j2 = a.spawn([]() -> future<std::string> { co_return std::string(100, 'x'); });
    auto j3 = a.spawn([]() -> future<std::string> { co_return std::string(100, 'y'); });
    a.block_on(one_round());
    b.block_on([&]() -> future<> {
      CHECK(co_await std::move(j1) == 11);
      const std::string s = co_await std::move(j2);
      CHECK(s.size() == 100);
      {
        const auto dropped = std::move(j3);
      }
      co_return;
    });
  }
  SUBCASE("made by handle::spawn in a task of the one") {
    std::optional<eddy::join_handle<int>> j;
    a.block_on([&]() -> future<> {
      j = eddy::handle::current().spawn(just(12));
      co_await eddy::yield_now();
    });
    CHECK(b.block_on(*std::move(j)) == 12);
  }
  SUBCASE("waiting there when it ends") {
    promise<int> p;
    auto j = a.spawn(p.get_future());
    std::thread runs_a;
    CHECK(b.block_on([&]() -> future<int> {
      runs_a = std::thread([&] {
        p.set_value(13);
        a.block_on(one_round());
        a.block_on(one_round());
      });
      co_return co_await std::move(j);
    }) == 13);
    runs_a.join();
  }
  SUBCASE("its own runtime is gone: a value that was there stays") {
    std::optional<eddy::runtime> c(std::in_place);
    auto done = c->spawn([]() -> future<std::string> { co_return std::string(50, 'z'); });
    auto waits = c->spawn([]() -> future<> { co_await never(); });
    auto never_ran = c->spawn(just(1));
    c->block_on(one_round());
    auto unstarted = c->spawn(just(2));
    c.reset();
    b.block_on([&]() -> future<> {
      const std::string s = co_await std::move(done);
      CHECK(s == std::string(50, 'z'));
      const auto r = co_await eddy::attempt(std::move(waits));
      CHECK(r.error() == eddy::errc::aborted);
      CHECK(co_await std::move(never_ran) == 1);
      const auto u = co_await eddy::attempt(std::move(unstarted));
      CHECK(u.error() == eddy::errc::aborted);
    });
  }
#if EDDY_EXCEPTIONS
  SUBCASE("made by spawn it says where it belongs") {
    auto j =
        a.block_on([]() -> future<eddy::join_handle<int>> { co_return eddy::spawn(just(14)); });
    const auto r =
        b.block_on([&]() -> future<eddy::result<int>> { co_return co_await eddy::attempt(j); });
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error() == eddy::errc::misuse);
  }
#endif
}

TEST_CASE("ids are different, and the same by the handle and in the dump") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto a = eddy::spawn(just(1));
    auto b = eddy::handle::current().spawn(just(2));
    CHECK(a.id() != b.id());
    CHECK(a.id() < b.id());
    CHECK(eddy::dump().find("task " + std::to_string(a.id().value) + " 'just'") !=
          std::string::npos);
    co_await std::move(a);
    co_await std::move(b);
  });
}

// ---- dropping

TEST_CASE("a runtime is dropped with tasks in every state, and nothing is left") {
  eddy::net::socket_address at;
  const test::leak_check leaks;
  const auto held = std::make_shared<int>();
  promise<> p;
  auto f = p.get_future();
  std::optional<eddy::join_handle<int>> kept;
  {
    eddy::runtime rt;
    rt.block_on([&]() -> future<> {
      auto listener = co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
      at = listener.local_addr();
      auto out = co_await eddy::net::tcp_stream::connect(at);
      auto in = co_await listener.accept();
      // waiting: for a time, a socket (both ways), a promise, a task, nothing; nested
      eddy::spawn([](std::shared_ptr<int>) -> future<> { co_await eddy::sleep(1h); }, held);
      eddy::spawn([](std::shared_ptr<int>) -> future<> { co_await eddy::timeout(1h, never()); },
                  held);
      eddy::spawn([](eddy::net::tcp_listener l,
                     std::shared_ptr<int>) -> future<> { static_cast<void>(co_await l.accept()); },
                  std::move(listener), held);
      eddy::spawn(
          [](eddy::net::tcp_stream s, std::shared_ptr<int>) -> future<> {
            std::array<std::byte, 8> buf;
            co_await s.read(buf);
          },
          std::move(out), held);
      eddy::spawn(
          [](eddy::net::tcp_stream s, std::shared_ptr<int>) -> future<> {
            const std::vector<std::byte> much(8 << 20);
            co_await s.write_all(much);
          },
          std::move(in.stream), held);
      eddy::spawn([](future<> w, std::shared_ptr<int>) -> future<> { co_await std::move(w); },
                  std::move(f), held);
      eddy::spawn(
          [](std::shared_ptr<int> h) -> future<> {
            co_await eddy::spawn([](std::shared_ptr<int>) -> future<> { co_await never(); }, h);
          },
          held);
      eddy::spawn(
          [](std::shared_ptr<int> h) -> future<> {
            co_await [](std::shared_ptr<int>) -> future<> { co_await never(); }(std::move(h));
          },
          held);
      co_await eddy::sleep(100us);
      // ended, its handle kept; ready again; aborted and not yet destroyed; not started
      kept = eddy::handle::current().spawn(just(4));
      eddy::spawn(
          [](std::shared_ptr<int>) -> future<> {
            for (;;) co_await eddy::yield_now();
          },
          held);
      auto aborted = eddy::spawn([](std::shared_ptr<int>) -> future<> { co_await never(); }, held);
      co_await eddy::yield_now();
      aborted.abort();
      eddy::spawn([](std::shared_ptr<int>) -> future<> { co_return; }, held);
    });
    static_cast<void>(
        rt.spawn([](std::shared_ptr<int>) -> future<> { co_return; }, held));  // in the inbox
    CHECK(held.use_count() > 10);
  }
  CHECK(held.use_count() == 1);
  p.set_value();  // its task is gone
  CHECK(eddy::runtime().block_on(*std::move(kept)) == 4);
}

TEST_CASE("tasks destroyed by a runtime's end may spawn, wake, abort and drop handles") {
  const test::leak_check leaks;
  int ended = 0;
  bool late = false;
  {
    eddy::runtime rt;
    rt.block_on([&]() -> future<> {
      struct busy_end {
        int* ended;
        bool* late;
        std::vector<eddy::join_handle<>> others;
        std::vector<eddy::waker> wakers;
        ~busy_end() {
          ++*ended;
          for (auto& w : wakers) w.wake();
          for (auto& o : others) o.abort();
          const auto h = eddy::spawn([flag = late]() -> future<> {
            *flag = true;
            co_return;
          });
          CHECK(h.is_finished());
        }
      };
      std::vector<eddy::waker> wakers;
      for (int i = 0; i < 20; ++i) {
        std::vector<eddy::join_handle<>> others;
        for (int k = 0; k < 3; ++k)
          others.push_back(eddy::spawn([&wakers]() -> future<> {
            co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
              if (wakers.size() < 30) wakers.push_back(cx.get_waker());
              return eddy::pending;
            });
          }));
        co_await eddy::yield_now();
        eddy::spawn(
            [](std::unique_ptr<busy_end>) -> future<> { co_await never(); },
            std::unique_ptr<busy_end>(new busy_end{&ended, &late, std::move(others), wakers}));
        co_await eddy::yield_now();
      }
    });
  }
  CHECK(ended == 20);
  CHECK_FALSE(late);
}

TEST_CASE("a value that nobody took goes with the last of handle, wakers and runtime") {
  const test::leak_check leaks;
  const auto held = std::make_shared<int>();
  const auto task = [](std::shared_ptr<int> v) -> future<std::shared_ptr<int>> {
    co_await eddy::yield_now();
    co_return v;
  };
  eddy::waker w;
  const auto keep_waker = [&w](std::shared_ptr<int> v) -> future<std::shared_ptr<int>> {
    co_await eddy::poll_fn([&w](eddy::context& cx) -> eddy::polled<> {
      w = cx.get_waker();
      return eddy::ready;
    });
    co_return v;
  };
  std::optional<eddy::runtime> rt(std::in_place);
  SUBCASE("detached before it ends") {
    static_cast<void>(rt->spawn(task, held));
    rt->block_on(one_round());
    rt->block_on(one_round());
    CHECK(held.use_count() == 1);
  }
  SUBCASE("detached on the loop when it has ended") {
    rt->block_on([&]() -> future<> {
      std::optional<eddy::join_handle<std::shared_ptr<int>>> h = eddy::spawn(task, held);
      while (!h->is_finished()) co_await eddy::yield_now();
      CHECK(held.use_count() == 2);
      h.reset();
      CHECK(held.use_count() == 1);
    });
  }
  SUBCASE("detached elsewhere when it has ended, while somebody keeps a waker") {
    auto h = rt->block_on([&]() -> future<eddy::join_handle<std::shared_ptr<int>>> {
      auto j = eddy::spawn(keep_waker, held);
      co_await eddy::yield_now();
      co_return j;
    });
    CHECK(h.is_finished());
    {
      const auto gone = std::move(h);
    }
    rt->block_on(one_round());
    CHECK(held.use_count() == 1);
  }
  SUBCASE("the handle outlives the runtime") {
    auto h = rt->block_on([&]() -> future<eddy::join_handle<std::shared_ptr<int>>> {
      auto j = eddy::spawn(task, held);
      while (!j.is_finished()) co_await eddy::yield_now();
      co_return j;
    });
    rt.reset();
    CHECK(held.use_count() == 2);
    {
      const auto gone = std::move(h);
    }
    CHECK(held.use_count() == 1);
  }
  rt.reset();
  CHECK(held.use_count() == 1);
}

}  // namespace
