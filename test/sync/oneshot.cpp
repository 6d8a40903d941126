#include <eddy/sync/oneshot.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using eddy::errc;
using eddy::future;
using test::note;
namespace oneshot = eddy::sync::oneshot;

/// A leaf of `poll_closed`, for a mock task.
template <class T>
bool poll_closed(test::mock_task& task, oneshot::sender<T>& tx) {
  eddy::context cx(task);
  return tx.poll_closed(cx).is_ready();
}

TEST_CASE("oneshot: a value sent later wakes the receiver once") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = oneshot::channel<int>();
  CHECK_FALSE(task.poll(rx).is_ready());
  CHECK(std::move(tx).send(1));
  CHECK(task.take_wakes() == 1);
  CHECK(*task.poll(rx).take() == 1);
}

TEST_CASE("oneshot: a value sent before the await is there at once") {
  const test::leak_check leaks;
  eddy::run([]() -> future<> {
    auto [tx, rx] = oneshot::channel<std::unique_ptr<int>>();
    CHECK(std::move(tx).emplace(new int(1)));
    auto v = co_await rx;
    CHECK(*v == 1);
  }());
}

TEST_CASE("oneshot: a sender dropped unsent wakes the receiver, whose await fails") {
  const test::leak_check leaks;
  test::mock_task task;
  std::optional ends(oneshot::channel<int>());
  auto rx = std::move(ends->rx);
  CHECK_FALSE(task.poll(rx).is_ready());
  ends.reset();
  CHECK(task.take_wakes() == 1);
  CHECK(task.poll(rx)->error() == errc::closed);
}

TEST_CASE("oneshot: a receiver that is gone wakes who waits for that, and gives the value back") {
  const test::leak_check leaks;
  test::mock_task task;
  std::optional<oneshot::receiver<std::string>> rx;
  auto ends = oneshot::channel<std::string>();
  rx.emplace(std::move(ends.rx));
  CHECK_FALSE(poll_closed(task, ends.tx));
  CHECK_FALSE(ends.tx.is_closed());
  rx.reset();
  CHECK(task.take_wakes() == 1);
  CHECK(ends.tx.is_closed());
  CHECK(poll_closed(task, ends.tx));
  auto sent = std::move(ends.tx).send("back");
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error() == errc::closed);
  CHECK(std::move(sent).error().value() == "back");
}

TEST_CASE("oneshot: a sending task learns that its receiver went before the value came") {
  const test::leak_check leaks;
  eddy::run([]() -> future<> {
    auto [tx, rx] = oneshot::channel<int>();
    auto sending = eddy::spawn(
        [](oneshot::sender<int> mine) -> future<bool> {
          co_await mine.closed();
          co_return mine.is_closed();
        },
        std::move(tx));
    co_await eddy::yield_now();
    {
      const auto gone = std::move(rx);
    }
    CHECK(co_await sending);
  }());
}

TEST_CASE("oneshot: close keeps a value that was sent, and refuses a later one") {
  const test::leak_check leaks;
  test::mock_task task, sending;
  {
    auto [tx, rx] = oneshot::channel<int>();
    CHECK(std::move(tx).send(1));
    rx.close();
    CHECK(*task.poll(rx).take() == 1);
  }
  {
    auto [tx, rx] = oneshot::channel<int>();
    CHECK_FALSE(poll_closed(sending, tx));
    rx.close();
    CHECK(sending.take_wakes() == 1);
    CHECK(tx.is_closed());
    CHECK(poll_closed(sending, tx));
    CHECK(std::move(tx).send(1).error().value() == 1);
    CHECK(task.poll(rx)->error() == errc::closed);
  }
  {
    // The sender is still there.
    auto [tx, rx] = oneshot::channel<int>();
    CHECK_FALSE(task.poll(rx).is_ready());
    rx.close();
    CHECK(tx.is_closed());
    CHECK(task.poll(rx)->error() == errc::closed);
  }
}

