// The behaviour that Tokio's rt_common.rs tests, for every kind of runtime. docs/conformance.tsv
// says which case is which test.

#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/net/tcp_listener.hpp>
#include <eddy/net/tcp_stream.hpp>

#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::promise;
using eddy::net::tcp_listener;
using eddy::net::tcp_stream;

struct never {
  eddy::polled<> poll(eddy::context&) noexcept { return eddy::pending; }
};

/// Wakes its own task and lets other tasks run, using only the contract of a leaf.
future<> step_back() {
  bool stepped = false;
  co_await eddy::poll_fn([&stepped](eddy::context& cx) -> eddy::polled<> {
    if (std::exchange(stepped, true)) return eddy::ready;
    cx.get_waker().wake();
    return eddy::pending;
  });
}
future<> spin(const bool& stop) {
  while (!stop) co_await step_back();
}
future<> one_round() { co_await eddy::yield_now(); }
future<std::string> say(std::string what) { co_return what; }

TEST_CASE("block_on returns the value of a future that is ready at once") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  bool ran = false;
  CHECK(rt.block_on([&]() -> future<std::string> {
    ran = true;
    co_return "now";
  }) == "now");
  CHECK(ran);
}

TEST_CASE("block_on waits for a value from another thread") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  std::thread helper;
  CHECK(rt.block_on([&]() -> future<std::string> {
    promise<std::string> p;
    auto f = p.get_future();
    helper = std::thread([p = std::move(p)]() mutable { p.set_value("later"); });
    co_return co_await std::move(f);
  }) == "later");
  helper.join();
}

TEST_CASE("a spawned task runs concurrently with its spawner") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  CHECK(rt.block_on([]() -> future<int> {
    promise<int> p;
    auto f = p.get_future();
    eddy::spawn([p = std::move(p)]() mutable -> future<> {
      p.set_value(12);
      co_return;
    });
    co_return co_await std::move(f);
  }) == 12);
}

TEST_CASE("awaiting a join handle returns the task's value") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    promise<int> p;
    auto f = p.get_future();
    auto h = eddy::spawn([p = std::move(p)]() mutable -> future<std::string> {
      p.set_value(3);
      co_return "done";
    });
    CHECK(co_await std::move(f) == 3);
    const std::string out = co_await std::move(h);
    CHECK(out == "done");
  });
}

TEST_CASE("a promise passes a value from task to task") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  CHECK(rt.block_on([]() -> future<int> {
    promise<int> p1;
    promise<int> p2;
    auto f1 = p1.get_future();
    auto f2 = p2.get_future();
    eddy::spawn([p1 = std::move(p1)]() mutable -> future<> {
      p1.set_value(20);
      co_return;
    });
    eddy::spawn([p2 = std::move(p2), f1 = std::move(f1)]() mutable -> future<> {
      const int v = co_await std::move(f1);
      p2.set_value(v + 1);
    });
    co_return co_await std::move(f2);
  }) == 21);
}

TEST_CASE("a task spawned in one block_on is awaited in the next") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  promise<int> p;
  auto f = p.get_future();
  auto h = rt.block_on([p = std::move(p)]() mutable -> future<eddy::join_handle<std::string>> {
    co_return eddy::spawn([p = std::move(p)]() mutable -> future<std::string> {
      p.set_value(8);
      co_return "done";
    });
  });
  rt.block_on([f = std::move(f), h = std::move(h)]() mutable -> future<> {
    CHECK(co_await std::move(f) == 8);
    const std::string out = co_await std::move(h);
    CHECK(out == "done");
  });
}

TEST_CASE("a task awaits a task that awaits a task") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  CHECK(rt.block_on([]() -> future<std::string> {
    co_return co_await eddy::spawn([]() -> future<std::string> {
      co_return co_await eddy::spawn(
          []() -> future<std::string> { co_return co_await eddy::spawn(say("deep")); });
    });
  }) == "deep");
}

TEST_CASE("dropping a runtime drops what its waiting tasks hold") {
  const test::leak_check leaks;
  const auto held = std::make_shared<int>(0);
  std::optional<eddy::runtime> rt(test::make_runtime());
  rt->block_on([&]() -> future<> {
    eddy::spawn([held]() -> future<> {
      CHECK(held.use_count() == 2);
      co_await never();
    });
    co_await eddy::yield_now();
  });
  CHECK(held.use_count() == 2);
  rt.reset();
  CHECK(held.use_count() == 1);
}

