#include <eddy/stream/detail/source_stream.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>
#include <eddy/sync/broadcast.hpp>
#include <eddy/sync/watch.hpp>

#include "stream/support.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

// Streams of the receivers of watch (tokio-stream's watch.rs) and broadcast.

namespace {

using eddy::errc;
using eddy::future;
using test::at_end;
using test::is_pending;
using test::value;
namespace watch = eddy::sync::watch;
namespace broadcast = eddy::sync::broadcast;

TEST_CASE("a stream of a watch receiver begins with the value of now") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto [tx, rx] = watch::channel(std::string("hello"));
    auto s = eddy::stream_of(std::move(rx));
    CHECK(value(task, s) == "hello");
    CHECK(is_pending(task, s));
    auto moved = std::move(s);
    CHECK(is_pending(task, moved));
    CHECK(tx.send("bye"));
    CHECK(task.take_wakes() == 1);
    CHECK(value(task, moved) == "bye");
    co_return;
  });
}

TEST_CASE("a stream of a watch receiver gives one value once, however often it is asked") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto [tx, rx] = watch::channel(std::string("hello"));
    auto s = eddy::stream_of(std::move(rx));
    CHECK(tx.send("goodbye"));
    {
      auto gone = std::move(tx);
    }
    CHECK(value(task, s) == "goodbye");
    CHECK(at_end(task, s));
    CHECK(s.is_terminated());
    co_return;
  });
}

TEST_CASE("changes_of a watch receiver gives only what comes later") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto [tx, rx] = watch::channel(std::string("hello"));
    auto s = eddy::changes_of(std::move(rx));
    CHECK(is_pending(task, s));
    CHECK(tx.send("bye"));
    CHECK(task.take_wakes() == 1);
    CHECK(value(task, s) == "bye");
    co_return;
  });
}

TEST_CASE(
    "a stream of a broadcast receiver fails where values were missed, and goes on behind them") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto [tx, rx] = broadcast::channel<int>(2);
    auto s = eddy::stream_of(std::move(rx));
    CHECK(is_pending(task, s));
    for (const int v : {1, 2, 3}) CHECK(tx.send(v));
    CHECK(task.take_wakes() == 1);
    CHECK(test::failure(task, s) == errc::lagged);
    CHECK(value(task, s) == 2);
    CHECK(value(task, s) == 3);
    {
      auto gone = std::move(tx);
    }
    CHECK(at_end(task, s));
    co_return;
  });
}

}  // namespace
