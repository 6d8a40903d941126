// The behaviour that Tokio's rt_handle.rs and rt_handle_block_on.rs test. docs/conformance.tsv says
// which case is which test.

#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/fs/read.hpp>
#include <eddy/net/tcp_listener.hpp>
#include <eddy/net/udp_socket.hpp>
#include <eddy/net/unix_stream.hpp>

#include "net/unix_folder.hpp"
#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::handle;
using eddy::join_handle;
using eddy::promise;
namespace mpsc = eddy::sync::mpsc;

struct never {
  eddy::polled<> poll(eddy::context&) noexcept { return eddy::pending; }
};
future<> wait_forever() { co_await never(); }
future<int> number(int v) { co_return v; }

/// Awaits `h` on another runtime and returns the outcome.
template <class T>
eddy::result<T> outcome(join_handle<T> h) {
  return eddy::runtime().block_on(eddy::attempt(std::move(h)));
}

TEST_CASE("guards of two runtimes restore the current runtime in reverse order") {
  const test::leak_check leaks;
  const eddy::runtime one = test::make_runtime();
  const eddy::runtime two = test::make_runtime();
  CHECK_FALSE(handle::has_current());
  {
    const auto first = one.enter();
    {
      const auto second = two.enter();
      CHECK(handle::current().id() == two.get_handle().id());
    }
    CHECK(handle::current().id() == one.get_handle().id());
  }
  CHECK_FALSE(handle::has_current());
}

TEST_CASE("guards of one runtime may end in any order") {
  const test::leak_check leaks;
  const eddy::runtime rt = test::make_runtime();
  {
    const auto first = rt.enter();
    std::unique_ptr<eddy::enter_guard> second(new auto(rt.enter()));
    const auto third = rt.enter();
    second.reset();
    CHECK(handle::current().id() == rt.get_handle().id());
  }
  CHECK_FALSE(handle::has_current());
}

future<> look_once(join_handle<>& h) {
  co_await eddy::poll_fn([&h](eddy::context& cx) -> eddy::polled<> {
    CHECK_FALSE(h.poll(cx).is_ready());
    return eddy::ready;
  });
}

TEST_CASE("tasks that hold each other's handles do not leak") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    const auto all = std::make_shared<eddy::sync::barrier>(3);
    promise<join_handle<>> p;
    auto a = eddy::spawn([all, f = p.get_future()]() mutable -> future<> {
      auto b = co_await std::move(f);
      co_await look_once(b);
      co_await all->wait();
    });
    auto b = eddy::spawn([all, a = std::move(a)]() mutable -> future<> {
      co_await look_once(a);
      co_await all->wait();
    });
    p.set_value(std::move(b));
    co_await all->wait();
  });
}

TEST_CASE("all handles of a runtime have the same id") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  const auto id = rt.get_handle().id();
  CHECK(rt.get_handle().id() == id);
  const auto inside = rt.block_on([]() -> future<eddy::runtime_id> {
    co_return co_await eddy::spawn([]() -> future<eddy::runtime_id> {
      co_await eddy::yield_now();
      co_return handle::current().id();
    });
  });
  CHECK(inside == id);
}

TEST_CASE("different runtimes have different ids") {
  const test::leak_check leaks;
  const eddy::runtime one = test::make_runtime();
  const eddy::runtime two = test::make_runtime();
  const eddy::runtime three;
  CHECK(one.get_handle().id() != two.get_handle().id());
  CHECK(one.get_handle().id() != three.get_handle().id());
}

// ---- block_on

TEST_CASE("a handle's block_on returns the value of a future, a leaf or a callable") {
  const test::leak_check leaks;
  const eddy::runtime rt = test::make_runtime();
  const auto guard = rt.enter();
  CHECK(handle::current().block_on(number(1)) == 1);
  CHECK(handle::current().block_on(
            [v = std::string("own")]() -> future<std::string> { co_return v; }) == "own");
  handle::current().block_on(eddy::yield_now());
}

