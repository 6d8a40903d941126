#include <eddy/sync/mpsc.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
namespace mpsc = eddy::sync::mpsc;
using eddy::errc;
using eddy::future;
using test::mock_task;
using test::note;

/// What a leaf that is ready hands over.
template <class Leaf>
auto now(Leaf leaf) {
  mock_task task;
  auto p = task.poll(leaf);
  REQUIRE(p.is_ready());
  CHECK(task.take_wakes() == 0);
  return p.take();
}

TEST_CASE("bounded: ready at once while there is room, then pending until a message is taken") {
  const test::leak_check leaks;
  mock_task task;
  auto [tx, rx] = mpsc::channel<int>(2);
  CHECK(now(tx.send(1)).has_value());
  CHECK(now(tx.send(2)).has_value());
  CHECK(tx.capacity() == 0);
  auto third = tx.send(3);
  CHECK_FALSE(task.poll(third).is_ready());
  CHECK_FALSE(task.poll(third).is_ready());
  CHECK(task.take_wakes() == 0);
  CHECK(now(rx.recv()) == 1);
  CHECK(task.take_wakes() == 1);
  CHECK(rx.len() == 1);
  auto sent = task.poll(third);
  REQUIRE(sent.is_ready());
  CHECK(sent->has_value());
  CHECK(now(rx.recv()) == 2);
  CHECK(now(rx.recv()) == 3);
  CHECK(rx.is_empty());
}

TEST_CASE("a receiver that waits is woken by the first message, once") {
  const test::leak_check leaks;
  mock_task task;
  auto [tx, rx] = mpsc::channel<int>(4);
  auto next = rx.recv();
  CHECK_FALSE(task.poll(next).is_ready());
  CHECK_FALSE(task.poll(next).is_ready());
  CHECK(task.references() == 1);
  CHECK(now(tx.send(1)).has_value());
  CHECK(now(tx.send(2)).has_value());
  CHECK(task.take_wakes() == 1);
  CHECK(task.references() == 0);
  CHECK(task.poll(next)->value() == 1);
}

TEST_CASE("senders get their places in the order in which they came") {
  const test::leak_check leaks;
  mock_task first, many, last;
  auto [tx, rx] = mpsc::channel<int>(2);
  CHECK(tx.try_send(0).has_value());
  CHECK(tx.try_send(0).has_value());
  auto a = tx.send(1);
  auto b = tx.reserve_many(2);
  auto c = tx.send(3);
  CHECK_FALSE(first.poll(a).is_ready());
  CHECK_FALSE(many.poll(b).is_ready());
  CHECK_FALSE(last.poll(c).is_ready());
  CHECK(now(rx.recv()) == 0);
  CHECK(first.is_woken());
  CHECK_FALSE(many.is_woken());
  CHECK(now(rx.recv()) == 0);
  CHECK_FALSE(many.is_woken());
  CHECK(tx.try_send(9).error().is_full());  // what is free belongs to the queue
  CHECK(first.poll(a)->has_value());
  CHECK(now(rx.recv()) == 1);
  CHECK(many.is_woken());
  CHECK_FALSE(last.is_woken());
  {
    auto permits = many.poll(b).take().value();
    CHECK(permits.size() == 2);
    permits.send(2);
    CHECK_FALSE(last.is_woken());
  }
  CHECK(last.is_woken());
  CHECK(last.poll(c)->has_value());
  CHECK(now(rx.recv()) == 2);
  CHECK(now(rx.recv()) == 3);
}

