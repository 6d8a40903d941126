// A program whose loop is its own: eddy rides along. Nothing here but `host` knows libuv.

#include <eddy/runtime/runtime.hpp>

#include <doctest/doctest.h>
#include <uv.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/net/tcp_listener.hpp>
#include <eddy/net/tcp_stream.hpp>

#include "support/leak_check.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::promise;
using eddy::net::tcp_listener;
using eddy::net::tcp_stream;

struct never {
  eddy::polled<> poll(eddy::context&) noexcept { return eddy::pending; }
};
future<int> just(int v) { co_return v; }

/// The host's program: a loop, its timers and asyncs, and a count of its turns. At its end nothing may be left in
/// the loop.
class host {
 public:
  host() {
    REQUIRE(uv_loop_init(&loop) == 0);
    uv_prepare_init(&loop, &prepare_);
    uv_prepare_start(&prepare_, [](uv_prepare_t* p) { ++static_cast<host*>(p->data)->turns; });
    uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
    prepare_.data = this;
  }
  host(const host&) = delete;
  ~host() {
    uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), nullptr);
    uv_run(&loop, UV_RUN_NOWAIT);  // the one turn that detach asks for
    CHECK(uv_loop_close(&loop) == 0);
  }

  int run() { return uv_run(&loop, UV_RUN_DEFAULT); }
  int run_once() { return uv_run(&loop, UV_RUN_ONCE); }
  int run_nowait() { return uv_run(&loop, UV_RUN_NOWAIT); }

  /// Calls `f` from a timer of the host's.
  void after(std::uint64_t ms, std::function<void()> f) {
    struct timer {
      uv_timer_t handle;
      std::function<void()> f;
    };
    auto* t = new timer{{}, std::move(f)};
    t->handle.data = t;
    uv_timer_init(&loop, &t->handle);
    uv_timer_start(
        &t->handle,
        [](uv_timer_t* h) {
          auto* self = static_cast<timer*>(h->data);
          auto call = std::move(self->f);
          uv_close(reinterpret_cast<uv_handle_t*>(h),
                   [](uv_handle_t* c) { delete static_cast<timer*>(c->data); });
          call();
        },
        ms, 0);
  }

  uv_loop_t loop;
  int turns = 0;

 private:
  uv_prepare_t prepare_;
};

/// An async of the host's: keeps its loop alive until it has been sent.
struct host_async {
  uv_async_t handle;
  std::function<void()> f;
  host_async(host& h, std::function<void()> call) : f(std::move(call)) {
    handle.data = this;
    uv_async_init(&h.loop, &handle, [](uv_async_t* a) {
      auto* self = static_cast<host_async*>(a->data);
      self->f();
      uv_close(reinterpret_cast<uv_handle_t*>(a), nullptr);
    });
  }
  void send() { uv_async_send(&handle); }
};

TEST_CASE("eddy's handles do not keep the host's loop alive") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  CHECK(h.run() == 0);
  CHECK(h.turns == 0);
  CHECK(h.run_nowait() == 0);
}

TEST_CASE("tasks run in the host's turns, and keep its loop alive until they have ended") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  std::string order;
  static_cast<void>(rt.spawn([&]() -> future<> {
    order += 'a';
    co_await eddy::yield_now();
    order += 'b';
    co_await eddy::sleep(2ms);
    order += 'c';
  }));
  CHECK(order.empty());  // not in the call
  CHECK(h.run() == 0);
  CHECK(order == "abc");
  CHECK(h.run() == 0);
}

TEST_CASE("a task that waits for nothing keeps the loop alive until it is aborted") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  const auto waits = rt.spawn([]() -> future<> { co_await never(); });
  CHECK(h.run_nowait() != 0);
  CHECK(h.run_nowait() != 0);
  waits.abort();
  CHECK(h.run() == 0);
  CHECK(waits.is_finished());
}

