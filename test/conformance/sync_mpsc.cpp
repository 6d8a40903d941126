// The behaviour that Tokio's sync_mpsc.rs tests. docs/conformance.tsv says which case is which
// test.

#include <eddy/sync/mpsc.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/now.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
namespace mpsc = eddy::sync::mpsc;
using eddy::errc;
using eddy::future;
using test::mock_task;
using test::now;

constexpr auto would_block = std::errc::operation_would_block;

/// Destroys what `x` holds.
template <class X>
void drop(X& x) {
  const X gone = std::move(x);
}

// Give both kinds of channel one interface, for tests that hold for both.
struct bounded {
  template <class T>
  static auto make() {
    return mpsc::channel<T>(100);
  }
  template <class T>
  static bool send(const mpsc::sender<T>& tx, T value) {
    return now(tx.send(std::move(value))).has_value();
  }
};
struct unbounded {
  template <class T>
  static auto make() {
    return mpsc::unbounded_channel<T>();
  }
  template <class T>
  static bool send(const mpsc::unbounded_sender<T>& tx, T value) {
    return tx.send(std::move(value)).has_value();
  }
};

TEST_CASE("messages sent by a permit and by try_send arrive in order, then the end") {
  auto [tx, rx] = mpsc::channel<int>(16);
  {
    auto permit = now(tx.reserve()).value();
    permit.send(1);
  }
  CHECK(tx.try_send(2).has_value());
  drop(tx);
  CHECK(now(rx.recv()) == 1);
  CHECK(now(rx.recv()) == 2);
  CHECK(now(rx.recv()) == std::nullopt);
}

TEST_CASE("each permit that is dropped, or used and received, admits one waiting reserve") {
  mock_task third, fourth, again;
  auto [tx, rx] = mpsc::channel<int>(2);
  auto first = now(tx.reserve()).value();
  std::optional second(now(tx.reserve()).value());
  auto r3 = tx.reserve();
  auto r4 = tx.reserve();
  CHECK_FALSE(third.poll(r3).is_ready());
  CHECK_FALSE(fourth.poll(r4).is_ready());
  first.send(1);
  CHECK_FALSE(third.is_woken());
  CHECK(now(rx.recv()) == 1);
  CHECK(third.is_woken());
  CHECK_FALSE(fourth.is_woken());
  second.reset();
  CHECK(fourth.is_woken());
  auto r1 = tx.reserve();
  CHECK_FALSE(again.poll(r1).is_ready());
}

future<> send_two(mpsc::sender<int> tx) {
  co_await tx.send(1);
  co_await tx.send(2);
}
future<> send_two_at_once(mpsc::unbounded_sender<int> tx) {
  CHECK(tx.send(1).has_value());
  CHECK(tx.send(2).has_value());
  co_return;
}
template <class Receiver>
future<> receive_two(Receiver rx) {
  CHECK(co_await rx.recv() == 1);
  CHECK(co_await rx.recv() == 2);
  CHECK(co_await rx.recv() == std::nullopt);
}

TEST_CASE("a receiver gets two messages and then the end when the sending task ends") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto [tx, rx] = mpsc::channel<int>(16);
    eddy::spawn(send_two(std::move(tx)));
    co_await receive_two(std::move(rx));
    auto [all, out] = mpsc::unbounded_channel<int>();
    eddy::spawn(send_two_at_once(std::move(all)));
    co_await receive_two(std::move(out));
  });
}

future<> send_all_of(mpsc::sender<int> tx, std::vector<int> values) {
  for (const int v : values) co_await tx.send(v);
}

TEST_CASE("recv_many takes what is there, waits if there is nothing, and returns 0 at the end") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto [tx, rx] = mpsc::channel<int>(2);
    std::vector<int> got;
    CHECK(now(rx.recv_many(got, 0)) == 0);
    const std::vector<int> values{1, 2, 7, 0};
    auto sending = eddy::spawn(send_all_of(std::move(tx), values));
    std::size_t count = 0;
    while (count < 4) {
      count += co_await rx.recv_many(got, 3);
      CHECK(got.size() == count);
    }
    CHECK(got == values);
    CHECK(co_await rx.recv_many(got, 3) == 0);
    co_await sending;
  });
}

