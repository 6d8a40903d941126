#include <eddy/stream/detail/source_stream.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>
#include <eddy/sync/mpsc.hpp>
#include <eddy/sync/oneshot.hpp>

#include "stream/support.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

// Streams of channels' receivers and of a join_set; tokio-stream's mpsc_*_stream.rs and join_set_stream.rs.

namespace {

using eddy::errc;
using eddy::future;
using test::at_end;
using test::is_pending;
using test::value;
namespace mpsc = eddy::sync::mpsc;
namespace oneshot = eddy::sync::oneshot;

TEST_CASE("a stream of a bounded receiver: what is sent, then the end when the senders are gone") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto [tx, rx] = mpsc::channel<std::unique_ptr<int>>(4);
    auto s = eddy::stream_of(std::move(rx));
    CHECK(is_pending(task, s));
    CHECK(tx.try_send(std::make_unique<int>(1)));
    CHECK(task.take_wakes() == 1);
    CHECK(*value(task, s) == 1);
    CHECK(is_pending(task, s));
    auto moved = std::move(s);
    CHECK(is_pending(task, moved));
    CHECK(tx.try_send(std::make_unique<int>(2)));
    CHECK(task.take_wakes() == 1);
    {
      auto gone = std::move(tx);
    }
    CHECK(*value(task, moved) == 2);
    CHECK_FALSE(moved.is_terminated());
    CHECK(at_end(task, moved));
    CHECK(moved.is_terminated());
    co_return;
  });
}

TEST_CASE(
    "a stream of a receiver that is closed gives what is in it, and what permits still send") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto [tx, rx] = mpsc::channel<int>(4);
    CHECK(tx.try_send(1));
    auto one = tx.try_reserve();
    auto two = tx.try_reserve();
    auto s = eddy::stream_of(std::move(rx));
    s.inner().close();
    CHECK(value(task, s) == 1);
    CHECK(is_pending(task, s));
    std::move(*one).send(2);
    CHECK(value(task, s) == 2);
    CHECK(is_pending(task, s));
    {
      auto dropped = std::move(*two);
    }
    CHECK(at_end(task, s));
    task.take_wakes();
    co_return;
  });
}

TEST_CASE("a stream of an unbounded receiver") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto [tx, rx] = mpsc::unbounded_channel<int>();
    for (const int v : {1, 2, 3}) CHECK(tx.send(v));
    {
      auto gone = std::move(tx);
    }
    auto op = eddy::stream_of(std::move(rx)).map([](int v) { return v * 2; }).collect();
    const auto values = co_await op;
    CHECK(values == std::vector{2, 4, 6});
  });
}

TEST_CASE("a stream of a oneshot receiver: its value, or its failure, and the end") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    test::mock_task task;
    {
      auto [tx, rx] = oneshot::channel<int>();
      auto s = eddy::stream_of(std::move(rx));
      CHECK(is_pending(task, s));
      CHECK(std::move(tx).send(4));
      CHECK(task.take_wakes() == 1);
      CHECK(value(task, s) == 4);
      CHECK(at_end(task, s));
    }
    auto [tx, rx] = oneshot::channel<int>();
    auto s = eddy::stream_of(std::move(rx));
    {
      auto gone = std::move(tx);
    }
    CHECK(test::failure(task, s) == errc::closed);
    CHECK(at_end(task, s));
    co_return;
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("a task that failed is a failed result in a join_set's stream") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    eddy::join_set<int> set;
    set.spawn([]() -> future<int> {
      throw std::runtime_error("boom");
      co_return 1;
    });
    auto s = eddy::stream_of(std::move(set));
    auto r = co_await s.next();
    REQUIRE(r.has_value());
    CHECK(r->error().message() == "boom");
    auto end = co_await s.next();
    CHECK_FALSE(end.has_value());
  });
}
#endif

TEST_CASE("a message is not lost to a next that loses, at every cut point") {
  using namespace std::chrono_literals;
  CHECK(test::cut_points([]() -> future<> {
          auto [tx, rx] = mpsc::channel<int>(2);
          auto sends = eddy::spawn(
              [](mpsc::sender<int> to) -> future<> {
                for (int i = 0; i < 5; ++i) {
                  co_await eddy::sleep(7ms);
                  co_await to.send(i);
                }
              },
              std::move(tx));
          auto s = eddy::stream_of(std::move(rx));
          int expected = 0;
          for (;;) {
            auto r = co_await eddy::attempt(eddy::timeout(3ms, s.next()));
            if (!r) continue;
            if (!*r) break;
            CHECK(**r == expected++);
          }
          CHECK(expected == 5);
          co_await sends;
        }) > 10);
}

}  // namespace