TEST_CASE("oneshot: try_recv after close takes what was sent, or says closed") {
  const test::leak_check leaks;
  {
    auto [tx, rx] = oneshot::channel<int>();
    CHECK(std::move(tx).send(1));
    rx.close();
    CHECK(*rx.try_recv() == 1);
  }
  {
    test::mock_task sending;
    auto [tx, rx] = oneshot::channel<int>();
    CHECK_FALSE(poll_closed(sending, tx));
    rx.close();
    CHECK(sending.take_wakes() == 1);
    CHECK(rx.try_recv().error() == errc::closed);
  }
}

TEST_CASE("oneshot: close after the value was received does nothing") {
  const test::leak_check leaks;
  auto [tx, rx] = oneshot::channel<int>();
  CHECK(std::move(tx).send(17));
  CHECK(*rx.try_recv() == 17);
  rx.close();
}

TEST_CASE("oneshot: try_recv says would_block before, the value once, closed from then on") {
  const test::leak_check leaks;
  auto [tx, rx] = oneshot::channel<int>();
  CHECK(rx.try_recv().error() == std::errc::operation_would_block);
  CHECK(std::move(tx).send(17));
  CHECK(*rx.try_recv() == 17);
  CHECK(rx.try_recv().error() == errc::closed);
}

TEST_CASE(
    "oneshot: try_recv after an await has had the value says closed; another await is misuse") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = oneshot::channel<int>();
  CHECK(std::move(tx).send(17));
  CHECK(*task.poll(rx).take() == 17);
  CHECK(rx.try_recv().error() == errc::closed);
  CHECK(task.poll(rx)->error() == errc::misuse);
}

TEST_CASE("oneshot: a dropped channel keeps no waker") {
  const test::leak_check leaks;
  test::mock_task sending, receiving;
  {
    auto [tx, rx] = oneshot::channel<int>();
    CHECK_FALSE(poll_closed(sending, tx));
    CHECK_FALSE(receiving.poll(rx).is_ready());
  }
  CHECK(sending.references() == 0);
  CHECK(receiving.references() == 0);
}

TEST_CASE("oneshot: the receiver moves to another task, and that one is woken") {
  const test::leak_check leaks;
  test::mock_task one, two;
  auto [tx, rx] = oneshot::channel<int>();
  CHECK_FALSE(one.poll(rx).is_ready());
  CHECK(one.references() == 1);
  auto moved = std::move(rx);
  CHECK_FALSE(two.poll(moved).is_ready());
  CHECK(one.references() == 0);
  CHECK(two.references() == 1);
  CHECK(std::move(tx).send(1));
  CHECK(one.take_wakes() == 0);
  CHECK(two.take_wakes() == 1);
  CHECK(*two.poll(moved).take() == 1);
}

TEST_CASE("oneshot: the sender moves to another task, and that one is woken") {
  const test::leak_check leaks;
  test::mock_task one, two;
  auto [tx, rx] = oneshot::channel<int>();
  CHECK_FALSE(poll_closed(one, tx));
  auto moved = std::move(tx);
  CHECK_FALSE(poll_closed(two, moved));
  CHECK(one.references() == 0);
  CHECK(two.references() == 1);
  {
    const auto gone = std::move(rx);
  }
  CHECK(one.take_wakes() == 0);
  CHECK(two.take_wakes() == 1);
  CHECK(poll_closed(two, moved));
}

TEST_CASE("oneshot: is_terminated once an await has had the value") {
  test::mock_task task;
  auto [tx, rx] = oneshot::channel<int>();
  CHECK_FALSE(rx.is_terminated());
  CHECK(std::move(tx).send(17));
  CHECK_FALSE(rx.is_terminated());
  CHECK(*task.poll(rx).take() == 17);
  CHECK(rx.is_terminated());
}