TEST_CASE("a reserve that is dropped leaves its turn to the next one") {
  mock_task one, two;
  auto [tx, rx] = mpsc::channel<int>(1);
  auto other = tx;
  CHECK(tx.try_send(0).has_value());
  std::optional r1(tx.reserve());
  CHECK_FALSE(one.poll(*r1).is_ready());
  {
    auto r2 = other.reserve();
    CHECK_FALSE(two.poll(r2).is_ready());
    r1.reset();
    CHECK(now(rx.recv()).has_value());
    CHECK(two.is_woken());
    CHECK_FALSE(one.is_woken());
  }
  drop(tx);
  drop(other);
  CHECK(now(rx.recv()) == std::nullopt);
}

TEST_CASE_TEMPLATE("messages of either kind of channel arrive in order, then the end", Kind,
                   bounded, unbounded) {
  auto [tx, rx] = Kind::template make<int>();
  CHECK(Kind::send(tx, 1));
  CHECK(Kind::send(tx, 2));
  CHECK(now(rx.recv()) == 1);
  CHECK(now(rx.recv()) == 2);
  drop(tx);
  CHECK(now(rx.recv()) == std::nullopt);
}

TEST_CASE_TEMPLATE("recv_many appends, uses the vector's capacity, and grows it when it must", Kind,
                   bounded, unbounded) {
  auto [tx, rx] = Kind::template make<std::string>();
  std::vector<std::string> got;
  got.reserve(9);
  const std::size_t limit = got.capacity();
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < limit; ++i) {
    expected.push_back(std::to_string(i));
    CHECK(Kind::send(tx, std::to_string(i)));
  }
  CHECK(Kind::send(tx, std::string("one more")));
  CHECK(now(rx.recv_many(got, 0)) == 0);
  CHECK(now(rx.recv_many(got, limit)) == limit);
  CHECK(got == expected);
  CHECK(got.capacity() == limit);
  CHECK(now(rx.recv_many(got, limit)) == 1);
  CHECK(got.capacity() > limit);
  expected.emplace_back("one more");
  CHECK(got == expected);
  mock_task task;
  auto more = rx.recv_many(got, limit);
  CHECK_FALSE(task.poll(more).is_ready());
  CHECK(Kind::send(tx, std::string("final")));
  drop(tx);
  CHECK(task.poll(more).take() == 1);
  expected.emplace_back("final");
  CHECK(got == expected);
  CHECK(now(rx.recv_many(got, limit)) == 0);
  CHECK(got == expected);
}

TEST_CASE_TEMPLATE("recv_many of a closed and empty channel returns 0 and leaves the vector alone",
                   Kind, bounded, unbounded) {
  auto [tx, rx] = Kind::template make<int>();
  std::vector<int> got{1};
  rx.close();
  CHECK(now(rx.recv_many(got, 1)) == 0);
  CHECK(got == std::vector<int>{1});
}

TEST_CASE_TEMPLATE("recv_many takes messages one by one, and reuses a cleared vector's capacity",
                   Kind, bounded, unbounded) {
  auto [tx, rx] = Kind::template make<int>();
  std::vector<int> got;
  for (const int v : {7, 13, 100, 1002}) CHECK(Kind::send(tx, v));
  for (int i = 0; i < 4; ++i) CHECK(now(rx.recv_many(got, 1)) == 1);
  CHECK(got == std::vector<int>{7, 13, 100, 1002});
  const std::size_t room = got.capacity();
  got.clear();
  for (const int v : {5, 6, 7, 2}) CHECK(Kind::send(tx, v));
  CHECK(now(rx.recv_many(got, 32)) == 4);
  CHECK(got.capacity() == room);
  CHECK(got == std::vector<int>{5, 6, 7, 2});
}

/// A type that can only be moved: not copyable, comparable or default-constructible.
class bare {
 public:
  explicit bare(int) {}
  bare(bare&&) = default;
};

TEST_CASE_TEMPLATE("a message need only be movable, and its senders can still be copied", Kind,
                   bounded, unbounded) {
  auto [tx, rx] = Kind::template make<bare>();
  auto copy = tx;
  CHECK(Kind::send(copy, bare(1)));
  CHECK(now(rx.recv()).has_value());
}

TEST_CASE("in a channel of one, receiving wakes the second reserve, which then sends") {
  mock_task task;
  auto [tx, rx] = mpsc::channel<int>(1);
  {
    auto p1 = now(tx.reserve()).value();
    p1.send(1);
  }
  auto p2 = tx.reserve();
  CHECK_FALSE(task.poll(p2).is_ready());
  CHECK(now(rx.recv()) == 1);
  CHECK(task.is_woken());
  CHECK(tx.try_send(1337).error().is_full());
  task.poll(p2).take().value().send(2);
  CHECK(now(rx.recv()) == 2);
}