#if EDDY_EXCEPTIONS
TEST_CASE("block_on inside a task is refused with a message") {
  const test::leak_check leaks;
  eddy::runtime outer = test::make_runtime();
  eddy::runtime inner = test::make_runtime();
  CHECK_THROWS_WITH_AS(
      outer.block_on([&]() -> future<std::string> { co_return inner.block_on(say("never")); }),
      "eddy: block_on: this thread runs a runtime's task already; await the future instead, or "
      "use another thread",
      std::logic_error);
  CHECK_THROWS_AS(
      outer.block_on([&]() -> future<std::string> { co_return outer.block_on(say("never")); }),
      std::logic_error);
  CHECK(inner.block_on(say("both still work")) == "both still work");
  CHECK(outer.block_on(say("both still work")) == "both still work");
}
#endif

TEST_CASE("a runtime made inside a task can run after that task") {
  const test::leak_check leaks;
  eddy::runtime outer = test::make_runtime();
  eddy::runtime inner =
      outer.block_on([]() -> future<eddy::runtime> { co_return test::make_runtime(); });
  CHECK(inner.block_on(say("own")) == "own");
}

TEST_CASE("a wake from another thread reaches block_on while a task keeps the loop busy") {
  const test::leak_check leaks;
  const bool stop = false;
  eddy::runtime rt = test::make_runtime();
  std::thread helper;
  rt.block_on([&]() -> future<> {
    promise<> p;
    auto f = p.get_future();
    eddy::spawn(spin(stop));
    helper = std::thread([p = std::move(p)]() mutable { p.set_value(); });
    co_await std::move(f);
  });
  helper.join();
}

TEST_CASE("a wake from another thread reaches a task while another keeps the loop busy") {
  const test::leak_check leaks;
  const bool stop = false;
  eddy::runtime rt = test::make_runtime();
  std::thread helper;
  rt.block_on([&]() -> future<> {
    promise<> p1;
    promise<> p2;
    auto f1 = p1.get_future();
    auto f2 = p2.get_future();
    eddy::spawn(spin(stop));
    helper = std::thread([p1 = std::move(p1)]() mutable { p1.set_value(); });
    eddy::spawn([f1 = std::move(f1), p2 = std::move(p2)]() mutable -> future<> {
      co_await std::move(f1);
      p2.set_value();
    });
    co_await std::move(f2);
  });
  helper.join();
}

TEST_CASE("another thread can spawn on a loop that sleeps") {
  const test::leak_check leaks;
  std::atomic<bool> parked{false};
  eddy::runtime rt = eddy::runtime::builder().on_park([&] { parked = true; }).build();
  promise<> p;
  auto f = p.get_future();
  std::thread helper([h = rt.get_handle(), p = std::move(p), &parked]() mutable {
    while (!parked) std::this_thread::yield();
    static_cast<void>(h.spawn([p = std::move(p)]() mutable -> future<> {
      p.set_value();
      co_return;
    }));
  });
  rt.block_on(std::move(f));
  helper.join();
}

TEST_CASE("another thread can spawn on a loop that is busy") {
  const test::leak_check leaks;
  const bool stop = false;
  eddy::runtime rt = test::make_runtime();
  promise<> p;
  auto f = p.get_future();
  std::thread helper;
  rt.block_on([&]() -> future<> {
    eddy::spawn(spin(stop));
    co_await eddy::yield_now();
    helper = std::thread([h = rt.get_handle(), p = std::move(p)]() mutable {
      static_cast<void>(h.spawn([p = std::move(p)]() mutable -> future<> {
        p.set_value();
        co_return;
      }));
    });
    co_await std::move(f);
  });
  helper.join();
}

TEST_CASE("block_on of a sleep does not return early") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  const auto before = std::chrono::steady_clock::now();
  rt.block_on(eddy::sleep(4ms));
  CHECK(std::chrono::steady_clock::now() - before >= 4ms);
}

TEST_CASE("a sleep in a spawned task does not end early") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  const auto before = std::chrono::steady_clock::now();
  rt.block_on(
      []() -> future<> { co_await eddy::spawn([]() -> future<> { co_await eddy::sleep(4ms); }); });
  CHECK(std::chrono::steady_clock::now() - before >= 4ms);
}

future<> connect_and_accept() {
  auto listener = co_await tcp_listener::bind("127.0.0.1:0");
  const auto at = listener.local_addr();
  auto server = eddy::spawn(
      [](tcp_listener l) -> future<> {
        const auto a = co_await l.accept();
        CHECK(a.peer.port() != 0);
      },
      std::move(listener));
  const auto client = co_await tcp_stream::connect(at);
  co_await std::move(server);
}

