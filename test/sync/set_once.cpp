// What Tokio's sync_set_once.rs asks is here too. docs/conformance.tsv says which case is which test.

#include <eddy/sync/set_once.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

namespace {

using eddy::future;
using eddy::sync::set_once;

TEST_CASE("a set value dies with its set_once") {
  const auto value = std::make_shared<int>(1);
  {
    set_once<std::shared_ptr<int>> once;
    CHECK(once.set(value).has_value());
    const set_once<std::shared_ptr<int>> from_the_start(value);
    CHECK(from_the_start.initialized());
    CHECK(**from_the_start.get() == 1);
    CHECK(value.use_count() == 3);
  }
  CHECK(value.use_count() == 1);
}

TEST_CASE("into_inner moves the value out, or says that there is none") {
  const auto value = std::make_shared<int>(1);
  set_once<std::shared_ptr<int>> once, from_the_start(value), none;
  CHECK(once.set(value).has_value());
  auto one = std::move(once).into_inner();
  auto two = std::move(from_the_start).into_inner();
  CHECK(value.use_count() == 3);
  one.reset();
  two.reset();
  CHECK(value.use_count() == 1);
  CHECK_FALSE(std::move(none).into_inner().has_value());
}

TEST_CASE("null before, the value after; a second one comes back") {
  set_once<std::unique_ptr<int>> once;
  CHECK(once.get() == nullptr);
  CHECK_FALSE(once.initialized());
  CHECK(once.set(std::make_unique<int>(5)).has_value());
  CHECK(**once.get() == 5);
  auto again = once.set(std::make_unique<int>(6));
  REQUIRE_FALSE(again.has_value());
  CHECK(*again.error().value == 6);
  CHECK_FALSE(again.error().is_initializing());
  CHECK(**once.get() == 5);
}

TEST_CASE("a wait is ready at once, or woken later, with the value in its place") {
  set_once<int> once;
  test::mock_task task;
  auto wait = once.wait();
  CHECK_FALSE(task.poll(wait).is_ready());
  CHECK(once.set(4).has_value());
  CHECK(task.take_wakes() == 1);
  auto value = task.poll(wait);
  REQUIRE(value.is_ready());
  CHECK(&*value == once.get());
  auto late = once.wait();
  CHECK(task.poll(late).is_ready());
  CHECK(task.take_wakes() == 0);
}

TEST_CASE("a wait dropped is not woken") {
  set_once<int> once;
  test::mock_task task;
  {
    auto wait = once.wait();
    CHECK_FALSE(task.poll(wait).is_ready());
  }
  CHECK(task.references() == 0);
  CHECK(once.set(4).has_value());
  CHECK(task.take_wakes() == 0);
}

future<> scenario() {
  auto once = std::make_shared<set_once<int>>();
  auto setter = eddy::spawn(
      [](std::shared_ptr<set_once<int>> s) -> future<> {
        co_await eddy::yield_now();
        CHECK(s->set(5).has_value());
      },
      once);
  const int& value = co_await once->wait();
  CHECK(value == 5);
  co_await setter;
}
TEST_CASE("a task waits for what another sets; dropped at every cut point") {
  CHECK(test::cut_points(scenario) >= 2);
}

#if EDDY_POOL
TEST_CASE("of two threads that set one succeeds, and a loop that waits has its value") {
  const test::leak_check leaks;
  for (int round = 0; round < 50; ++round) {
    set_once<int> once;
    int successes[2] = {};
    std::thread one([&] { successes[0] = once.set(1).has_value(); });
    std::thread two([&] { successes[1] = once.set(2).has_value(); });
    eddy::runtime rt;
    const int heard = rt.block_on([](set_once<int>& s) -> future<int> {
      const int& value = co_await s.wait();
      co_return value;
    }(once));
    one.join();
    two.join();
    CHECK(successes[0] + successes[1] == 1);
    CHECK(heard == (successes[0] != 0 ? 1 : 2));
  }
}
#endif

#if EDDY_EXCEPTIONS
struct refuses_to_move {
  explicit refuses_to_move(bool b) : refuse(b) {}
  refuses_to_move(refuses_to_move&& other) : refuse(other.refuse) {
    if (refuse && ++moves == 1) throw std::runtime_error("move");
  }
  bool refuse;
  static inline int moves = 0;
};
TEST_CASE("a move that throws comes out of set, and another may set") {
  set_once<refuses_to_move> once;
  CHECK_THROWS_AS(static_cast<void>(once.set(refuses_to_move(true))), std::runtime_error);
  CHECK_FALSE(once.initialized());
  CHECK(once.set(refuses_to_move(false)).has_value());
}
#endif

}  // namespace