TEST_CASE(
    "a send that is dropped while it waits, or when it has been granted, passes its place on") {
  const test::leak_check leaks;
  mock_task one, two, three;
  auto [tx, rx] = mpsc::channel<int>(1);
  CHECK(tx.try_send(0).has_value());
  std::optional a(tx.send(1));
  std::optional b(tx.send(2));
  auto c = tx.send(3);
  CHECK_FALSE(one.poll(*a).is_ready());
  CHECK_FALSE(two.poll(*b).is_ready());
  CHECK_FALSE(three.poll(c).is_ready());
  a.reset();
  CHECK(one.references() == 0);
  CHECK(now(rx.recv()) == 0);
  CHECK(two.take_wakes() == 1);
  CHECK_FALSE(three.is_woken());
  b.reset();
  CHECK(three.take_wakes() == 1);
  CHECK(three.poll(c)->has_value());
  CHECK(now(rx.recv()) == 3);
  CHECK(tx.capacity() == 1);
}

TEST_CASE("a receive that is dropped while it waits leaves no waker, and takes nothing") {
  const test::leak_check leaks;
  mock_task one, two;
  auto [tx, rx] = mpsc::channel<int>(1);
  {
    auto next = rx.recv();
    CHECK_FALSE(one.poll(next).is_ready());
    auto other = rx.recv();
    CHECK_FALSE(two.poll(other).is_ready());
    CHECK(one.references() == 0);  // the last one counts
    CHECK(two.references() == 1);
  }
  CHECK(two.references() == 0);
  {
    auto old = std::make_optional(rx.recv());
    CHECK_FALSE(one.poll(*old).is_ready());
    auto fresh = rx.recv();
    CHECK_FALSE(two.poll(fresh).is_ready());
    old.reset();  // does not take the other's waker with it
    CHECK(tx.try_send(5).has_value());
    CHECK(two.take_wakes() == 1);
  }
  CHECK(now(rx.recv()) == 5);
}

TEST_CASE("the receiver goes: sends that wait and all later ones give their message back") {
  const test::leak_check leaks;
  mock_task task, watching;
  std::optional<mpsc::receiver<std::unique_ptr<int>>> rx;
  auto ends = mpsc::channel<std::unique_ptr<int>>(1);
  auto tx = std::move(ends.tx);
  rx.emplace(std::move(ends.rx));
  CHECK(tx.try_send(std::make_unique<int>(0)).has_value());
  auto waiting = tx.send(std::make_unique<int>(1));
  auto closed = tx.closed();
  CHECK_FALSE(task.poll(waiting).is_ready());
  CHECK_FALSE(watching.poll(closed).is_ready());
  CHECK_FALSE(tx.is_closed());
  rx.reset();
  CHECK(task.take_wakes() == 1);
  CHECK(watching.take_wakes() == 1);
  CHECK(watching.poll(closed).is_ready());
  CHECK(tx.is_closed());
  auto failed = task.poll(waiting);
  REQUIRE(failed.is_ready());
  CHECK(failed->error().is_closed());
  CHECK(failed->error() == errc::closed);
  CHECK(*failed->error().value() == 1);
  auto r = now(tx.send(std::make_unique<int>(2)));
  CHECK(*r.error().value() == 2);
  CHECK(*tx.try_send(std::make_unique<int>(3)).error().value() == 3);
  CHECK(now(tx.reserve()).error() == errc::closed);
  auto again = task.poll(waiting);
  CHECK(again->error() == errc::misuse);
  CHECK_FALSE(again->error().has_value());
}

TEST_CASE("the last sender goes: what is in the channel is received, then nothing") {
  const test::leak_check leaks;
  mock_task task;
  auto [tx, rx] = mpsc::channel<int>(4);
  {
    const auto clone = tx;
    const auto last = std::move(tx);
    CHECK(clone.try_send(1).has_value());
    CHECK(last.same_channel(clone));
    CHECK(rx.sender_strong_count() == 2);
  }
  CHECK(rx.is_closed());
  CHECK(now(rx.recv()) == 1);
  CHECK(now(rx.recv()) == std::nullopt);
  CHECK(rx.try_recv().error() == errc::closed);

  auto other = mpsc::unbounded_channel<int>();
  auto next = other.rx.recv();
  {
    const auto last = std::move(other.tx);
    CHECK_FALSE(task.poll(next).is_ready());
    CHECK(other.rx.try_recv().error() == std::errc::operation_would_block);
  }
  CHECK(task.take_wakes() == 1);
  CHECK(task.poll(next).take() == std::nullopt);
}