TEST_CASE("after the receiver closes an idle channel, receiving ends and sending fails") {
  auto [tx, rx] = mpsc::channel<int>(10);
  rx.close();
  CHECK(now(rx.recv()) == std::nullopt);
  CHECK(now(tx.send(1)).error().is_closed());
}

TEST_CASE("a close fails waiting reserves, but a permit that is out still sends") {
  mock_task reserving, receiving;
  auto [tx, rx] = mpsc::channel<int>(1);
  auto permit = now(tx.reserve()).value();
  auto second = tx.reserve();
  CHECK_FALSE(reserving.poll(second).is_ready());
  rx.close();
  CHECK(reserving.is_woken());
  CHECK(reserving.poll(second).take().error() == errc::closed);
  {
    auto next = rx.recv();
    CHECK_FALSE(receiving.poll(next).is_ready());
    permit.send(123);
    CHECK(receiving.is_woken());
    CHECK(receiving.poll(next).take() == 123);
  }
  CHECK(now(rx.recv()) == std::nullopt);
}

// Closes a channel while a reserve holds places. The receiver waits for it, and the end of the
// reserve (it fails or is dropped) wakes the receiver.
template <class Reserve, class End>
void last_place_wakes_closed_receiver(std::size_t capacity, Reserve reserve, bool granted,
                                      End end) {
  mock_task reserving, receiving;
  auto [tx, rx] = mpsc::channel<int>(capacity);
  std::optional permit(tx.try_reserve().value());
  std::optional waiting(reserve(tx));
  CHECK_FALSE(reserving.poll(*waiting).is_ready());
  if (granted) {
    permit.reset();
    CHECK(reserving.is_woken());
  }
  rx.close();
  auto next = rx.recv();
  CHECK_FALSE(receiving.poll(next).is_ready());
  permit.reset();
  CHECK_FALSE(receiving.is_woken());
  end(reserving, waiting);
  CHECK(receiving.is_woken());
  CHECK(receiving.poll(next).take() == std::nullopt);
}
constexpr auto fails = [](mock_task& task, auto& waiting) {
  CHECK(task.poll(*waiting).take().error() == errc::closed);
};
constexpr auto is_dropped = [](mock_task&, auto& waiting) { waiting.reset(); };

TEST_CASE("a reserve that fails or is dropped after the close returns its places") {
  const auto one = [](const mpsc::sender<int>& tx) { return tx.reserve(); };
  const auto two = [](const mpsc::sender<int>& tx) { return tx.reserve_many(2); };
  last_place_wakes_closed_receiver(2, two, false, fails);
  last_place_wakes_closed_receiver(2, two, false, is_dropped);
  last_place_wakes_closed_receiver(1, one, true, fails);
  last_place_wakes_closed_receiver(1, one, true, is_dropped);
}

TEST_CASE("a receiver whose sender sent nothing is at its end") {
  auto [tx, rx] = mpsc::channel<int>(10);
  drop(tx);
  CHECK(now(rx.recv()) == std::nullopt);
}

TEST_CASE("try_send reports a full channel; try_recv reports empty and disconnected") {
  auto [tx, rx] = mpsc::channel<std::string>(1);
  CHECK(tx.try_send("hello").has_value());
  auto failed = tx.try_send("fail");
  CHECK(failed.error().is_full());
  CHECK(failed.error().value() == "fail");
  CHECK(now(rx.recv()) == "hello");
  CHECK(rx.try_recv().error() == would_block);
  CHECK(tx.try_send("goodbye").has_value());
  drop(tx);
  CHECK(rx.try_recv() == "goodbye");
  CHECK(rx.try_recv().error() == errc::closed);
  CHECK(now(rx.recv()) == std::nullopt);
}

TEST_CASE("reserving more places than the channel has is an error") {
  constexpr std::size_t huge = std::numeric_limits<std::size_t>::max();
  auto [tx, rx] = mpsc::channel<int>(1);
  CHECK(now(tx.reserve_many(2)).error() == errc::misuse);
  CHECK(now(tx.reserve_many(eddy::sync::semaphore::max_permits + 1)).error() == errc::misuse);
  CHECK(now(tx.reserve_many(huge)).error() == errc::misuse);
  CHECK(tx.try_reserve_many(2).error() == would_block);
  CHECK(tx.try_reserve_many(eddy::sync::semaphore::max_permits + 1).error() == would_block);
  CHECK(tx.try_reserve_many(huge).error() == would_block);
}