TEST_CASE("oneshot: is_terminated once try_recv has had the value") {
  auto [tx, rx] = oneshot::channel<int>();
  CHECK_FALSE(rx.is_terminated());
  CHECK(rx.try_recv().error() == std::errc::operation_would_block);
  CHECK_FALSE(rx.is_terminated());
  CHECK(std::move(tx).send(17));
  CHECK_FALSE(rx.is_terminated());
  CHECK(*rx.try_recv() == 17);
  CHECK(rx.is_terminated());
}

TEST_CASE("oneshot: is_terminated once an await has seen the sender gone") {
  test::mock_task task;
  auto [tx, rx] = oneshot::channel<int>();
  {
    const auto gone = std::move(tx);
  }
  CHECK_FALSE(rx.is_terminated());
  CHECK(task.poll(rx)->error() == errc::closed);
  CHECK(rx.is_terminated());
}

TEST_CASE("oneshot: is_terminated once an await has seen its own close") {
  test::mock_task task;
  auto [tx, rx] = oneshot::channel<int>();
  CHECK_FALSE(rx.is_terminated());
  rx.close();
  CHECK_FALSE(rx.is_terminated());
  CHECK(task.poll(rx)->error() == errc::closed);
  CHECK(rx.is_terminated());
}

TEST_CASE("oneshot: is_empty but between send and await") {
  test::mock_task task;
  auto [tx, rx] = oneshot::channel<int>();
  CHECK(rx.is_empty());
  CHECK(std::move(tx).send(17));
  CHECK_FALSE(rx.is_empty());
  CHECK(*task.poll(rx).take() == 17);
  CHECK(rx.is_empty());
}

TEST_CASE("oneshot: is_empty but between send and try_recv") {
  auto [tx, rx] = oneshot::channel<int>();
  CHECK(rx.is_empty());
  CHECK(std::move(tx).send(17));
  CHECK_FALSE(rx.is_empty());
  CHECK(*rx.try_recv() == 17);
  CHECK(rx.is_empty());
}

TEST_CASE("oneshot: is_empty with its sender gone") {
  test::mock_task task;
  auto [tx, rx] = oneshot::channel<int>();
  {
    const auto gone = std::move(tx);
  }
  CHECK(rx.is_empty());
  CHECK(task.poll(rx)->error() == errc::closed);
  CHECK(rx.is_empty());
}

TEST_CASE("oneshot: is_empty after close") {
  auto [tx, rx] = oneshot::channel<int>();
  rx.close();
  CHECK(rx.is_empty());
}

TEST_CASE("oneshot: a channel without values") {
  const test::leak_check leaks;
  eddy::run([]() -> future<> {
    auto [tx, rx] = oneshot::channel<>();
    CHECK(std::move(tx).send());
    co_await rx;
    auto [tx2, rx2] = oneshot::channel<>();
    {
      const auto gone = std::move(rx2);
    }
    CHECK(std::move(tx2).send().error() == errc::closed);
  }());
}

TEST_CASE("oneshot: assigned over, an end is gone once the other variable is") {
  const test::leak_check leaks;
  auto [tx, rx] = oneshot::channel<int>();
  {
    auto [tx2, rx2] = oneshot::channel<int>();
    rx = std::move(rx2);
    CHECK(std::move(tx2).send(2));
  }
  CHECK(tx.is_closed());
  CHECK(*rx.try_recv() == 2);
}

TEST_CASE("oneshot: an untaken value goes with its channel") {
  const auto before = note::live();
  test::take_trace();
  {
    auto [tx, rx] = oneshot::channel<note>();
    CHECK(std::move(tx).emplace("unread"));
  }
  CHECK(test::take_trace() == "~unread ");
  {
    auto [tx, rx] = oneshot::channel<note>();
    rx.close();
    CHECK(std::move(tx).emplace("refused").error().value().name() == "refused");
    CHECK(test::take_trace() == "~refused ");
  }
  CHECK(note::live() == before);
}