TEST_CASE("successive block_on calls of a handle may use one channel") {
  const test::leak_check leaks;
  const eddy::runtime rt = test::make_runtime();
  const auto h = rt.get_handle();
  auto [tx, rx] = mpsc::channel<int>(1024);
  h.block_on(tx.send(42));
  CHECK(h.block_on(rx.recv()) == 42);
  auto [all, out] = mpsc::unbounded_channel<int>();
  CHECK(all.send(43).has_value());
  CHECK(h.block_on(out.recv()) == 43);
}

TEST_CASE("a handle's block_on waits for a blocking job, a sleep, and sockets") {
  const test::unix_folder folder;
  const eddy::runtime rt = test::make_runtime();
  const auto guard = rt.enter();
  const auto h = handle::current();
  CHECK(h.block_on(eddy::spawn_blocking([] { return 42; })) == 42);
  const auto before = std::chrono::steady_clock::now();
  h.block_on(eddy::sleep(3ms));
  CHECK(std::chrono::steady_clock::now() - before >= 3ms);
  CHECK(h.block_on(eddy::net::tcp_listener::bind("127.0.0.1:0")).local_addr().port() != 0);
  CHECK(h.block_on(eddy::net::udp_socket::bind("127.0.0.1:0")).local_addr().port() != 0);
  h.block_on([](std::string path) -> future<> {
    auto listener = eddy::net::unix_listener::bind(path).value();
    const auto late = co_await eddy::attempt(eddy::timeout(1ms, listener.accept()));
    CHECK(late.error() == eddy::errc::elapsed);
  }(folder.file("s")));
}

TEST_CASE("a handle's block_on reads a file") {
  const test::unix_folder folder;
  const eddy::runtime rt = test::make_runtime();
  const auto h = rt.get_handle();
  h.block_on(eddy::fs::write(folder.file("log"), "all's well"));
  CHECK(h.block_on(eddy::fs::read_to_string(folder.file("log"))) == "all's well");
}

TEST_CASE("a blocking job may block on a future of its runtime") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    const int v = co_await eddy::spawn_blocking([] {
      return handle::current().block_on([]() -> future<int> {
        co_await eddy::sleep(1ms);
        co_return co_await eddy::spawn(number(5));
      });
    });
    CHECK(v == 5);
  });
}

TEST_CASE("several threads may block on one runtime by its handles at once") {
  const test::leak_check leaks;
  const eddy::runtime rt = test::make_runtime();
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([h = rt.get_handle(), t] {
      for (int i = 0; i < 50; ++i)
        CHECK(h.block_on([](int v) -> future<int> {
          if (v % 10 == 0) co_await eddy::sleep(20us);
          co_return co_await eddy::spawn(number(v));
        }(t * 100 + i)) == t * 100 + i);
    });
  for (auto& t : threads) t.join();
}

#if EDDY_EXCEPTIONS
TEST_CASE("a handle's block_on inside a task is refused with a message") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  CHECK_THROWS_WITH_AS(
      rt.block_on([]() -> future<> {
        handle::current().block_on(eddy::sleep(10ms));
        co_return;
      }),
      "eddy: block_on: this thread runs a runtime's task already; await the future instead, or "
      "use another thread",
      std::logic_error);
}