TEST_CASE("unbounded: never waits; a burst's memory goes back as it is read") {
  const test::leak_check leaks;
  auto [tx, rx] = mpsc::unbounded_channel<int>();
  const auto before = eddy::detail::live_frames();
  for (int i = 0; i < 10'000; ++i) CHECK(tx.send(i).has_value());
  CHECK(rx.len() == 10'000);
  CHECK(eddy::detail::live_frames() - before == 10'000 / 32 + 1);
  for (int i = 0; i < 10'000; ++i) CHECK(rx.try_recv() == i);
  CHECK(eddy::detail::live_frames() - before <= 1);
  CHECK(rx.is_empty());
}

#if EDDY_EXCEPTIONS
future<> sends_into(mpsc::sender<std::string> tx) { co_await tx.send("kept"); }

TEST_CASE("an await throws send_failed, with the message, its code and its text") {
  const test::leak_check leaks;
  eddy::runtime rt;
  auto ends = mpsc::channel<std::string>(1);
  {
    const auto gone = std::move(ends.rx);
  }
  try {
    rt.block_on(sends_into(ends.tx));
    FAIL("it did not throw");
  } catch (const eddy::failure& e) {
    CHECK(e.code() == errc::closed);
    CHECK(std::string(e.what()) == "channel: closed");
    const auto* failed = dynamic_cast<const eddy::sync::send_failed<std::string>*>(&e);
    REQUIRE(failed != nullptr);
    CHECK(failed->value() == "kept");
  }
}
#endif

future<eddy::result<int>> or_returns(mpsc::sender<int> tx) {
  co_await eddy::or_return(tx.send(1));
  co_return 2;
}

TEST_CASE("a send's failure goes through attempt and or_return without a throw") {
  const test::leak_check leaks;
  eddy::runtime rt;
  auto [tx, rx] = mpsc::channel<int>(1);
  CHECK(*rt.block_on(or_returns(tx)) == 2);
  rx.close();
  CHECK(rt.block_on(or_returns(tx)).error() == errc::closed);
  rt.block_on([&sender = tx]() -> future<> {
    const auto r = co_await eddy::attempt(sender.send(7));
    static_assert(
        std::is_same_v<decltype(r), const eddy::result<void, eddy::sync::send_error<int>>>);
    CHECK(r.error().value() == 7);
  });
}

future<> produce(mpsc::sender<int> tx, int n) {
  for (int i = 0; i < n; ++i) co_await tx.send(i);
}
future<> produce_all(mpsc::unbounded_sender<int> tx, int n) {
  for (int i = 0; i < n; ++i) {
    CHECK(tx.send(i).has_value());
    if (i % 2 != 0) co_await eddy::yield_now();
  }
}
future<> channels_of_both_kinds() {
  auto bounded = mpsc::channel<int>(2);
  auto unbounded = mpsc::unbounded_channel<int>();
  eddy::spawn(produce(std::move(bounded.tx), 5));
  eddy::spawn(produce_all(std::move(unbounded.tx), 5));
  int sum = 0;
  while (auto v = co_await bounded.rx.recv()) sum += *v;
  while (auto v = co_await unbounded.rx.recv()) sum += *v;
  CHECK(sum == 20);
}

TEST_CASE("dropped at every cut point, with both kinds of channel") {
  CHECK(test::cut_points(channels_of_both_kinds) > 5);
}

TEST_CASE("a task whose channel is always ready lets others run") {
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto [tx, rx] = mpsc::channel<int>(1'000);
    int others = 0;
    eddy::spawn(
        [](int* n) -> future<> {
          ++*n;
          co_return;
        },
        &others);
    for (int i = 0; i < 500; ++i) co_await tx.send(i);
    CHECK(others == 1);
    CHECK(rx.len() == 500);
  });
}

}  // namespace
