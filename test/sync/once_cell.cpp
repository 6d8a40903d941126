#include <eddy/sync/once_cell.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"

namespace {

using eddy::future;
using eddy::sync::once_cell;
using value = std::unique_ptr<int>;

future<value> make_behind(test::gate& g, int n) {
  co_await g.wait();
  co_return std::make_unique<int>(n);
}
constexpr auto make = [](test::gate* g, int n) { return make_behind(*g, n); };

TEST_CASE("set and get; a second value comes back; take empties it") {
  once_cell<value> cell;
  CHECK(cell.get() == nullptr);
  CHECK(cell.set(std::make_unique<int>(1)).has_value());
  CHECK(**cell.get() == 1);
  auto again = cell.set(std::make_unique<int>(2));
  REQUIRE_FALSE(again.has_value());
  CHECK(*again.error().value == 2);
  CHECK_FALSE(again.error().is_initializing());
  auto taken = cell.take();
  REQUIRE(taken.has_value());
  CHECK(**taken == 1);
  CHECK_FALSE(cell.initialized());
  CHECK(cell.set(std::make_unique<int>(3)).has_value());
  once_cell<value> full(std::make_unique<int>(4));
  CHECK(**full.get() == 4);
  CHECK(**std::move(full).into_inner() == 4);
}

TEST_CASE("the first to ask makes the value, the others wait for it and get the same one") {
  const test::leak_check leaks;
  test::gate g;
  once_cell<value> cell;
  test::mock_task one, two;
  auto first = cell.get_or_init(make, &g, 1);
  auto second = cell.get_or_init(make, &g, 2);
  CHECK_FALSE(one.poll(first).is_ready());
  CHECK_FALSE(two.poll(second).is_ready());
  CHECK(g.polls() == 1);  // the second has not begun
  auto refused = cell.set(std::make_unique<int>(3));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().is_initializing());
  g.open();
  CHECK(one.take_wakes() == 1);
  CHECK(two.take_wakes() == 0);
  auto made = one.poll(first);
  REQUIRE(made.is_ready());
  CHECK(***made == 1);
  CHECK(two.take_wakes() == 1);
  auto got = two.poll(second);
  REQUIRE(got.is_ready());
  CHECK(&**got == &**made);
  auto late = cell.get_or_init(make, &g, 4);
  auto at_once = two.poll(late);
  REQUIRE(at_once.is_ready());
  CHECK(&**at_once == cell.get());
}

TEST_CASE(
    "dropped while it makes the value: the next in the queue makes it, with its own function") {
  const test::leak_check leaks;
  test::gate g;
  once_cell<value> cell;
  test::mock_task one, two;
  auto second = cell.get_or_init(make, &g, 2);
  {
    auto first = cell.get_or_init(make, &g, 1);
    CHECK_FALSE(one.poll(first).is_ready());
    CHECK_FALSE(two.poll(second).is_ready());
  }
  CHECK(two.take_wakes() == 1);
  CHECK_FALSE(two.poll(second).is_ready());
  g.open();
  auto made = two.poll(second);
  REQUIRE(made.is_ready());
  CHECK(***made == 2);
}

TEST_CASE("dropped while it waits: no waker is left") {
  const test::leak_check leaks;
  test::gate g;
  once_cell<value> cell;
  test::mock_task one, two;
  auto first = cell.get_or_init(make, &g, 1);
  CHECK_FALSE(one.poll(first).is_ready());
  {
    auto second = cell.get_or_init(make, &g, 2);
    CHECK_FALSE(two.poll(second).is_ready());
  }
  CHECK(two.references() == 0);
  g.open();
  CHECK(one.poll(first).is_ready());
}

future<eddy::result<value>> may_fail(bool fails) {
  co_await eddy::yield_now();
  if (fails) co_return eddy::error(eddy::errc::closed, "may_fail");
  co_return std::make_unique<int>(7);
}

TEST_CASE("a failure leaves the cell empty, and is the await's") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    once_cell<value> cell;
    auto failed = co_await eddy::attempt(cell.get_or_try_init(may_fail, true));
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error() == eddy::errc::closed);
    CHECK_FALSE(cell.initialized());
    auto& made = co_await cell.get_or_try_init(may_fail, false);
    CHECK(*made == 7);
    CHECK(&made == cell.get());
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("what the function or its future throws is the await's, and the next may try") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    once_cell<value> cell;
    auto early = cell.get_or_init([]() -> future<value> { throw std::runtime_error("call"); });
    auto plain = cell.get_or_init(
        [](int n) { return n > 0 ? throw std::runtime_error("x") : future<value>(); }, 1);
    auto r = co_await eddy::attempt(early);
    CHECK_FALSE(r.has_value());
    auto q = co_await eddy::attempt(plain);
    CHECK_FALSE(q.has_value());
    CHECK(cell.set(std::make_unique<int>(1)).has_value());  // though both are still alive
  });
}
#endif

future<> scenario() {
  auto cell = std::make_shared<once_cell<int>>();
  auto ask = [](std::shared_ptr<once_cell<int>> c, int n) -> future<int> {
    const int& v = co_await c->get_or_init(
        [](int each) -> future<int> {
          co_await eddy::sleep(std::chrono::seconds(1));
          co_return each;
        },
        n);
    co_return v;
  };
  auto one = eddy::spawn(ask, cell, 1);
  auto two = eddy::spawn(ask, cell, 2);
  co_await eddy::yield_now();
  one.abort();
  const int v = co_await two;
  CHECK(v == 2);
}
TEST_CASE("aborted while it makes the value; and dropped at every cut point") {
  CHECK(test::cut_points(scenario) >= 4);
}

}  // namespace