TEST_CASE("oneshot: a task whose values are always ready is made to let others run") {
  eddy::run([]() -> future<> {
    int others = 0;
    auto other = eddy::spawn([](int& n) -> future<> { co_return void(++n); }, std::ref(others));
    for (int i = 0; i < 1000; ++i) {
      auto [tx, rx] = oneshot::channel<int>();
      CHECK(std::move(tx).send(i));
      co_await rx;
    }
    CHECK(others == 1);
    co_await other;
  }());
}

#if EDDY_EXCEPTIONS
TEST_CASE("oneshot: a bare await throws when the sender is gone; a sender used twice is misuse") {
  eddy::run([]() -> future<> {
    auto [tx, rx] = oneshot::channel<int>();
    CHECK(std::move(tx).send(1));
    CHECK_THROWS_AS(static_cast<void>(std::move(tx).send(2)), std::logic_error);
    co_await rx;
    auto [tx2, rx2] = oneshot::channel<int>();
    {
      const auto gone = std::move(tx2);
    }
    bool threw = false;
    try {
      co_await rx2;
    } catch (const eddy::failure& e) {
      threw = e.error() == errc::closed;
    }
    CHECK(threw);
  }());
}

/// Its copies and moves throw while `armed`.
struct touchy {
  touchy() = default;
  touchy(touchy&&) {
    if (armed) throw std::runtime_error("touchy");
  }
  static inline bool armed = false;
};

TEST_CASE("oneshot: a move that throws at the sender leaves the sender as it was") {
  const test::leak_check leaks;
  auto [tx, rx] = oneshot::channel<touchy>();
  touchy value;
  touchy::armed = true;
  CHECK_THROWS_AS(static_cast<void>(std::move(tx).emplace(std::move(value))), std::runtime_error);
  touchy::armed = false;
  CHECK(rx.try_recv().error() == std::errc::operation_would_block);
  CHECK(std::move(tx).emplace());
  CHECK(rx.try_recv().has_value());
}

TEST_CASE("oneshot: a move that throws at the receiver is the outcome of its await") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = oneshot::channel<touchy>();
  CHECK(std::move(tx).emplace());
  touchy::armed = true;
  auto p = task.poll(rx);
  touchy::armed = false;
  CHECK(p->error().message() == "touchy");
  CHECK(rx.is_terminated());
}
#endif

future<> answered() {
  auto [tx, rx] = oneshot::channel<note>();
  auto sending = eddy::spawn(
      [](oneshot::sender<note> mine) -> future<> {
        co_await eddy::yield_now();
        static_cast<void>(std::move(mine).emplace("n"));
      },
      std::move(tx));
  const note n = co_await rx;
  CHECK(n.name() == "n");
  co_await sending;
}
future<> given_up() {
  auto [tx, rx] = oneshot::channel<note>();
  auto receiving = eddy::spawn(
      [](oneshot::receiver<note> mine) -> future<> {
        static_cast<void>(co_await eddy::attempt(eddy::timeout(std::chrono::seconds(1), mine)));
      },
      std::move(rx));
  co_await tx.closed();
  co_await receiving;
}

TEST_CASE("oneshot: dropped at every cut point") {
  const auto before = note::live();
  CHECK(test::cut_points(answered) >= 3);
  CHECK(test::cut_points(given_up) >= 3);
  CHECK(note::live() == before);
  test::take_trace();
}

#if EDDY_POOL
TEST_CASE("oneshot: an ordinary thread blocks for the value, or for its absence") {
  const test::leak_check leaks;
  auto [tx, rx] = oneshot::channel<int>();
  std::thread other(
      [mine = std::move(tx)]() mutable { static_cast<void>(std::move(mine).send(3)); });
  CHECK(rx.blocking_recv() == 3);
  other.join();
}

#if EDDY_EXCEPTIONS
TEST_CASE("oneshot: blocking_recv on a thread that drives a loop is misuse") {
  eddy::run([]() -> future<> {
    auto [tx, rx] = oneshot::channel<int>();
    CHECK_THROWS_AS(rx.blocking_recv(), std::logic_error);
    co_return;
  }());
}
#endif
#endif

}  // namespace