TEST_CASE("ten thousand tasks, each spawned by the one before, with nothing else alive") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  int ran = 0;
  struct link {
    int* ran;
    future<> operator()() const {
      if (++*ran < 10'000) eddy::spawn(link{ran});
      co_return;
    }
  };
  static_cast<void>(rt.spawn(link{&ran}));
  CHECK(h.run() == 0);
  CHECK(ran == 10'000);
}

TEST_CASE("many ready tasks leave the host its turns") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  int polls = 0;
  for (int i = 0; i < 1000; ++i)
    static_cast<void>(rt.spawn([&]() -> future<> {
      for (int k = 0; k < 10; ++k) {
        ++polls;
        co_await eddy::yield_now();
      }
    }));
  h.run_nowait();
  CHECK(polls > 0);
  CHECK(polls <= 200);
  CHECK(h.run() == 0);
  CHECK(polls == 10'000);
}

TEST_CASE("spawn from a host's callbacks, and a promise fulfilled there") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  promise<int> p;
  std::optional<eddy::join_handle<int>> inner;
  int got = 0;
  static_cast<void>(
      rt.spawn([&got, f = p.get_future()]() mutable -> future<> { got = co_await std::move(f); }));
  h.after(1, [&] {
    CHECK_FALSE(eddy::handle::has_current());
    inner = rt.get_handle().spawn([&p]() -> future<int> {
      co_await eddy::yield_now();
      p.set_value(7);
      co_return 8;
    });
  });
  CHECK(h.run() == 0);
  CHECK(got == 7);
  CHECK(inner->is_finished());
  // And a promise that a host's timer fulfils, with its task the only thing of eddy's.
  promise<int> q;
  static_cast<void>(
      rt.spawn([&got, f = q.get_future()]() mutable -> future<> { got = co_await std::move(f); }));
  h.after(1, [&] { q.set_value(17); });
  CHECK(h.run() == 0);
  CHECK(got == 17);
}

TEST_CASE("spawn under enter() in a host's callback") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  int ran = 0;
  h.after(0, [&] {
    const auto guard = rt.get_handle().enter();
    eddy::spawn([&ran]() -> future<> {
      co_await eddy::sleep(1ms);
      ++ran;
    });
  });
  h.after(3, [] {});
  CHECK(h.run() == 0);
  CHECK(ran == 1);
}

TEST_CASE("a handle from another thread spawns, aborts and awaits") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  const auto home = std::this_thread::get_id();
  host_async done(h, [] {});
  std::thread other([handle = rt.get_handle(), home, &done] {
    eddy::runtime own;
    auto value = handle.spawn([home]() -> future<int> {
      CHECK(std::this_thread::get_id() == home);
      co_await eddy::sleep(1ms);
      co_return 6;
    });
    CHECK(own.block_on(std::move(value)) == 6);
    auto waits = handle.spawn([]() -> future<> { co_await never(); });
    waits.abort();
    const auto r = own.block_on(eddy::attempt(std::move(waits)));
    CHECK(r.error() == eddy::errc::aborted);
    done.send();
  });
  CHECK(h.run() == 0);
  other.join();
}

TEST_CASE("a join handle made in a host's callback is awaited on another runtime") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  auto j = rt.spawn(just(5));
  CHECK(h.run() == 0);
  CHECK(eddy::runtime().block_on(std::move(j)) == 5);
}

TEST_CASE("sockets work in the host's turns") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  std::string got;
  static_cast<void>(rt.spawn([&]() -> future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    const auto at = listener.local_addr();
    eddy::spawn(
        [](tcp_listener l) -> future<> {
          auto a = co_await l.accept();
          co_await eddy::sleep(1ms);
          co_await a.stream.write_all(std::as_bytes(std::span("ahoy", 4)));
        },
        std::move(listener));
    auto s = co_await tcp_stream::connect(at);
    std::array<std::byte, 8> buf;
    while (const std::size_t n = co_await s.read(buf))
      for (std::size_t i = 0; i < n; ++i) got += static_cast<char>(buf[i]);
  }));
  CHECK(h.run() == 0);
  CHECK(got == "ahoy");
}

TEST_CASE("blocking jobs come back in the host's turns") {
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  int got = 0;
  static_cast<void>(rt.spawn([&]() -> future<> {
    for (int i = 0; i < 50; ++i) got += co_await eddy::spawn_blocking([] { return 1; });
  }));
  CHECK(h.run() == 0);
  CHECK(got == 50);
}