TEST_CASE("block_on binds, accepts and connects sockets") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on(connect_and_accept());
}

TEST_CASE("a blocking job can spawn a task") {
  eddy::runtime rt = test::make_runtime();
  CHECK(rt.block_on([]() -> future<std::string> {
    auto inner = co_await eddy::spawn_blocking([] { return eddy::spawn(say("from a job")); });
    co_return co_await std::move(inner);
  }) == "from a job");
}

TEST_CASE("a blocking job can spawn a blocking job") {
  eddy::runtime rt = test::make_runtime();
  CHECK(rt.block_on([]() -> future<std::string> {
    auto inner = co_await eddy::spawn_blocking(
        [] { return eddy::spawn_blocking([] { return std::string("2nd"); }); });
    co_return co_await std::move(inner);
  }) == "2nd");
}

TEST_CASE("a blocking job can wait for a sleep on its own runtime") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    co_await eddy::spawn_blocking([] {
      const auto before = std::chrono::steady_clock::now();
      eddy::runtime().block_on(eddy::sleep(1ms));
      CHECK(std::chrono::steady_clock::now() - before >= 1ms);
    });
  });
}

TEST_CASE("a blocking job can connect to a listener of the loop") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    auto job = eddy::spawn_blocking(
        [](eddy::net::socket_address at) {
          eddy::runtime().block_on(
              [at]() -> future<> { static_cast<void>(co_await tcp_stream::connect(at)); });
        },
        listener.local_addr());
    static_cast<void>(co_await listener.accept());
    co_await std::move(job);
  });
}

TEST_CASE("when the driver of a loop has its result, another thread in block_on takes over") {
  for (int i = 0; i < 50; ++i) {
    eddy::runtime rt = test::make_runtime();
    promise<> p1;
    promise<> p2;
    auto f1 = p1.get_future();
    auto f2 = p2.get_future();
    std::thread a([&] {
      rt.block_on([&]() -> future<> {
        co_await std::move(f2);
        co_await eddy::sleep(50us);
        p1.set_value();
      });
    });
    std::thread b([&] {
      rt.block_on([&]() -> future<> {
        p2.set_value();
        co_await eddy::sleep(50us);
        co_await std::move(f1);
        co_await eddy::sleep(50us);
      });
    });
    a.join();
    b.join();
  }
}

future<> greet(tcp_listener l) {
  auto a = co_await l.accept();
  co_await a.stream.write_all(std::as_bytes(std::span("ahoy", 4)));
}

future<std::string> client_and_server() {
  auto listener = co_await tcp_listener::bind("127.0.0.1:0");
  const auto at = listener.local_addr();
  eddy::spawn(greet, std::move(listener));
  auto s = co_await tcp_stream::connect(at);
  std::string got;
  std::array<std::byte, 3> buf;
  for (;;) {
    const std::size_t n = co_await s.read(buf);
    if (n == 0) co_return got;
    for (std::size_t i = 0; i < n; ++i) got += static_cast<char>(buf[i]);
  }
}

TEST_CASE("a client reads to the end what a server of the same loop writes") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  CHECK(rt.block_on(client_and_server()) == "ahoy");
}

TEST_CASE("local tasks serve a socket") {
  // The task refers to something that only its own thread may touch, so it must not move.
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    const auto home = std::this_thread::get_id();
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    const auto at = listener.local_addr();
    int accepted = 0;
    auto server = eddy::spawn_local(
        [&accepted, home](tcp_listener l) -> future<> {
          static_cast<void>(co_await l.accept());
          CHECK(std::this_thread::get_id() == home);
          ++accepted;
        },
        std::move(listener));
    static_cast<void>(co_await tcp_stream::connect(at));
    co_await std::move(server);
    CHECK(accepted == 1);
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("a task that throws drops what it holds, and other tasks run on") {
  const test::leak_check leaks;
  int failures = 0;
  eddy::runtime rt = eddy::runtime::builder()
                         .on_unhandled_failure([&](const eddy::task_failure&) { ++failures; })
                         .build();
  promise<> p;
  auto f = p.get_future();
  static_cast<void>(rt.spawn([p = std::move(p)]() mutable -> future<> {
    struct tells {
      promise<> told;
      ~tells() { told.set_value(); }
    };
    const tells t{std::move(p)};
    co_await eddy::poll_fn(
        [](eddy::context&) -> eddy::polled<> { throw std::runtime_error("boom"); });
  }));
  rt.block_on(std::move(f));
  rt.block_on(one_round());
  CHECK(failures == 1);
}

TEST_CASE("block_on throws what its future throws") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  CHECK_THROWS_WITH_AS(rt.block_on([]() -> future<> {
    throw std::out_of_range("here");
    co_return;
  }),
                       "here", std::out_of_range);
  CHECK(rt.block_on(say("goes on")) == "goes on");
}
#endif

