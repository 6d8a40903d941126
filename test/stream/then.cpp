#include <eddy/stream/detail/then.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>

#include "stream/support.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

// then and buffered: streams that run futures.

namespace {

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;
using test::at_end;
using test::is_pending;
using test::note;
using test::value;

future<int> twice(int v) {
  co_await eddy::yield_now();
  co_return v * 2;
}
future<int> waits(test::gate& g, note n, int v) {
  co_await g.wait();
  co_return v + static_cast<int>(n.name().size()) - 1;
}

TEST_CASE("then runs one future after the other; leaves and void will do too") {
  const test::leak_check leaks;
  test::mock_task task;
  auto ready =
      eddy::stream_of(std::vector{1, 2}).then([](int v) { return test::after<int>(0, v + 1); });
  CHECK(test::all(task, ready) == std::vector{2, 3});
  CHECK(at_end(task, ready));
  auto later = eddy::stream_of(std::vector{1, 2}).then(twice);
  for (const int expected : {2, 4}) {
    CHECK(is_pending(task, later));
    CHECK(task.take_wakes() == 1);
    CHECK(value(task, later) == expected);
  }
  CHECK(at_end(task, later));
  CHECK(later.is_terminated());
  auto nothing = eddy::once_stream(1).then([](int) { return test::pass(1); });
  CHECK(is_pending(task, nothing));
  task.take_wakes();
  value(task, nothing);
  CHECK(at_end(task, nothing));
}

TEST_CASE(
    "then is moved and dropped while its future waits; the source is asked only when that has "
    "ended") {
  const test::leak_check leaks;
  test::take_trace();
  test::mock_task task;
  test::gate gate;
  test::feed<int> source;
  source.put(1);
  source.put(2);
  {
    auto s = source.get().then([&](int v) { return waits(gate, note("n"), v); });
    CHECK(is_pending(task, s));
    CHECK(is_pending(task, s));
    CHECK(source.polls() == 1);
    CHECK_FALSE(s.is_terminated());
    auto moved = std::move(s);
    CHECK(gate.waiting() == 1);
    gate.open();
    CHECK(task.take_wakes() == 1);
    CHECK(value(task, moved) == 1);
    CHECK(test::take_trace() == "~n ");
    gate.close();
    CHECK(is_pending(task, moved));
    CHECK(gate.waiting() == 1);
  }
  CHECK(gate.waiting() == 0);
  CHECK(test::take_trace() == "~n ");
}

#if EDDY_EXCEPTIONS
future<int> odd_only(int v) {
  co_await eddy::yield_now();
  if (v % 2 == 0) throw std::runtime_error("even");
  co_return v;
}

TEST_CASE("a future that fails fails in its place, in then and in buffered") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto a = eddy::stream_of(std::vector{1, 2, 3}).then(odd_only).boxed();
    auto b = eddy::stream_of(std::vector{1, 2, 3}).map(odd_only).buffered(3).boxed();
    for (auto* s : {&a, &b}) {
      auto one = co_await s->next();
      CHECK(*one == 1);
      auto two = co_await eddy::attempt(s->next());
      CHECK(two.error().message() == "even");
      auto three = co_await s->next();
      CHECK(*three == 3);
      auto end = co_await s->next();
      CHECK_FALSE(end.has_value());
    }
  });
}

TEST_CASE("buffered: an empty future, and none at once, are misuse") {
  const test::leak_check leaks;
  test::mock_task task;
  auto s = eddy::stream_of(std::vector{1}).map([](int) { return future<int>(); }).buffered(2);
  CHECK(test::failure(task, s).message().starts_with("eddy: "));
  CHECK(at_end(task, s));
  CHECK_THROWS_AS(std::ignore = eddy::stream_of(std::vector{1}).map(twice).buffered(0),
                  std::logic_error);
}
#endif

