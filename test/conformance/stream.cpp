// The behaviour that tokio-stream's tests of adapters and simple sources pin and test/stream does
// not.

#include <eddy/stream.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "stream/support.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;
using ints = std::vector<int>;
using test::at_end;
using test::is_pending;
using test::value;

auto base() { return eddy::stream_of(ints{1, 2, 3}); }

template <class F>
void on_paused_clock(F body) {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([&]() -> future<> {
    test::mock_task task;
    body(task);
    task.take_wakes();
    co_return;
  });
}

// chunks_timeout.rs, stream_chunks_timeout.rs

future<int> after(std::chrono::seconds d, int v) {
  co_await eddy::sleep(d);
  co_return v;
}
auto delayed(int v, std::chrono::seconds d) {
  return eddy::once_stream(v).then([d](int n) { return after(d, n); });
}

TEST_CASE("chunks_timeout: a partial chunk is returned when its time is over") {
  on_paused_clock([](test::mock_task& task) {
    auto s = base().chain(delayed(4, 3s)).chunks_timeout(4, 2s);
    CHECK(is_pending(task, s));
    test::advance(2s);
    CHECK(value(task, s) == ints{1, 2, 3});
    CHECK(is_pending(task, s));
    test::advance(2s);
    CHECK(value(task, s) == ints{4});
    CHECK(at_end(task, s));
  });
}

TEST_CASE("chunks_timeout: a full chunk is returned early, and the next has its own time") {
  on_paused_clock([](test::mock_task& task) {
    auto s = eddy::stream_of(ints{1, 2})
                 .chain(delayed(3, 1s))
                 .chain(delayed(4, 3s))
                 .chunks_timeout(3, 2s);
    CHECK(is_pending(task, s));
    test::advance(1s);
    CHECK(value(task, s) == ints{1, 2, 3});
    CHECK(is_pending(task, s));
    test::advance(3s);
    CHECK(value(task, s) == ints{4});
  });
}

TEST_CASE("chunks_timeout returns full chunks, timed-out chunks and the last chunk") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    auto s = eddy::stream_of(ints{1, 2, 3, 4}).chain(delayed(5, 5s)).chunks_timeout(3, 2s);
    const auto start = eddy::clock::now();
    auto chunk = co_await s.next();
    CHECK(*chunk == ints{1, 2, 3});
    chunk = co_await s.next();
    CHECK(*chunk == ints{4});
    CHECK(eddy::clock::now() - start == 2s);
    chunk = co_await s.next();
    CHECK(*chunk == ints{5});
    CHECK(eddy::clock::now() - start == 5s);
  });
}

TEST_CASE("chunks_timeout: take_remainder returns what is held, and the source goes on") {
  on_paused_clock([](test::mock_task& task) {
    auto inner = eddy::stream_of(ints{1, 2, 3, 4}).chain(delayed(5, 1s));
    {
      auto chunked = inner.by_ref().chunks_timeout(10, 20ms);
      CHECK(is_pending(task, chunked));
      CHECK(chunked.take_remainder() == ints{1, 2, 3, 4});
    }
    test::advance(2s);
    CHECK(value(task, inner) == 5);
  });
}

// stream_timeout.rs, time_throttle.rs

future<int> maybe_sleep(int v) {
  if (v % 2 == 0) co_await eddy::sleep(200ms);
  co_return v;
}

TEST_CASE("a stream's timeout announces each late value by one elapsed, then returns it") {
  on_paused_clock([](test::mock_task& task) {
    auto s = eddy::stream_of(ints{1, 2, 3, 4}).then(maybe_sleep).timeout(100ms);
    CHECK(value(task, s) == 1);
    CHECK(is_pending(task, s));
    test::advance(150ms);
    CHECK(test::failure(task, s) == errc::elapsed);
    CHECK(is_pending(task, s));
    test::advance(100ms);
    CHECK(value(task, s) == 2);
    CHECK(value(task, s) == 3);
    CHECK(is_pending(task, s));
    test::advance(60ms);
    CHECK(is_pending(task, s));
    test::advance(60ms);
    CHECK(test::failure(task, s) == errc::elapsed);
    test::advance(120ms);
    CHECK(value(task, s) == 4);
    CHECK(at_end(task, s));
  });
}

