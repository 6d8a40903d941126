// The behaviour that Tokio's macros_join.rs tests. docs/conformance.tsv says which case is which
// test.

#include <eddy/combine/join.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/sync/oneshot.hpp>

#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"

namespace {

using eddy::future;
namespace oneshot = eddy::sync::oneshot;

template <class F>
void in_runtime(F f) {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on(f());
}

future<int> value(int v) { co_return v; }

TEST_CASE("a join of one or two branches returns their values, biased or not") {
  in_runtime([]() -> future<> {
    auto [a] = co_await eddy::join(value(1));
    auto [b] = co_await eddy::join(eddy::biased, value(2));
    auto [c, d] = co_await eddy::join(value(3), value(4));
    auto [e, f] = co_await eddy::join(eddy::biased, value(5), value(6));
    CHECK(a + b * 10 + c * 100 + d * 1000 + e * 10'000 + f * 100'000 == 654'321);
  });
}

template <class T>
future<T> take(oneshot::receiver<T> rx) {
  co_return co_await rx;
}

TEST_CASE("either of two receivers wakes a join, and both end it") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx1, rx1] = oneshot::channel<std::string>();
  auto [tx2, rx2] = oneshot::channel<int>();
  auto j = eddy::join(take(std::move(rx1)), take(std::move(rx2)));
  CHECK_FALSE(task.poll(j).is_ready());
  static_cast<void>(std::move(tx2).send(123));
  CHECK(task.take_wakes() == 1);
  CHECK_FALSE(task.poll(j).is_ready());
  static_cast<void>(std::move(tx1).send(std::string("hello")));
  CHECK(task.take_wakes() == 1);
  auto r = task.poll(j);
  REQUIRE(r.is_ready());
  CHECK((*r)->a == "hello");
  CHECK((*r)->b == 123);
}

class ready_value {
 public:
  static eddy::polled<int> poll(eddy::context&) noexcept { return 1; }
};

TEST_CASE("a join is at most as large as its branches, their values and four words") {
  constexpr std::size_t part =
      sizeof(eddy::detail::branch<ready_value>) + sizeof(std::optional<int>) + 4;
  CHECK(sizeof(eddy::join(ready_value())) <= part + 32);
  CHECK(sizeof(eddy::join(ready_value(), ready_value())) <= 2 * part + 32);
  CHECK(sizeof(eddy::join(eddy::biased, ready_value())) <= part + 32);
  CHECK(sizeof(eddy::join(eddy::biased, ready_value(), ready_value())) <= 2 * part + 32);
}

using shared_semaphore = std::shared_ptr<eddy::sync::semaphore>;

future<int> takes_whole_budgets(shared_semaphore permits) {
  int rounds = 0;
  for (; rounds < 5; ++rounds)
    for (int i = 0; i < 128; ++i) auto permit = co_await permits->acquire();
  co_return rounds;
}
future<int> takes_a_little(shared_semaphore permits) {
  int turns = 0;
  for (; turns < 5; ++turns) auto permit = co_await permits->acquire();
  co_return turns;
}

TEST_CASE("a branch that uses up the budget does not starve its neighbour") {
  in_runtime([]() -> future<> {
    auto permits = std::make_shared<eddy::sync::semaphore>(1);
    auto [greedy, little] =
        co_await eddy::join(takes_whole_budgets(permits), takes_a_little(permits));
    CHECK(greedy == 5);
    CHECK(little == 5);
  });
}

future<> four_times(std::string& order, char name) {
  for (int i = 0; i < 4; ++i) {
    order += name;
    co_await eddy::yield_now();
  }
}

TEST_CASE("each poll of a join begins with a different branch") {
  in_runtime([]() -> future<> {
    std::string order;
    co_await eddy::join(four_times(order, '1'), four_times(order, '2'), four_times(order, '3'));
    CHECK(order == "123231312123");
  });
}

TEST_CASE("a biased join polls in the order of its arguments") {
  in_runtime([]() -> future<> {
    std::string order;
    co_await eddy::join(eddy::biased, four_times(order, '1'), four_times(order, '2'),
                        four_times(order, '3'));
    CHECK(order == "123123123123");
  });
}

TEST_CASE("a join of nothing is ready") {
  in_runtime([]() -> future<> {
    co_await eddy::join();
    co_await eddy::join(eddy::biased);
    co_await eddy::try_join();
  });
}

TEST_CASE("a join takes leaves and futures") {
  in_runtime([]() -> future<> {
    auto [a, b] = co_await eddy::join(ready_value(), value(2));
    CHECK(a + b == 3);
  });
}

}  // namespace
