#include <eddy/task/abort_on_drop.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/testing/cut_points.hpp>
#include <eddy/testing/doctest.hpp>
#include <eddy/testing/mock_task.hpp>

#include "support/leaves.hpp"

namespace {

using eddy::abort_on_drop;
using eddy::errc;
using eddy::future;
using test::gate;

future<int> waits(gate& g, int value = 5) {
  co_await g.wait();
  co_return value;
}
future<> others() {
  co_await eddy::yield_now();
  co_await eddy::yield_now();
}

EDDY_TEST_CASE("awaited it is the handle: ready at once, and ready later") {
  gate g;
  eddy::test::mock_task task;
  abort_on_drop guard(eddy::spawn(waits(g)));
  task.assert_pending(guard);
  CHECK_FALSE(guard.is_finished());
  co_await others();
  g.open();
  co_await others();
  CHECK(task.take_wakes() == 1);
  CHECK(guard.is_finished());
  const int v = co_await guard;
  CHECK(v == 5);
}

EDDY_TEST_CASE("dropped while the task waits: the task is destroyed") {
  gate g;
  {
    const abort_on_drop guard(eddy::spawn(waits(g)));
    co_await others();
    CHECK(g.waiting() == 1);
  }
  co_await others();
  CHECK(g.waiting() == 0);
}

EDDY_TEST_CASE("dropping what awaits it by lvalue is not dropping it") {
  gate g;
  eddy::test::mock_task task;
  abort_on_drop guard(eddy::spawn(waits(g)));
  {
    auto t = eddy::timeout(std::chrono::hours(1), guard);
    task.assert_pending(t);
  }
  co_await others();
  CHECK(g.waiting() == 1);
  g.open();
  const int v = co_await guard;
  CHECK(v == 5);
}

EDDY_TEST_CASE("detach gives the handle back, and nothing is aborted") {
  gate g;
  std::optional<eddy::join_handle<int>> h;
  {
    abort_on_drop guard(eddy::spawn(waits(g)));
    const auto id = guard.id();
    h.emplace(std::move(guard).detach());
    CHECK(h->id() == id);
    CHECK(guard.is_finished());
    auto r = co_await eddy::attempt(guard);
    CHECK(r.error() == errc::misuse);
  }
  g.open();
  const int v = co_await *h;
  CHECK(v == 5);
}

EDDY_TEST_CASE("moved and assigned over: what is overwritten is aborted, nothing else") {
  gate first, second;
  abort_on_drop a(eddy::spawn(waits(first, 1)));
  abort_on_drop b(eddy::spawn(waits(second, 2)));
  abort_on_drop c(std::move(b));
  co_await others();
  CHECK(first.waiting() == 1);
  a = std::move(c);
  co_await others();
  CHECK(first.waiting() == 0);
  a = abort_on_drop(std::move(a));
  co_await others();
  CHECK(second.waiting() == 1);
  second.open();
  const int v = co_await a;
  CHECK(v == 2);
}

EDDY_TEST_CASE("a guard that has given its handle away and is assigned to") {
  gate g;
  g.open();
  abort_on_drop a(eddy::spawn(waits(g, 1)));
  auto h = std::move(a).detach();
  a = abort_on_drop(eddy::spawn(waits(g, 2)));
  const int one = co_await h;
  const int two = co_await a;
  CHECK(one == 1);
  CHECK(two == 2);
}

TEST_CASE("dropped at every cut point") {
  gate g, never;
  const auto scenario = [&]() -> future<> {
    g.close();
    abort_on_drop kept(eddy::spawn(waits(g)));
    {
      const abort_on_drop dropped(eddy::spawn(waits(never)));
      co_await eddy::yield_now();
    }
    g.open();
    const int v = co_await kept;
    CHECK(v == 5);
  };
  CHECK(eddy::test::cut_points(scenario) > 4);
}

#if EDDY_EXCEPTIONS
EDDY_TEST_CASE("detach a second time is misuse") {
  gate g;
  g.open();
  abort_on_drop a(eddy::spawn(waits(g)));
  auto h = std::move(a).detach();
  CHECK_THROWS_AS(std::move(a).detach(), std::logic_error);
  co_await h;
}
#endif

}  // namespace