TEST_CASE("spawn under enter() uses that runtime") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  auto h = [&] {
    const auto guard = rt.enter();
    return eddy::spawn(say("entered"));
  }();
  CHECK(rt.block_on(std::move(h)) == "entered");
}

TEST_CASE("dropping a runtime destroys a waiting leaf at once") {
  const test::leak_check leaks;
  bool dropped = false;
  struct tells : never {
    bool* told;
    explicit tells(bool* t) noexcept : told(t) {}
    tells(tells&& other) noexcept : told(std::exchange(other.told, nullptr)) {}
    ~tells() {
      if (told != nullptr) *told = true;
    }
  };
  {
    eddy::runtime rt = test::make_runtime();
    rt.block_on([&]() -> future<> {
      promise<> p;
      auto runs = p.get_future();
      eddy::spawn([&dropped, p = std::move(p)]() mutable -> future<> {
        p.set_value();
        co_await tells(&dropped);
      });
      co_await std::move(runs);
    });
    CHECK_FALSE(dropped);
  }
  CHECK(dropped);
}

TEST_CASE("tasks destroyed by a dropped runtime may wake each other") {
  const test::leak_check leaks;
  promise<> p1;
  promise<> p2;
  auto f1 = p1.get_future();
  auto f2 = p2.get_future();
  int dropped = 0;
  std::atomic<int> begun{0};
  {
    eddy::runtime rt = test::make_runtime();
    const auto task = [&dropped, &begun](promise<> theirs, future<> mine) -> future<> {
      struct tells {
        promise<> told;
        int* count;
        ~tells() {
          ++*count;
          told.set_value();
        }
      };
      const tells t{std::move(theirs), &dropped};
      ++begun;
      co_await std::move(mine);
      FAIL("went on");
    };
    static_cast<void>(rt.spawn(task, std::move(p2), std::move(f1)));
    static_cast<void>(rt.spawn(task, std::move(p1), std::move(f2)));
    while (begun != 2) rt.block_on(one_round());
  }
  CHECK(dropped == 2);
}

TEST_CASE("a runtime may be dropped while its sockets are ready") {
  const test::leak_check leaks;
  for (int i = 0; i < 10; ++i) {
    CAPTURE(i);
    eddy::runtime rt = test::make_runtime();
    rt.block_on([i]() -> future<> {
      auto listener = co_await tcp_listener::bind("127.0.0.1:0");
      auto out = co_await tcp_stream::connect(listener.local_addr());
      auto in = co_await listener.accept();
      const auto rounds = std::make_shared<std::atomic<int>>(0);
      eddy::spawn(
          [rounds](tcp_stream s) -> future<> {
            std::array<std::byte, 16> buf;
            while (co_await s.read(buf) != 0) {
              ++*rounds;
              co_await eddy::yield_now();
            }
          },
          std::move(in.stream));
      eddy::spawn(
          [](tcp_stream s) -> future<> {
            const std::array<std::byte, 7> some{};
            for (;;) {
              co_await s.write_all(some);
              co_await eddy::sleep(1us);
            }
          },
          std::move(out));
      while (*rounds <= i) co_await eddy::yield_now();
    });
  }
}

TEST_CASE("a runtime in a thread_local is dropped with its tasks at the thread's end") {
  const test::leak_check leaks;
  bool dropped = false;
  std::thread([&dropped] {
    // Made before eddy's own thread_locals of this thread, so destroyed after them.
    thread_local std::optional<eddy::runtime> kept;
    kept.emplace();
    struct tells {
      bool* told;
      ~tells() { *told = true; }
    };
    kept->block_on([&dropped]() -> future<> {
      eddy::spawn([&dropped]() -> future<> {
        const tells t{&dropped};
        co_await eddy::sleep(1h);
      });
      co_await eddy::yield_now();
    });
    const eddy::runtime other = test::make_runtime();
    CHECK_FALSE(dropped);
  }).join();
  CHECK(dropped);
}

