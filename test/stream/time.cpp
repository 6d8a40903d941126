#include <eddy/stream/detail/chunks_timeout.hpp>
#include <eddy/stream/detail/throttle.hpp>
#include <eddy/stream/detail/timeout.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>

#include "stream/support.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

// throttle, timeout and chunks_timeout: streams that look at the clock.

namespace {

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;
using ints = std::vector<int>;
using test::at_end;
using test::is_pending;
using test::value;

/// Runs `body(task)` on a runtime whose clock the test moves.
template <class F>
void on_paused_clock(F body) {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([&]() -> future<> {
    test::mock_task task;
    body(task);
    CHECK(test::here().timer_count() == 0);
    co_return;
  });
}

TEST_CASE("throttle: the first at once, then the distance, whenever the value was asked for") {
  on_paused_clock([](test::mock_task& task) {
    auto s = eddy::stream_of(ints{1, 2, 3}).throttle(100ms);
    CHECK(value(task, s) == 1);
    CHECK(is_pending(task, s));
    test::advance(100ms - 1ns);
    CHECK_FALSE(task.is_woken());
    CHECK(is_pending(task, s));
    test::advance(1ns);
    CHECK(task.take_wakes() == 1);
    CHECK(value(task, s) == 2);
    test::advance(1s);
    CHECK(value(task, s) == 3);
    CHECK(is_pending(task, s));
    test::advance(100ms);
    CHECK(at_end(task, s));
    CHECK(at_end(task, s));
    task.take_wakes();
  });
}

TEST_CASE("throttle by nothing needs no clock; its source is not asked during the pause") {
  const test::leak_check leaks;
  test::mock_task mock;
  auto fast = eddy::stream_of(ints{1, 2}).throttle(0s);
  CHECK(test::all(mock, fast) == ints{1, 2});
  on_paused_clock([](test::mock_task& task) {
    test::feed<int> source;
    source.put(1);
    source.put(2);
    auto s = source.get().throttle(1s);
    CHECK(value(task, s) == 1);
    CHECK(is_pending(task, s));
    CHECK(source.polls() == 1);
    auto moved = std::move(s);
    CHECK(is_pending(task, moved));
    test::advance(1s);
    CHECK(task.take_wakes() == 1);  // the timer went along
    CHECK(value(task, moved) == 2);
  });
}

TEST_CASE("timeout: says elapsed once for a value that is late, and goes on to wait for it") {
  on_paused_clock([](test::mock_task& task) {
    test::feed<int> source;
    auto s = source.get().timeout(100ms);
    test::advance(1s);  // it counts from the first poll
    CHECK(is_pending(task, s));
    test::advance(100ms - 1ns);
    CHECK(is_pending(task, s));
    CHECK_FALSE(task.is_woken());
    test::advance(1ns);
    CHECK(task.take_wakes() == 1);
    CHECK(test::failure(task, s) == errc::elapsed);
    CHECK(is_pending(task, s));
    test::advance(1h);
    CHECK(is_pending(task, s));
    CHECK_FALSE(task.is_woken());
    source.put(1);
    CHECK(value(task, s) == 1);
    test::advance(1h);  // between two awaits nobody waits
    CHECK(is_pending(task, s));
    source.put(2);
    test::advance(1h);
    CHECK(value(task, s) == 2);  // ready and late: ready
    CHECK(test::here().timer_count() == 0);
    CHECK(is_pending(task, s));
    auto moved = std::move(s);
    test::advance(100ms);
    CHECK(test::failure(task, moved) == errc::elapsed);
    source.end();
    CHECK(at_end(task, moved));
    task.take_wakes();
  });
}

TEST_CASE("timeout of nothing: elapsed at the first poll that finds no value") {
  on_paused_clock([](test::mock_task& task) {
    test::feed<int> source;
    source.put(1);
    auto s = source.get().timeout(0s);
    CHECK(value(task, s) == 1);
    CHECK(test::failure(task, s) == errc::elapsed);
    CHECK(is_pending(task, s));
  });
}

TEST_CASE(
    "chunks_timeout: full ones at once, others when their first value has waited long enough") {
  on_paused_clock([](test::mock_task& task) {
    test::feed<int> source;
    auto s = source.get().chunks_timeout(3, 1s);
    CHECK(is_pending(task, s));
    CHECK(test::here().timer_count() == 0);
    for (const int v : {1, 2, 3, 4}) source.put(v);
    CHECK(value(task, s) == ints{1, 2, 3});
    CHECK(is_pending(task, s));
    test::advance(600ms);
    source.put(5);
    CHECK(is_pending(task, s));
    task.take_wakes();
    test::advance(400ms);
    CHECK(task.take_wakes() == 1);
    CHECK(value(task, s) == ints{4, 5});
    CHECK(is_pending(task, s));
    source.put(6);
    CHECK(is_pending(task, s));
    auto moved = std::move(s);
    CHECK(is_pending(task, moved));
    source.end();
    CHECK_FALSE(moved.is_terminated());
    CHECK(value(task, moved) == ints{6});
    CHECK(moved.is_terminated());
    CHECK(at_end(task, moved));
    const int polls = source.polls();
    CHECK(at_end(task, moved));
    CHECK(source.polls() == polls);
    task.take_wakes();
  });
}

TEST_CASE("chunks_timeout: a failure comes behind the values before it, and the stream goes on") {
  on_paused_clock([](test::mock_task& task) {
    test::feed<int> source;
    source.put(1);
    source.fail(eddy::error(errc::lagged));
    source.fail(eddy::error(errc::closed));
    source.put(2);
    source.end();
    auto s = source.get().chunks_timeout(3, 1s);
    CHECK(value(task, s) == ints{1});
    CHECK_FALSE(s.is_terminated());
    CHECK(test::failure(task, s) == errc::lagged);
    CHECK(test::failure(task, s) == errc::closed);
    CHECK(value(task, s) == ints{2});
    CHECK(at_end(task, s));
  });
}

TEST_CASE("chunks_timeout: what waits can be taken out; the source goes on from there") {
  on_paused_clock([](test::mock_task& task) {
    test::feed<int> source;
    source.put(1);
    source.put(2);
    auto s = source.get().chunks_timeout(9, 1s);
    CHECK(is_pending(task, s));
    CHECK(s.take_remainder() == ints{1, 2});
    CHECK(s.take_remainder() == ints{});
    source.put(3);
    CHECK(value(task, s.inner()) == 3);
    task.take_wakes();
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("chunks_timeout of nothing is misuse, at the call") {
  CHECK_THROWS_AS(std::ignore = eddy::stream_of(ints{1}).chunks_timeout(0, 1s), std::logic_error);
}
#endif

TEST_CASE(
    "throttle, timeout and chunks_timeout at every cut point, with a next that loses again and "
    "again") {
  CHECK(test::cut_points([]() -> future<> {
          auto source = []() -> eddy::generator<int> {
            for (int i = 1; i <= 12; ++i) {
              co_await eddy::sleep(std::chrono::milliseconds(i % 3 * 40));
              co_yield i;
            }
          };
          auto s = source().throttle(30ms).timeout(70ms).results().chunks_timeout(4, 100ms);
          ints seen;
          int late = 0;
          for (;;) {
            auto r = co_await eddy::attempt(eddy::timeout(25ms, s.next()));
            if (!r) continue;
            if (!*r) break;
            for (auto& v : **r) {
              if (v)
                seen.push_back(*v);
              else
                ++late;
            }
          }
          CHECK(seen == ints{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
          CHECK(late == 4);
        }) > 20);
}

}  // namespace