#if EDDY_EXCEPTIONS
TEST_CASE("block_on is refused on a loop that its host turns, and in its turns") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  std::string said;
  static_cast<void>(rt.spawn([&]() -> future<> {
    eddy::runtime own;
    try {
      own.block_on(just(1));
    } catch (const std::logic_error& e) {
      said = e.what();
    }
    co_return;
  }));
  CHECK(h.run() == 0);
  CHECK(said.find("block_on: this thread runs a runtime's task already") != said.npos);
  eddy::runtime own;
  CHECK(own.block_on(just(2)) == 2);  // between turns the thread is free
}

TEST_CASE("after detach an attachment refuses to be used, its handles say aborted") {
  const test::leak_check leaks;
  host h;
  auto rt = eddy::runtime::attach(&h.loop);
  const auto handle = rt.get_handle();
  rt.detach();
  rt.detach();
  CHECK_THROWS_AS(rt.spawn(just(1)), std::logic_error);
  CHECK_THROWS_AS(rt.get_handle(), std::logic_error);
  CHECK(handle.spawn(just(1)).is_finished());
}
#endif

TEST_CASE("detach leaves nothing, in whatever state the tasks are") {
  const test::leak_check leaks;
  host h;
  auto rt = eddy::runtime::builder().name("guest").attach(&h.loop);
  const auto handle = rt.get_handle();
  const auto held = std::make_shared<int>();
  bool in_a_callback = false;
  SUBCASE("nothing was ever spawned") {}
  SUBCASE("never run") {
    static_cast<void>(rt.spawn([held]() -> future<> { co_return; }));
  }
  SUBCASE("ready again") {
    static_cast<void>(rt.spawn([held]() -> future<> {
      for (;;) co_await eddy::yield_now();
    }));
    h.run_nowait();
  }
  SUBCASE("asleep") {
    static_cast<void>(rt.spawn([held]() -> future<> { co_await eddy::sleep(1h); }));
    h.run_nowait();
  }
  SUBCASE("at the moment its time has come") {
    static_cast<void>(rt.spawn([held]() -> future<> { co_await eddy::sleep(1ms); }));
    h.run_nowait();
    const auto due = eddy::clock::now() + 1ms;
    while (eddy::clock::now() < due) std::this_thread::yield();
  }
  SUBCASE("waiting for nothing, and for each other") {
    auto a = rt.spawn([held]() -> future<> { co_await never(); });
    static_cast<void>(
        rt.spawn([a = std::move(a)]() mutable -> future<> { co_await std::move(a); }));
    h.run_nowait();
  }
  SUBCASE("waiting for sockets") {
    static_cast<void>(rt.spawn([held]() -> future<> {
      auto listener = co_await tcp_listener::bind("127.0.0.1:0");
      auto s = co_await tcp_stream::connect(listener.local_addr());
      static_cast<void>(co_await listener.accept());
      static_cast<void>(co_await listener.accept());
    }));
    for (int i = 0; i < 5; ++i) h.run_nowait();
  }
  SUBCASE("ended") {
    static_cast<void>(rt.spawn([held]() -> future<> { co_return; }));
    h.run();
  }
  SUBCASE("spawned and woken from another thread, unseen") {
    promise<> p;
    static_cast<void>(
        rt.spawn([held, f = p.get_future()]() mutable -> future<> { co_await std::move(f); }));
    h.run_nowait();
    std::thread([&] {
      static_cast<void>(handle.spawn([held]() -> future<> { co_return; }));
      p.set_value();
    }).join();
  }
  SUBCASE("in a callback of the host's") {
    static_cast<void>(rt.spawn([held]() -> future<> {
      for (;;) co_await eddy::sleep(1ms);
    }));
    in_a_callback = true;
  }
  bool called = false;
  if (in_a_callback) {
    h.after(2, [&] { rt.detach([&] { called = true; }); });
    CHECK(h.run() == 0);
  } else {
    rt.detach([&] { called = true; });
    CHECK_FALSE(called);
    h.run_nowait();
  }
  CHECK(held.use_count() == 1);
  CHECK(called);
  CHECK(handle.spawn(just(1)).is_finished());
}

TEST_CASE("the callback of detach may attach again, and the loop goes on with other things") {
  const test::leak_check leaks;
  host h;
  std::optional<eddy::attachment> rt(eddy::runtime::attach(&h.loop));
  std::optional<eddy::attachment> again;
  int ran = 0;
  rt->detach([&] {
    again.emplace(eddy::runtime::attach(&h.loop));
    static_cast<void>(again->spawn([&]() -> future<> {
      ++ran;
      co_return;
    }));
  });
  h.after(1, [&] { ++ran; });
  CHECK(h.run() == 0);
  CHECK(ran == 2);
}