TEST_CASE("zero places can be reserved in any open channel, even a full one") {
  auto [tx, rx] = mpsc::channel<int>(1);
  CHECK(tx.try_reserve_many(0).value().empty());
  CHECK_FALSE(now(tx.reserve_many(0)).value().next().has_value());
  CHECK(tx.try_send(0).has_value());
  CHECK(tx.try_reserve_many(0).value().empty());
  CHECK(now(tx.reserve_many(0)).value().empty());
  drop(rx);
  CHECK(tx.try_reserve_many(0).error() == errc::closed);
  CHECK(now(tx.reserve_many(0)).error() == errc::closed);
}

TEST_CASE("try_reserve fails on a full channel, and a dropped permit returns its place") {
  auto [tx, rx] = mpsc::channel<std::string>(1);
  {
    auto permit = tx.try_reserve().value();
    CHECK(tx.try_reserve().error() == would_block);
    permit.send("foo");
  }
  CHECK(now(rx.recv()) == "foo");
  {
    const auto dropped = tx.try_reserve().value();
  }
  CHECK(tx.try_reserve().has_value());
}

TEST_CASE("each permit of reserve_many sends one message") {
  auto [tx, rx] = mpsc::channel<int>(100);
  for (std::size_t i = 0; i < 100; ++i) {
    auto awaited = now(tx.reserve_many(i)).value();
    CHECK(awaited.size() == i);
    while (auto permit = awaited.next()) {
      permit->send(1);
      CHECK(now(rx.recv()) == 1);
    }
    auto tried = tx.try_reserve_many(i).value();
    while (!tried.empty()) {
      tried.send(2);
      CHECK(now(rx.recv()) == 2);
    }
    CHECK(rx.try_recv().error() == would_block);
  }
}

TEST_CASE("the capacity counts used permits of reserve_many and gets unused ones back") {
  for (std::size_t n = 1; n < 30; ++n)
    for (std::size_t k = 0; k < n; ++k) {
      auto [tx, rx] = mpsc::channel<int>(n);
      {
        auto permits = tx.try_reserve_many(n).value();
        CHECK(permits.size() == n);
        CHECK(tx.capacity() == 0);
        CHECK(tx.try_reserve_many(1).error() == would_block);
        for (std::size_t i = 0; i < k; ++i) permits.send(0);
      }
      CHECK(tx.capacity() == n - k);
      CHECK(tx.try_reserve_many(1).has_value());
      CHECK(tx.try_reserve_many(n - k + 1).error() == would_block);
      for (std::size_t i = 0; i < k; ++i) CHECK(now(rx.recv()) == 0);
      CHECK(tx.capacity() == n);
    }
}

TEST_CASE("permits that are dropped admit a waiting reserve") {
  for (std::size_t n = 1; n < 50; ++n) {
    mock_task task;
    auto [tx, rx] = mpsc::channel<int>(n);
    std::optional permits(now(tx.reserve_many(n)).value());
    auto waiting = tx.reserve_many(n);
    CHECK_FALSE(task.poll(waiting).is_ready());
    permits.reset();
    CHECK(task.is_woken());
    {
      const auto got = task.poll(waiting).take().value();
    }
    CHECK(tx.capacity() == n);
  }
}

TEST_CASE("the last permit, however it ends, wakes the receiver of a closed channel") {
  const auto check = [](auto take, auto end, bool sends) {
    mock_task task;
    auto [tx, rx] = mpsc::channel<int>(100);
    auto taken = take(tx).value();
    auto permit = std::make_unique<decltype(taken)>(std::move(taken));
    rx.close();
    auto next = rx.recv();
    CHECK_FALSE(task.poll(next).is_ready());
    end(permit);
    CHECK(task.is_woken());
    CHECK(task.poll(next).take().has_value() == sends);
  };
  const auto one = [](auto& tx) { return tx.try_reserve(); };
  const auto many = [](auto& tx) { return tx.try_reserve_many(1); };
  const auto owned = [](auto& tx) { return std::move(tx).try_reserve_owned(); };
  const auto drops = [](auto& permit) { permit.reset(); };
  const auto sends = [](auto& permit) { permit->send(1); };
  check(one, drops, false);
  check(owned, drops, false);
  check(many, drops, false);
  check(one, sends, true);
  check(owned, [](auto& permit) { const auto tx = permit->send(1); }, true);
  check(owned, [](auto& permit) { const auto tx = permit->release(); }, false);
}