TEST_CASE("a handle's block_on that waits ends with a join_error when the runtime ends") {
  const test::leak_check leaks;
  for (int i = 0; i < 20; ++i) {
    const auto held = std::make_shared<int>();
    std::optional<eddy::runtime> rt(test::make_runtime());
    std::atomic<int> waiting{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
      threads.emplace_back([h = rt->get_handle(), held, &waiting] {
        CHECK_THROWS_AS(h.block_on([&waiting, held]() -> future<> {
          ++waiting;
          co_await never();
        }),
                        eddy::join_error);
      });
    while (waiting < i % 3) std::this_thread::yield();
    rt.reset();
    for (auto& t : threads) t.join();
    CHECK(held.use_count() == 1);
  }
}

TEST_CASE("a handle's block_on after the runtime's end throws join_error and runs nothing") {
  const test::leak_check leaks;
  std::optional<eddy::runtime> rt(test::make_runtime());
  const auto h = rt->get_handle();
  auto sleeps = eddy::sleep(1ms);
  auto binds = eddy::net::tcp_listener::bind("127.0.0.1:0");
  auto [tx, rx] = mpsc::channel<int>(1);
  rt.reset();
  CHECK_THROWS_AS(h.block_on(number(1)), eddy::join_error);
  CHECK_THROWS_AS(h.block_on(std::move(sleeps)), eddy::join_error);
  CHECK_THROWS_AS(h.block_on(eddy::sleep(1ms)), eddy::join_error);
  CHECK_THROWS_AS(h.block_on(std::move(binds)), eddy::join_error);
  CHECK_THROWS_AS(h.block_on(eddy::net::tcp_listener::bind("127.0.0.1:0")), eddy::join_error);
  CHECK_THROWS_AS(h.block_on(eddy::net::udp_socket::bind("127.0.0.1:0")), eddy::join_error);
  CHECK_THROWS_AS(h.block_on(eddy::fs::read_to_string("/dev/null")), eddy::join_error);
  CHECK_THROWS_AS(h.block_on(tx.send(1)), eddy::join_error);
  CHECK(rx.try_recv().error() == std::errc::resource_unavailable_try_again);
}
#endif

// ---- after the runtime's end

TEST_CASE("a task spawned by a handle after the runtime's end is aborted") {
  const test::leak_check leaks;
  std::optional<eddy::runtime> rt(test::make_runtime());
  const auto h = rt->block_on([]() -> future<handle> { co_return handle::current(); });
  auto before = h.spawn(wait_forever());
  rt.reset();
  auto after = h.spawn(wait_forever());
  CHECK(before.is_finished());
  CHECK(after.is_finished());
  CHECK(outcome(std::move(before)).error() == eddy::errc::aborted);
  CHECK(outcome(std::move(after)).error() == eddy::errc::aborted);
}

TEST_CASE("a blocking job that has started returns its value after the runtime's end") {
  std::promise<void> started;
  std::promise<void> may_end;
  std::optional<eddy::runtime> rt(test::make_runtime());
  auto job = [&] {
    const auto guard = rt->enter();
    return eddy::spawn_blocking([&] {
      started.set_value();
      may_end.get_future().wait();
      return 42;
    });
  }();
  started.get_future().wait();
  rt.reset();
  may_end.set_value();
  CHECK(outcome(std::move(job)) == 42);
}

TEST_CASE("a blocking job spawned after the runtime's end is not run") {
  std::optional<eddy::runtime> rt(test::make_runtime());
  const auto guard = rt->enter();
  rt.reset();
  auto job = eddy::spawn_blocking([] { return 1; });
  CHECK(outcome(std::move(job)).error() == eddy::errc::aborted);
}

TEST_CASE("after the runtime's end a Unix listener can be neither bound nor awaited") {
  const test::leak_check leaks;
  const test::unix_folder folder;
  std::optional<eddy::runtime> rt(test::make_runtime());
  auto listener = rt->block_on([](std::string path) -> future<eddy::net::unix_listener> {
    co_return eddy::net::unix_listener::bind(path).value();
  }(folder.file("s")));
  auto accepts = listener.accept();
  const auto guard = rt->enter();
  rt.reset();
  const auto late = eddy::net::unix_listener::bind(folder.file("late"));
  CHECK(late.error() == eddy::errc::misuse);
  eddy::runtime other;
  CHECK(other.block_on(eddy::attempt(std::move(accepts))).error() == eddy::errc::closed);
  CHECK(other.block_on(eddy::attempt(listener.accept())).error() == eddy::errc::closed);
}

}  // namespace