TEST_CASE("a task whose operations are always ready has to let others run") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    std::vector<eddy::join_handle<int>> ended;
    for (int i = 0; i < 1000; ++i)
      ended.push_back(eddy::spawn([](int v) -> future<int> { co_return v; }, i));
    for (const auto& h : ended)
      while (!h.is_finished()) co_await eddy::yield_now();
    // The budget is used up before all of them have answered in one poll.
    int taken = 0;
    co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
      if (taken != 0) return eddy::ready;
      while (taken < 1000 && ended[static_cast<std::size_t>(taken)].poll(cx)) ++taken;
      return taken == 1000 ? eddy::polled<>(eddy::ready) : eddy::pending;
    });
    CHECK(taken > 0);
    CHECK(taken < 1000);
  });
}

TEST_CASE("unconstrained work may use any number of ready operations in one poll") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    std::vector<eddy::join_handle<int>> ended;
    for (int i = 0; i < 1000; ++i)
      ended.push_back(eddy::spawn([](int v) -> future<int> { co_return v; }, i));
    for (const auto& h : ended)
      while (!h.is_finished()) co_await eddy::yield_now();
    int polls = 0;
    int taken = 0;
    auto take_all = eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
      ++polls;
      while (taken < 1000 && ended[static_cast<std::size_t>(taken)].poll(cx)) ++taken;
      return taken == 1000 ? eddy::polled<>(eddy::ready) : eddy::pending;
    });
    co_await eddy::unconstrained(std::move(take_all));
    CHECK(polls == 1);
    CHECK(taken == 1000);
  });
}

TEST_CASE("consume_budget interrupts a loop when the budget is used up") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    int steps = 0;
    auto worker = eddy::pin([](int& n) -> future<> {
      for (int i = 0; i < 1000; ++i) {
        ++n;
        co_await eddy::consume_budget();
      }
    }(steps));
    int first = 0;
    co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
      if (worker.poll(cx)) return eddy::ready;
      if (first == 0) first = steps;
      return eddy::pending;  // consume_budget has woken the task
    });
    CHECK(first > 1);
    CHECK(first < 1000);
    CHECK(steps == 1000);
  });
}

TEST_CASE("a user's own leaf can take part in the budget") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    int steps = 0;
    auto worker = eddy::pin([](int& n) -> future<> {
      for (int i = 0; i < 1000; ++i) {
        ++n;
        co_await eddy::poll_fn([](eddy::context& cx) -> eddy::polled<> {
          if (!cx.proceed()) return eddy::pending;
          return eddy::ready;
        });
      }
    }(steps));
    int first = 0;
    co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
      if (worker.poll(cx)) return eddy::ready;
      if (first == 0) first = steps;
      return eddy::pending;  // proceed() has woken the task when the budget was used up
    });
    CHECK(first > 1);
    CHECK(first < 1000);
    CHECK(steps == 1000);
  });
}

TEST_CASE("a socket is served while tasks keep the loop busy") {
  const test::leak_check leaks;
  const bool stop = false;
  eddy::runtime rt = test::make_runtime();
  for (int i = 0; i < 20; ++i) static_cast<void>(rt.spawn(spin(stop)));
  CHECK(rt.block_on(client_and_server()) == "ahoy");
  // The same while the task that yields is the one that waits for the socket.
  rt.block_on([]() -> future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    std::atomic<bool> connected{false};
    auto client = eddy::spawn(
        [&connected](eddy::net::socket_address at) -> future<> {
          static_cast<void>(co_await tcp_stream::connect(at));
          connected = true;
        },
        listener.local_addr());
    while (!connected) co_await eddy::yield_now();
    static_cast<void>(co_await listener.accept());
    co_await std::move(client);
  });
}

/// Keeps a waker until its thread ends, and then wakes it.
struct wakes_at_exit {
  eddy::waker who;
  bool by_value = false;
  std::atomic<bool>* done = nullptr;
  ~wakes_at_exit() {
    if (by_value)
      std::move(who).wake();
    else
      who.wake();
    if (done != nullptr) *done = true;
  }
};

TEST_CASE("a waker in a thread_local may wake after its runtime is gone") {
  const test::leak_check leaks;
  for (const bool by_value : {false, true}) {
    std::atomic<bool> done{false};
    std::thread([&] {
      thread_local wakes_at_exit last;
      last.by_value = by_value;
      last.done = &done;
      eddy::runtime rt;  // one loop: the waker's task belongs to this thread
      rt.block_on([]() -> future<> {
        co_await eddy::spawn([]() -> future<> {
          co_await eddy::poll_fn([](eddy::context& cx) -> eddy::polled<> {
            last.who = cx.get_waker();
            return eddy::ready;
          });
        });
      });
    }).join();
    CHECK(done);
  }
}

}  // namespace