TEST_CASE("dropping the receiver closes the channel and destroys what is in it") {
  const auto message = std::make_shared<int>(1);
  auto [tx, rx] = mpsc::channel<std::shared_ptr<int>>(100);
  CHECK(tx.try_send(message).has_value());
  drop(rx);
  CHECK(message.use_count() == 1);
  CHECK(now(tx.reserve()).error() == errc::closed);
  CHECK(now(tx.reserve_many(10)).error() == errc::closed);
  CHECK(tx.try_reserve_many(10).error() == errc::closed);
  CHECK(tx.try_send(message).error().is_closed());
  CHECK(tx.try_reserve().error() == errc::closed);
  CHECK(std::move(tx).try_reserve_owned().error() == errc::closed);
  CHECK(tx.is_closed());  // try_reserve_owned failed and left the sender as it was
  CHECK(message.use_count() == 1);
}

TEST_CASE("messages that were not received are destroyed with the channel") {
  const auto message = std::make_shared<int>(1);
  {
    auto [tx, rx] = mpsc::channel<std::shared_ptr<int>>(100);
    CHECK(tx.try_send(message).has_value());
    CHECK(message.use_count() == 2);
  }
  CHECK(message.use_count() == 1);
}

TEST_CASE("a closed channel ends with its last permit, though a sender lives") {
  mock_task task;
  auto [tx, rx] = mpsc::channel<int>(100);
  const auto other = tx;
  std::optional permit(now(tx.reserve()).value());
  rx.close();
  auto next = rx.recv();
  CHECK_FALSE(task.poll(next).is_ready());
  permit.reset();
  CHECK(task.is_woken());
  CHECK(task.poll(next).take() == std::nullopt);
}

TEST_CASE("a channel may be closed while a reserve waits for its only place") {
  mock_task task;
  auto [tx, rx] = mpsc::channel<int>(1);
  std::optional permit(now(tx.reserve()).value());
  std::optional waiting(tx.reserve());
  CHECK_FALSE(task.poll(*waiting).is_ready());
  rx.close();
  permit.reset();
  CHECK(task.is_woken());
  waiting.reset();
  CHECK(now(rx.recv()) == std::nullopt);
}

TEST_CASE("try_recv and try_send fill and empty a channel repeatedly") {
  auto [tx, rx] = mpsc::channel<int>(5);
  const auto send = [&sender = tx](int n) {
    for (int i = 0; i < n; ++i) CHECK(sender.try_send(i).has_value());
  };
  const auto receive = [&receiver = rx](int n) {
    for (int i = 0; i < n; ++i) CHECK(receiver.try_recv().has_value());
  };
  send(5);
  CHECK(tx.try_send(0).error().is_full());
  receive(5);
  CHECK(rx.try_recv().error() == would_block);
  send(4);
  receive(1);
  send(2);
  CHECK(tx.try_send(0).error().is_full());
  receive(5);
  CHECK(rx.try_recv().error() == would_block);
  send(3);
  drop(tx);
  receive(3);
  CHECK(rx.try_recv().error() == errc::closed);
}

TEST_CASE("try_recv empties unbounded channels of every length up to 100") {
  for (int n = 0; n < 100; ++n) {
    auto [tx, rx] = mpsc::unbounded_channel<int>();
    for (int i = 0; i < n; ++i) CHECK(tx.send(i).has_value());
    for (int i = 0; i < n; ++i) CHECK(rx.try_recv() == i);
    CHECK(rx.try_recv().error() == would_block);
    drop(tx);
    CHECK(rx.try_recv().error() == errc::closed);
  }
}

TEST_CASE("try_recv after a close reports disconnected only when the last permit is back") {
  auto [tx, rx] = mpsc::channel<int>(5);
  std::optional permit(tx.try_reserve().value());
  CHECK(rx.try_recv().error() == would_block);
  rx.close();
  CHECK(rx.try_recv().error() == would_block);
  permit.reset();
  CHECK(rx.try_recv().error() == errc::closed);
}

TEST_CASE_TEMPLATE("try_recv reports disconnected if a channel is empty and its senders are gone",
                   Kind, bounded, unbounded) {
  auto [tx, rx] = Kind::template make<int>();
  CHECK(rx.try_recv().error() == would_block);
  drop(tx);
  CHECK(rx.try_recv().error() == errc::closed);
}