TEST_CASE("an attachment that goes out of scope detaches") {
  const test::leak_check leaks;
  host h;
  const auto held = std::make_shared<int>();
  {
    auto rt = eddy::runtime::attach(&h.loop);
    static_cast<void>(rt.spawn([held]() -> future<> { co_await never(); }));
    h.run_nowait();
    const auto moved = std::move(rt);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("two attachments on one loop run side by side, and are detached one by one") {
  const test::leak_check leaks;
  host h;
  auto a = eddy::runtime::builder().name("a").attach(&h.loop);
  auto b = eddy::runtime::builder().name("b").attach(&h.loop);
  std::string got;
  promise<int> p;
  static_cast<void>(b.spawn([&got, f = p.get_future()]() mutable -> future<> {
    const int v = co_await std::move(f);
    got = std::string(eddy::handle::current().name()) + std::to_string(v);
  }));
  static_cast<void>(a.spawn([&]() -> future<> {
    co_await eddy::sleep(1ms);
    // A task of the one spawns on the other and awaits it.
    auto j = b.get_handle().spawn([]() -> future<std::string> {
      co_await eddy::yield_now();
      co_return std::string(eddy::handle::current().name());
    });
    const std::string name = co_await std::move(j);
    CHECK(name == "b");
    p.set_value(4);
  }));
  CHECK(h.run() == 0);
  CHECK(got == "b4");
  bool alive = true;
  static_cast<void>(a.spawn([]() -> future<> { co_await never(); }));
  static_cast<void>(b.spawn([&]() -> future<> {
    co_await eddy::sleep(2ms);
    alive = false;
  }));
  h.run_nowait();
  a.detach();
  CHECK(h.run() == 0);
  CHECK_FALSE(alive);
}

TEST_CASE("a task of one attachment detaches the other") {
  const test::leak_check leaks;
  host h;
  auto a = eddy::runtime::attach(&h.loop);
  auto b = eddy::runtime::attach(&h.loop);
  const auto held = std::make_shared<int>();
  static_cast<void>(b.spawn([held]() -> future<> { co_await never(); }));
  static_cast<void>(a.spawn([&]() -> future<> {
    co_await eddy::sleep(1ms);
    b.detach();
    co_await eddy::yield_now();
    CHECK(held.use_count() == 1);
  }));
  CHECK(h.run() == 0);
}

TEST_CASE("an idle guest costs no turns") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::attach(&h.loop);
  static_cast<void>(rt.spawn([]() -> future<> { co_await eddy::sleep(40ms); }));
  static_cast<void>(rt.spawn([]() -> future<> { co_await eddy::sleep(20ms); }));
  CHECK(h.run() == 0);
  CHECK(h.turns < 10);
  h.turns = 0;
  h.after(20, [] {});
  CHECK(h.run() == 0);
  CHECK(h.turns < 5);
}

TEST_CASE("a paused guest does not spin when real time passes its deadlines") {
  const test::leak_check leaks;
  host h;
  const auto rt = eddy::runtime::builder().start_paused().attach(&h.loop);
  static_cast<void>(rt.spawn([]() -> future<> { co_await eddy::sleep(1ms); }));
  h.after(20, [&] { uv_stop(&h.loop); });
  h.run();
  CHECK(h.turns < 10);
}

TEST_CASE("a promise from another thread races with detach") {
  const test::leak_check leaks;
  for (int i = 0; i < 200; ++i) {
    host h;
    auto rt = eddy::runtime::attach(&h.loop);
    promise<int> p;
    static_cast<void>(rt.spawn(
        [f = p.get_future()]() mutable -> future<> { static_cast<void>(co_await std::move(f)); }));
    const auto handle = rt.get_handle();
    std::atomic<bool> go{false};
    std::thread other([&go, p = std::move(p), handle]() mutable {
      while (!go) {
      }
      p.set_value(1);
      handle.spawn(just(1)).abort();
    });
    h.run_nowait();
    go = true;
    for (int k = 0; k < i % 7; ++k) h.run_nowait();
    rt.detach();
    h.run_nowait();
    other.join();
  }
}

}  // namespace