TEST_CASE("a stream's timeout announces a value once, however late it is") {
  on_paused_clock([](test::mock_task& task) {
    auto s = eddy::stream_of(ints{1, 2, 3}).then(maybe_sleep).timeout(50ms);
    CHECK(value(task, s) == 1);
    CHECK(is_pending(task, s));
    test::advance(51ms);
    CHECK(test::failure(task, s) == errc::elapsed);
    test::advance(50ms);
    CHECK(is_pending(task, s));
    test::advance(100ms);
    CHECK(value(task, s) == 2);
    CHECK(value(task, s) == 3);
    CHECK(at_end(task, s));
  });
}

TEST_CASE("a stream's timeout passes values that are in time") {
  test::mock_task task;
  auto s = eddy::stream_of(ints{1, 3, 5}).then(maybe_sleep).timeout(100ms);
  CHECK(test::all(task, s) == ints{1, 3, 5});
}

TEST_CASE("throttle is pending until the pause is over, and then wakes") {
  on_paused_clock([](test::mock_task& task) {
    auto s = eddy::stream_of(std::views::iota(0)).throttle(100ms);
    CHECK(value(task, s) == 0);
    CHECK(is_pending(task, s));
    test::advance(90ms);
    CHECK(is_pending(task, s));
    test::advance(101ms);
    CHECK(task.is_woken());
    CHECK(value(task, s) == 1);
  });
}

// stream_accessors.rs

TEST_CASE("values that an adapter has not pulled are still in its inner stream") {
  const test::leak_check leaks;
  test::mock_task task;
  const auto check = [&](auto s, int first, int next) {
    CHECK(value(task, s) == first);
    const auto& as_const = s;
    CHECK(&as_const.inner() == &s.inner());
    auto inner = std::move(s).inner();
    CHECK(value(task, inner) == next);
  };
  check(base().map([](int v) { return v * 2; }), 2, 2);
  check(base().take(2), 1, 2);
  check(base().skip(1), 2, 3);
  check(base().filter([](int v) { return v % 2 == 1; }), 1, 2);
  check(base().filter_map([](int v) { return v % 2 == 1 ? std::optional(v * 10) : std::nullopt; }),
        10, 2);
  check(base().map_while([](int v) { return v < 3 ? std::optional(v + 100) : std::nullopt; }), 101,
        2);
  check(base().take_while([](int v) { return v < 3; }), 1, 2);
  check(base().skip_while([](int v) { return v < 2; }), 2, 3);
  check(base().then([](int v) -> future<int> { co_return v + 1; }), 2, 2);
  auto map = base().map([](int v) { return v * 2; });
  CHECK(value(task, map.inner()) == 1);
  CHECK(value(task, map) == 4);
}

// stream_fuse.rs, stream_fused.rs

TEST_CASE("is_terminated is false while values may come and true once none will") {
  const test::leak_check leaks;
  test::mock_task task;
  const auto check = [&](auto s) {
    CHECK_FALSE(s.is_terminated());
    for (auto p = test::step(task, s); p->value(); p = test::step(task, s)) {
    }
    CHECK(s.is_terminated());
    CHECK(at_end(task, s));
  };
  check(base().fuse().map([](int v) { return v; }));
  check(base().fuse().filter([](int v) { return v > 0; }));
  check(base().fuse().filter_map([](int v) { return std::optional(v); }));
  check(base().fuse().skip(1));
  check(base().fuse().skip_while([](int v) { return v < 2; }));
  check(base().take_while([](int v) { return v < 2; }));
  check(base().map_while([](int v) { return v < 3 ? std::optional(v) : std::nullopt; }));
  check(base().fuse().then([](int v) -> future<int> { co_return v; }));
  check(base().fuse().chain(base().fuse()));
  check(base().fuse().merge(base().fuse()));
}

TEST_CASE("take is terminated after its last value, and take(0) at once") {
  test::mock_task task;
  auto s = base().take(2);
  CHECK(value(task, s) == 1);
  CHECK_FALSE(s.is_terminated());
  CHECK(value(task, s) == 2);
  CHECK(s.is_terminated());
  CHECK(at_end(task, s));
  CHECK(base().take(0).is_terminated());
}

TEST_CASE("chain and merge are not terminated while either stream has values") {
  test::mock_task task;
  auto chain = eddy::once_stream(1).chain(eddy::once_stream(2));
  CHECK(value(task, chain) == 1);
  CHECK_FALSE(chain.is_terminated());
  CHECK(value(task, chain) == 2);
  CHECK(at_end(task, chain));
  CHECK(chain.is_terminated());
  auto merge = eddy::once_stream(1).merge(eddy::once_stream(2));
  CHECK(value(task, merge) == 1);
  CHECK_FALSE(merge.is_terminated());
  CHECK(value(task, merge) == 2);
  CHECK(at_end(task, merge));
  CHECK(merge.is_terminated());
}