TEST_CASE("buffered runs as many as it may, polls only what was woken, and keeps the order") {
  const test::leak_check leaks;
  test::take_trace();
  test::mock_task task;
  test::gate gates[4];
  auto s = eddy::stream_of(std::vector{0, 1, 2, 3})
               .map([&](int v) { return waits(gates[v], note("n"), v); })
               .buffered(3);
  CHECK(is_pending(task, s));
  CHECK(gates[0].waiting() + gates[1].waiting() + gates[2].waiting() == 3);
  CHECK(gates[3].waiting() == 0);
  gates[1].open();
  gates[2].open();
  CHECK(task.take_wakes() == 1);
  CHECK(is_pending(task, s));
  CHECK(gates[0].polls() == 1);
  CHECK(gates[1].waiting() == 0);
  CHECK(gates[3].waiting() == 0);  // the line is full until its first is handed out
  auto moved = std::move(s);
  gates[0].open();
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, moved) == 0);
  CHECK(value(task, moved) == 1);
  CHECK(gates[3].waiting() == 1);
  CHECK(value(task, moved) == 2);
  CHECK(is_pending(task, moved));
  CHECK_FALSE(moved.is_terminated());
  gates[3].open();
  CHECK(value(task, moved) == 3);
  CHECK(at_end(task, moved));
  CHECK(moved.is_terminated());
  task.take_wakes();
  test::take_trace();
}

TEST_CASE("buffered passes its source's failures on in their place, and waits for the source too") {
  const test::leak_check leaks;
  test::mock_task task;
  test::feed<int> source;
  auto s = source.get().map([](int v) { return test::after<int>(0, v); }).buffered(4);
  CHECK(is_pending(task, s));
  source.put(1);
  CHECK(task.take_wakes() == 1);
  source.fail(eddy::error(errc::lagged));
  source.put(2);
  source.end();
  CHECK(value(task, s) == 1);
  CHECK(test::failure(task, s) == errc::lagged);
  CHECK(value(task, s) == 2);
  CHECK(at_end(task, s));
}

TEST_CASE("buffered drops all that runs when it is dropped") {
  const test::leak_check leaks;
  test::take_trace();
  test::mock_task task;
  test::gate gate;
  {
    auto s = eddy::stream_of(std::vector{0, 1, 2})
                 .map([&](int v) { return waits(gate, note("n"), v); })
                 .buffered(9);
    CHECK(is_pending(task, s));
    CHECK(gate.waiting() == 3);
  }
  CHECK(gate.waiting() == 0);
  CHECK(test::take_trace() == "~n ~n ~n ");
}

TEST_CASE("then and buffered at every cut point") {
  CHECK(test::cut_points([]() -> future<> {
          const auto slow = [](int v) -> future<int> {
            co_await eddy::sleep(std::chrono::milliseconds(10 - v));
            co_return v;
          };
          auto s = eddy::stream_of(std::vector{1, 2, 3, 4, 5}).map(slow).buffered(3).then(twice);
          int expected = 2;
          while (auto v = co_await s.next()) {
            CHECK(*v == expected);
            expected += 2;
          }
          CHECK(expected == 12);
        }) > 8);
}

TEST_CASE("a stream is moved while its callable's coroutine runs, captures and all") {
  const test::leak_check leaks;
  test::mock_task task;
  const auto add = [five = std::make_shared<int>(5)](int v) -> future<int> {
    co_await eddy::yield_now();
    co_return v + *five;
  };
  const auto moved_between = [&](auto made) {
    auto first = std::make_unique<decltype(made)>(std::move(made));
    CHECK(is_pending(task, *first));
    auto second = std::move(*first);
    first.reset();
    CHECK(value(task, second) == 12);
    CHECK(at_end(task, second));
  };
  moved_between(eddy::stream_of(std::vector{7}).then(add));
  moved_between(eddy::stream_of(std::vector{7}).map(add).buffered(2));
  task.take_wakes();
  test::take_trace();
}

}  // namespace