TEST_CASE("send_timeout waits its time and returns the message; on a closed channel at once") {
  const test::leak_check leaks;
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    auto [tx, rx] = mpsc::channel<int>(5);
    for (int i = 0; i < 5; ++i) co_await tx.send_timeout(1s, i);
    const auto start = eddy::clock::now();
    const auto late = co_await eddy::attempt(tx.send_timeout(1s, 60));
    CHECK(late.error().is_elapsed());
    CHECK(late.error().value() == 60);
    CHECK(eddy::clock::now() - start == 1s);
    drop(rx);
    const auto closed = co_await eddy::attempt(tx.send_timeout(1s, 70));
    CHECK(closed.error().is_closed());
    CHECK(closed.error().value() == 70);
  });
}

TEST_CASE("capacity counts permits and messages as used; max_capacity stays the same") {
  auto [tx, rx] = mpsc::channel<int>(10);
  CHECK(tx.capacity() == 10);
  CHECK(tx.max_capacity() == 10);
  const auto permit = now(tx.reserve()).value();
  CHECK(tx.capacity() == 9);
  CHECK(now(tx.send(1)).has_value());
  CHECK(tx.capacity() == 8);
  CHECK(rx.capacity() == 8);
  CHECK(rx.max_capacity() == 10);
}

TEST_CASE_TEMPLATE(
    "a receiver is closed by its own close or with its last sender, even if messages are left",
    Kind, bounded, unbounded) {
  {
    auto [tx, rx] = Kind::template make<int>();
    CHECK_FALSE(rx.is_closed());
    for (int i = 0; i < 10; ++i) CHECK(Kind::send(tx, i));
    CHECK_FALSE(rx.is_closed());
    rx.close();
    CHECK(rx.is_closed());
  }
  {
    auto [tx, rx] = Kind::template make<int>();
    rx.close();
    CHECK(rx.is_closed());
  }
  {
    auto [tx, rx] = Kind::template make<int>();
    auto other = tx;
    CHECK(Kind::send(tx, 1));
    drop(tx);
    CHECK_FALSE(rx.is_closed());
    drop(other);
    CHECK(rx.is_closed());
  }
}

TEST_CASE("an owned permit keeps the channel open as its sender did") {
  auto [tx, rx] = mpsc::channel<int>(10);
  const auto permit = now(std::move(tx).reserve_owned()).value();
  CHECK_FALSE(rx.is_closed());
}

TEST_CASE_TEMPLATE("is_empty and len count the messages in the channel", Kind, bounded, unbounded) {
  auto [tx, rx] = Kind::template make<int>();
  CHECK(rx.is_empty());
  CHECK(rx.len() == 0);
  for (int i = 0; i < 100; ++i) {
    CHECK(Kind::send(tx, i));
    CHECK_FALSE(rx.is_empty());
    CHECK(rx.len() == static_cast<std::size_t>(i) + 1);
  }
  drop(tx);
  CHECK(rx.len() == 100);
  for (std::size_t left = 100; left != 0;) {
    CHECK_FALSE(rx.is_empty());
    CHECK(now(rx.recv()).has_value());
    CHECK(rx.len() == --left);
  }
  CHECK(rx.is_empty());
  CHECK(rx.try_recv().error() == errc::closed);
  CHECK(rx.len() == 0);
}

TEST_CASE_TEMPLATE("a close does not change len, whether before or after the sender is gone", Kind,
                   bounded, unbounded) {
  for (const bool sender_first : {false, true}) {
    auto [tx, rx] = Kind::template make<int>();
    CHECK(Kind::send(tx, 1));
    if (sender_first) drop(tx);
    rx.close();
    CHECK(rx.len() == 1);
    drop(tx);
    CHECK(rx.len() == 1);
  }
}

TEST_CASE("a channel that is emptied across its blocks is empty each time") {
  auto [tx, rx] = mpsc::channel<int>(33);
  for (int i = 1; i < 257; ++i) {
    CHECK(now(tx.send(i)).has_value());
    CHECK(now(rx.recv()) == i);
    CHECK(rx.is_empty());
  }
}

TEST_CASE("a dropped receiver drops the waker it was polled with") {
  mock_task task;
  auto [tx, rx] = mpsc::channel<int>(1);
  {
    auto receiver = std::move(rx);
    eddy::context cx(task);
    CHECK_FALSE(receiver.poll_recv(cx).is_ready());
    CHECK(task.references() == 1);
  }
  CHECK(task.references() == 0);
}

}  // namespace