// stream_iter.rs

TEST_CASE("a stream of a range spends the budget: it wakes its task after 128 values") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto s = eddy::stream_of(std::views::iota(0));
    int ready = 0;
    int polls = 0;
    auto run = eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
      ++polls;
      for (; s.poll_next(cx).is_ready(); ++ready)
        if (polls == 2) return eddy::ready;
      return eddy::pending;  // the stream has woken the task, or this would never end
    });
    co_await run;
    CHECK(ready >= 126);  // of 128: the task's own awaits used some of the budget
    CHECK(ready <= 128);
    CHECK(polls == 2);
  });
}

TEST_CASE("a stream of a range is ready with its end at once") {
  test::mock_task task;
  auto s = eddy::stream_of(ints{1});
  CHECK(value(task, s) == 1);
  CHECK(at_end(task, s));
}

// stream_map_while.rs, stream_merge.rs, stream_once.rs, stream_empty.rs, stream_pending.rs,
// stream_close.rs

TEST_CASE("map_while ends when its callable returns nothing") {
  test::mock_task task;
  auto s = eddy::stream_of(std::views::iota(1, 11)).map_while([](int v) {
    return v < 4 ? std::optional(v + 3) : std::nullopt;
  });
  CHECK(test::all(task, s) == ints{4, 5, 6});
}

TEST_CASE("map_while returns nothing after the value that ended it") {
  test::mock_task task;
  auto s = eddy::stream_of(ints{1, 5, 2}).map_while([](int v) {
    return v < 3 ? std::optional(v) : std::nullopt;
  });
  CHECK(value(task, s) == 1);
  CHECK(at_end(task, s));
  CHECK(at_end(task, s));
}

TEST_CASE("merge takes from two ready streams by turns") {
  test::mock_task task;
  auto s = eddy::stream_of(ints{0, 2, 4, 6}).merge(eddy::stream_of(ints{1, 3, 5}));
  CHECK(test::all(task, s) == ints{0, 1, 2, 3, 4, 5, 6});
}

TEST_CASE("merge wakes for either side's value and end, and ends when both have ended") {
  const test::leak_check leaks;
  test::mock_task task;
  test::feed<int> one, two;
  auto s = one.get().merge(two.get());
  CHECK(is_pending(task, s));
  one.put(1);
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, s) == 1);
  CHECK(is_pending(task, s));
  two.put(2);
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, s) == 2);
  CHECK(is_pending(task, s));
  one.end();
  CHECK(task.take_wakes() == 1);
  CHECK(is_pending(task, s));
  two.put(3);
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, s) == 3);
  CHECK(is_pending(task, s));
  two.end();
  CHECK(task.take_wakes() == 1);
  CHECK(at_end(task, s));
}

TEST_CASE("notify_close returns the end once as a value") {
  test::mock_task task;
  auto s = eddy::stream_of(ints{0, 1}).notify_close();
  CHECK(value(task, s) == 0);
  CHECK(value(task, s) == 1);
  CHECK(value(task, s) == std::nullopt);
  CHECK(at_end(task, s));
}

// stream_peekable.rs

TEST_CASE("peek returns the next value repeatedly, and next returns it once more") {
  test::mock_task task;
  auto s = eddy::stream_of(ints{10, 20}).peekable();
  const auto peek = [&]() {
    auto leaf = s.peek();
    return task.poll(leaf)->value();
  };
  CHECK(*peek() == 10);
  CHECK(*peek() == 10);
  CHECK(value(task, s) == 10);
  *peek() += 5;
  CHECK(value(task, s) == 25);
  CHECK(peek() == nullptr);
  CHECK(at_end(task, s));
}

TEST_CASE("peek returns null on an empty stream") {
  test::mock_task task;
  auto s = eddy::empty_stream<int>().peekable();
  auto leaf = s.peek();
  CHECK(task.poll(leaf)->value() == nullptr);
  CHECK(at_end(task, s));
}

TEST_CASE("peek on a waiting stream is pending, then ready") {
  test::mock_task task;
  test::feed<int> source;
  auto s = source.get().peekable();
  auto leaf = s.peek();
  CHECK_FALSE(task.poll(leaf).is_ready());
  source.put(7);
  CHECK(task.take_wakes() == 1);
  CHECK(*task.poll(leaf)->value() == 7);
}

}  // namespace
