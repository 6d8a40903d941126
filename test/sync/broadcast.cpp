#include <eddy/sync/broadcast.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

namespace {

using eddy::errc;
using eddy::future;
namespace broadcast = eddy::sync::broadcast;

template <class T>
void drop(T& gone) {
  const T dropped = std::move(gone);
}
template <class T>
void send(broadcast::sender<T>& tx, T value) {
  CHECK(tx.send(std::move(value)).has_value());
}
template <class T>
bool gets(broadcast::receiver<T>& rx, const T& value) {
  auto r = rx.try_recv();
  return r && *r == value;
}
template <class T>
bool is_empty(broadcast::receiver<T>& rx) {
  auto r = rx.try_recv();
  return !r && r.error() == std::errc::operation_would_block && r.error().is_empty();
}
template <class T>
bool is_closed(broadcast::receiver<T>& rx) {
  auto r = rx.try_recv();
  return !r && r.error() == errc::closed && r.error().is_closed();
}
template <class T>
std::uint64_t missed(broadcast::receiver<T>& rx) {
  auto r = rx.try_recv();
  return r ? 0 : r.error().lagged();
}

TEST_CASE("broadcast: try_recv gives what was sent, to each receiver from its subscription on") {
  const test::leak_check leaks;
  auto [tx, rx1] = broadcast::channel<std::string>(16);
  CHECK(is_empty(rx1));
  CHECK(*tx.send("hello") == 1);
  CHECK(gets<std::string>(rx1, "hello"));
  CHECK(is_empty(rx1));
  auto rx2 = tx.subscribe();
  CHECK(*tx.emplace("world") == 2);
  CHECK(gets<std::string>(rx1, "world"));
  CHECK(gets<std::string>(rx2, "world"));
  CHECK(is_empty(rx1));
  CHECK(is_empty(rx2));
}

TEST_CASE("broadcast: two receivers get the same values, each at its own pace") {
  const test::leak_check leaks;
  auto [tx, rx1] = broadcast::channel<std::string>(16);
  auto rx2 = tx.subscribe();
  send<std::string>(tx, "hello");
  send<std::string>(tx, "world");
  for (auto* rx : {&rx1, &rx2}) {
    CHECK(gets<std::string>(*rx, "hello"));
    CHECK(gets<std::string>(*rx, "world"));
    CHECK(is_empty(*rx));
  }
}

TEST_CASE("broadcast: a value wakes the receiver that waits for it, once") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = broadcast::channel<std::string>(16);
  {
    auto recv = rx.recv();
    CHECK_FALSE(task.poll(recv).is_ready());
    send<std::string>(tx, "hello");
    CHECK(task.take_wakes() == 1);
    auto p = task.poll(recv);
    CHECK(**p == std::string("hello"));
    CHECK_FALSE(task.is_woken());
  }
  auto recv = rx.recv();
  CHECK_FALSE(task.poll(recv).is_ready());
  CHECK(task.references() == 1);
}

TEST_CASE("broadcast: a value wakes all receivers that wait") {
  const test::leak_check leaks;
  test::mock_task one, two;
  auto [tx, rx1] = broadcast::channel<int>(16);
  auto rx2 = tx.subscribe();
  auto a = rx1.recv();
  auto b = rx2.recv();
  CHECK_FALSE(one.poll(a).is_ready());
  CHECK_FALSE(two.poll(b).is_ready());
  send(tx, 1);
  CHECK(one.take_wakes() == 1);
  CHECK(two.take_wakes() == 1);
  CHECK(*one.poll(a).take() == 1);
  CHECK_FALSE(two.is_woken());
  CHECK(*two.poll(b).take() == 1);
}

TEST_CASE("broadcast: more receivers than fit in one go are woken all") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = broadcast::channel<int>(1);
  std::vector<broadcast::receiver<int>> receivers;
  for (int i = 0; i < 100; ++i) receivers.push_back(rx.resubscribe());
  std::vector<decltype(rx.recv())> leaves;
  leaves.reserve(receivers.size());
  for (auto& r : receivers) CHECK_FALSE(task.poll(leaves.emplace_back(r.recv())).is_ready());
  send(tx, 1);
  CHECK(task.take_wakes() == 100);
  for (auto& leaf : leaves) CHECK(*task.poll(leaf).take() == 1);
}

TEST_CASE("broadcast: a wait that another task goes on with wakes that one") {
  const test::leak_check leaks;
  test::mock_task one, two;
  auto [tx, rx] = broadcast::channel<int>(1);
  auto recv = rx.recv();
  CHECK_FALSE(one.poll(recv).is_ready());
  CHECK_FALSE(two.poll(recv).is_ready());
  CHECK(one.references() == 0);
  send(tx, 1);
  CHECK(one.take_wakes() == 0);
  CHECK(two.take_wakes() == 1);
}

TEST_CASE("broadcast: a slow receiver holds up nobody, and is told what it missed") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, slow] = broadcast::channel<std::string>(2);
  auto fast = tx.subscribe();
  auto recv = fast.recv();
  CHECK_FALSE(task.poll(recv).is_ready());
  send<std::string>(tx, "one");
  CHECK(task.take_wakes() == 1);
  auto p = task.poll(recv);
  CHECK(**p == std::string("one"));
  send<std::string>(tx, "two");
  CHECK(gets<std::string>(fast, "two"));
  send<std::string>(tx, "three");
  CHECK(gets<std::string>(fast, "three"));
  CHECK(missed(slow) == 1);
  CHECK(gets<std::string>(slow, "two"));
  CHECK(gets<std::string>(slow, "three"));
  CHECK(is_empty(slow));
}

TEST_CASE("broadcast: a receiver that goes with values unread leaves them to the others") {
  const test::leak_check leaks;
  auto [tx, rx1] = broadcast::channel<std::string>(16);
  auto rx2 = tx.subscribe();
  send<std::string>(tx, "one");
  send<std::string>(tx, "two");
  drop(rx1);
  CHECK(gets<std::string>(rx2, "one"));
  CHECK(tx.len() == 1);
  drop(rx2);
  CHECK(tx.is_empty());
}

TEST_CASE("broadcast: a receiver that lags goes on with the oldest value there is") {
  const test::leak_check leaks;
  auto [tx, rx1] = broadcast::channel<std::string>(2);
  auto rx2 = tx.subscribe();
  send<std::string>(tx, "one");
  send<std::string>(tx, "two");
  CHECK(gets<std::string>(rx1, "one"));
  send<std::string>(tx, "three");
  CHECK(gets<std::string>(rx1, "two"));
  CHECK(missed(rx2) == 1);
  send<std::string>(tx, "four");
  CHECK(missed(rx2) == 1);
  CHECK(gets<std::string>(rx2, "three"));
  CHECK(gets<std::string>(rx2, "four"));
  CHECK(is_empty(rx2));
  CHECK(gets<std::string>(rx1, "three"));
  CHECK(gets<std::string>(rx1, "four"));
}

TEST_CASE("broadcast: a send without receivers gives the value back") {
  const test::leak_check leaks;
  auto [tx, rx] = broadcast::channel<std::string>(16);
  drop(rx);
  auto sent = tx.send("hello");
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error() == errc::closed);
  CHECK(std::move(sent).error().value() == "hello");
  auto later = tx.subscribe();
  send<std::string>(tx, "world");
  CHECK(gets<std::string>(later, "world"));
}

TEST_CASE("broadcast: the last sender to go wakes who waits, and is the end") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = broadcast::channel<int>(16);
  auto other = tx;
  auto recv = rx.recv();
  CHECK_FALSE(task.poll(recv).is_ready());
  drop(tx);
  CHECK(task.take_wakes() == 0);
  drop(other);
  CHECK(task.take_wakes() == 1);
  auto p = task.poll(recv);
  REQUIRE(p.is_ready());
  CHECK_FALSE(static_cast<bool>(*p));
  CHECK(p->is_closed());
  CHECK(p->lagged() == 0);
  CHECK(rx.is_closed());
}

TEST_CASE("broadcast: unread values go with the last receiver") {
  const test::leak_check leaks;
  auto value = std::make_shared<int>(1);
  auto [tx, rx] = broadcast::channel<std::shared_ptr<int>>(16);
  send(tx, value);
  CHECK(value.use_count() == 2);
  drop(rx);
  CHECK(value.use_count() == 1);
}

TEST_CASE("broadcast: a channel of one value, read after each send") {
  auto [tx, rx] = broadcast::channel<int>(1);
  for (int i = 0; i < 3; ++i) {
    send(tx, i);
    CHECK(gets(rx, i));
    CHECK(is_empty(rx));
  }
  drop(tx);
  CHECK(is_closed(rx));
}

TEST_CASE("broadcast: a channel of one value keeps it behind the last sender") {
  auto [tx, rx] = broadcast::channel<int>(1);
  send(tx, 1);
  drop(tx);
  CHECK(gets(rx, 1));
  CHECK(is_closed(rx));
}

TEST_CASE("broadcast: a channel of one value keeps the newer behind the last sender") {
  auto [tx, rx] = broadcast::channel<int>(1);
  send(tx, 1);
  send(tx, 2);
  drop(tx);
  CHECK(missed(rx) == 1);
  CHECK(gets(rx, 2));
  CHECK(is_closed(rx));
}

TEST_CASE("broadcast: the end costs no value of a full channel") {
  auto [tx, rx] = broadcast::channel<int>(2);
  send(tx, 1);
  send(tx, 2);
  drop(tx);
  CHECK(gets(rx, 1));
  CHECK(gets(rx, 2));
  CHECK(is_closed(rx));
}

TEST_CASE("broadcast: lag before the end is told before it") {
  auto [tx, rx] = broadcast::channel<int>(2);
  for (int i = 1; i <= 3; ++i) send(tx, i);
  drop(tx);
  CHECK(missed(rx) == 1);
  CHECK(gets(rx, 2));
  CHECK(gets(rx, 3));
  CHECK(is_closed(rx));
}

TEST_CASE("broadcast: lag of two rounds before the end is told before it") {
  auto [tx, rx] = broadcast::channel<int>(2);
  for (int i = 1; i <= 4; ++i) send(tx, i);
  drop(tx);
  CHECK(missed(rx) == 2);
  CHECK(gets(rx, 3));
  CHECK(gets(rx, 4));
  CHECK(is_closed(rx));
}

TEST_CASE("broadcast: behind lag an open channel is empty") {
  auto [tx, rx] = broadcast::channel<int>(2);
  for (int i = 1; i <= 3; ++i) send(tx, i);
  CHECK(missed(rx) == 1);
  CHECK(gets(rx, 2));
  CHECK(gets(rx, 3));
  CHECK(is_empty(rx));
}

TEST_CASE("broadcast: a receiver's len counts what it has missed until it is told") {
  auto [tx, rx] = broadcast::channel<int>(3);
  for (int i = 1; i <= 4; ++i) send(tx, 10 * i);
  CHECK(rx.len() == 4);
  CHECK(gets(rx, 10));
  send(tx, 50);
  send(tx, 60);
  CHECK(rx.len() == 5);
  CHECK(missed(rx) == 1);
  CHECK(rx.len() == 4);
}

TEST_CASE("broadcast: resubscribed, a receiver sees only what comes") {
  const test::leak_check leaks;
  auto [tx, rx] = broadcast::channel<int>(3);
  send(tx, 1);
  auto again = rx.resubscribe();
  CHECK(is_empty(again));
  CHECK(gets(rx, 1));
  send(tx, 2);
  CHECK(gets(rx, 2));
  CHECK(gets(again, 2));
  CHECK(tx.receiver_count() == 2);
}

TEST_CASE("broadcast: resubscribed from one that lags, a receiver does not lag") {
  auto [tx, rx] = broadcast::channel<int>(1);
  send(tx, 1);
  send(tx, 2);
  auto again = rx.resubscribe();
  CHECK(missed(rx) == 1);
  CHECK(is_empty(again));
  CHECK(gets(rx, 2));
  CHECK(is_empty(rx));
  CHECK(is_empty(again));
}

TEST_CASE("broadcast: resubscribed to a closed channel, a receiver finds the end") {
  auto [tx, rx] = broadcast::channel<int>(2);
  drop(tx);
  auto again = rx.resubscribe();
  CHECK(is_closed(again));
}

TEST_CASE("broadcast: a sender's len is what the slowest receiver has yet to read") {
  auto [tx, rx1] = broadcast::channel<int>(4);
  auto rx2 = tx.subscribe();
  CHECK(tx.len() == 0);
  CHECK(tx.is_empty());
  for (int i = 1; i <= 3; ++i) send(tx, i);
  CHECK(tx.len() == 3);
  CHECK(gets(rx1, 1));
  CHECK(gets(rx1, 2));
  CHECK(tx.len() == 3);
  CHECK(gets(rx2, 1));
  CHECK(tx.len() == 2);
  for (int i = 4; i <= 6; ++i) send(tx, i);
  CHECK(tx.len() == 4);
}

TEST_CASE("broadcast: a sender's len agrees with its receivers' whatever happens") {
  std::minstd_rand random(5);
  auto [tx, rx1] = broadcast::channel<int>(16);
  auto rx2 = tx.subscribe();
  for (int i = 0; i < 1000; ++i) {
    switch (random() % 4) {
      case 0:
        static_cast<void>(rx1.try_recv());
        break;
      case 1:
        static_cast<void>(rx2.try_recv());
        break;
      default:
        send(tx, i);
    }
    CHECK(tx.len() == std::min<std::size_t>(std::max(rx1.len(), rx2.len()), 16));
  }
}

/// Sends when the last waker of it goes.
class sends_at_end final : public eddy::wake_target {
 public:
  explicit sends_at_end(broadcast::sender<int> tx) : tx_(std::move(tx)) {}
  void wake() noexcept override {}
  void retain() noexcept override { ++references_; }
  void release() noexcept override {
    if (--references_ == 0) static_cast<void>(tx_->send(7));
    sent_ = references_ == 0;
  }
  bool has_sent() const noexcept { return sent_; }
  void let_go() noexcept { tx_.reset(); }

 private:
  std::optional<broadcast::sender<int>> tx_;
  int references_ = 0;
  bool sent_ = false;
};

TEST_CASE("broadcast: a waker that sends as it dies finds no lock held") {
  const test::leak_check leaks;
  auto [tx, rx] = broadcast::channel<int>(16);
  sends_at_end target(tx);
  test::mock_task task;
  {
    auto recv = rx.recv();
    {
      eddy::context cx(target);
      CHECK_FALSE(recv.poll(cx).is_ready());
    }
    CHECK_FALSE(task.poll(recv).is_ready());  // replaces the waker
    CHECK(target.has_sent());
    CHECK(*task.poll(recv).take() == 7);
  }
  {
    auto recv = rx.recv();
    eddy::context cx(target);
    CHECK_FALSE(recv.poll(cx).is_ready());
    send(tx, 1);  // wakes it
    CHECK(rx.len() == 2);
  }
  {
    static_cast<void>(rx.try_recv());
    static_cast<void>(rx.try_recv());
    auto recv = rx.recv();
    eddy::context cx(target);
    CHECK_FALSE(recv.poll(cx).is_ready());
  }  // drops it
  CHECK(rx.len() == 1);
  target.let_go();
}

TEST_CASE("broadcast: a receiver whose values are always ready is made to let others run") {
  eddy::run([]() -> future<> {
    int others = 0;
    auto other = eddy::spawn([](int& n) -> future<> { co_return void(++n); }, std::ref(others));
    auto [tx, rx] = broadcast::channel<int>(8);
    for (int i = 0; i < 1000; ++i) {
      send(tx, i);
      auto v = co_await rx.recv();
      CHECK(v == i);
    }
    CHECK(others == 1);
    co_await other;
  }());
}

TEST_CASE("broadcast: closed waits for the last receiver to go") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = broadcast::channel<int>(1);
  auto rx2 = tx.subscribe();
  auto closed = tx.closed();
  CHECK_FALSE(task.poll(closed).is_ready());
  drop(rx);
  CHECK(task.take_wakes() == 0);
  CHECK_FALSE(task.poll(closed).is_ready());
  drop(rx2);
  CHECK(task.take_wakes() == 1);
  CHECK(task.poll(closed).is_ready());
}

TEST_CASE("broadcast: a receiver made meanwhile opens the channel again") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = broadcast::channel<int>(1);
  auto closed = tx.closed();
  CHECK_FALSE(task.poll(closed).is_ready());
  drop(rx);
  CHECK(task.take_wakes() == 1);
  auto rx2 = tx.subscribe();
  CHECK_FALSE(task.poll(closed).is_ready());
  drop(rx2);
  CHECK(task.take_wakes() == 1);
  CHECK(task.poll(closed).is_ready());
  auto rx3 = tx.subscribe();
  auto again = tx.closed();
  CHECK_FALSE(task.poll(again).is_ready());
}

TEST_CASE("broadcast: without its first receiver a channel is closed until one subscribes") {
  test::mock_task task;
  auto [tx, rx] = broadcast::channel<int>(1);
  drop(rx);
  auto closed = tx.closed();
  CHECK(task.poll(closed).is_ready());
  auto rx2 = tx.subscribe();
  auto again = tx.closed();
  CHECK_FALSE(task.poll(again).is_ready());
}

TEST_CASE("broadcast: a receiver that is slow within the capacity misses nothing") {
  auto [tx, slow] = broadcast::channel<int>(2);
  auto fast = tx.subscribe();
  send(tx, 1);
  send(tx, 2);
  for (auto* rx : {&fast, &slow}) {
    CHECK(gets(*rx, 1));
    CHECK(gets(*rx, 2));
    CHECK(is_empty(*rx));
  }
}

TEST_CASE("broadcast: lag is counted from the last value read, each time anew") {
  auto [tx, rx] = broadcast::channel<int>(4);
  for (int i = 1; i <= 4; ++i) send(tx, i);
  CHECK(gets(rx, 1));
  for (int i = 5; i <= 8; ++i) send(tx, i);
  CHECK(missed(rx) == 3);
  for (int i = 5; i <= 8; ++i) CHECK(gets(rx, i));
  CHECK(is_empty(rx));
  for (int i = 9; i <= 13; ++i) send(tx, i);
  CHECK(missed(rx) == 1);
  CHECK(gets(rx, 10));
}

TEST_CASE("broadcast: a capacity is rounded up to a power of two") {
  auto [tx, rx] = broadcast::channel<int>(3);
  for (int i = 1; i <= 4; ++i) send(tx, i);
  CHECK(rx.len() == 4);
  CHECK(gets(rx, 1));
  send(tx, 5);
  CHECK(rx.len() == 4);
  send(tx, 6);
  CHECK(rx.len() == 5);
  CHECK(missed(rx) == 1);
  for (int i = 3; i <= 6; ++i) CHECK(gets(rx, i));
  CHECK(is_empty(rx));
}

TEST_CASE("broadcast: an await tells lag once, and goes on with the oldest value") {
  const test::leak_check leaks;
  eddy::run([]() -> future<> {
    auto [tx, rx] = broadcast::channel<std::string>(2);
    for (const char* s : {"10", "20", "30"}) send<std::string>(tx, s);
    drop(tx);
    std::vector<std::string> got;
    std::uint64_t lost = 0;
    while (auto v = co_await rx.recv()) {
      if (auto n = v.lagged()) {
        lost += n;
        continue;
      }
      got.push_back(*v);
    }
    CHECK(lost == 1);
    CHECK(got == std::vector<std::string>{"20", "30"});
  }());
}

TEST_CASE("broadcast: lag again before anything is read counts what was left") {
  auto [tx, rx] = broadcast::channel<int>(2);
  for (int i = 1; i <= 3; ++i) send(tx, i);
  CHECK(missed(rx) == 1);
  for (int i = 4; i <= 6; ++i) send(tx, i);
  CHECK(missed(rx) == 3);
  CHECK(gets(rx, 5));
  CHECK(gets(rx, 6));
  CHECK(is_empty(rx));
}

TEST_CASE("broadcast: lag is each receiver's own") {
  auto [tx, slow] = broadcast::channel<int>(2);
  auto fast = tx.subscribe();
  for (int i = 1; i <= 4; ++i) {
    send(tx, i);
    CHECK(gets(fast, i));
  }
  CHECK(missed(slow) == 2);
  CHECK(gets(slow, 3));
  CHECK(gets(slow, 4));
  CHECK(is_empty(slow));
  CHECK(is_empty(fast));
}

TEST_CASE("broadcast: len goes on from where lag has put the receiver") {
  auto [tx, rx] = broadcast::channel<int>(2);
  for (int i = 1; i <= 4; ++i) send(tx, i);
  CHECK(rx.len() == 4);
  CHECK(missed(rx) == 2);
  CHECK(rx.len() == 2);
  CHECK(gets(rx, 3));
  CHECK(rx.len() == 1);
  CHECK(gets(rx, 4));
  CHECK(rx.is_empty());
}

// ---- weak senders

TEST_CASE("broadcast: a weak sender sends while there is a sender, and not after") {
  eddy::run([]() -> future<> {
    auto [tx, rx] = broadcast::channel<int>(16);
    auto sending = eddy::spawn(
        [](broadcast::sender<int> mine) -> future<broadcast::weak_sender<int>> {
          auto weak = mine.downgrade();
          send(mine, 1);
          auto strong = weak.upgrade();
          REQUIRE(strong.has_value());
          send(*strong, 2);
          co_return weak;
        },
        std::move(tx));
    auto weak = co_await sending;
    auto first = co_await rx.recv();
    CHECK(first == 1);
    auto second = co_await rx.recv();
    CHECK(second == 2);
    auto end = co_await rx.recv();
    CHECK(end.is_closed());
    CHECK_FALSE(weak.upgrade().has_value());
  }());
}

TEST_CASE("broadcast: a weak sender alone is no sender, whichever sender made it") {
  auto [tx, rx] = broadcast::channel<int>(1);
  auto weak = tx.downgrade();
  auto of_a_copy = broadcast::sender<int>(tx).downgrade();
  drop(tx);
  CHECK_FALSE(weak.upgrade().has_value());
  CHECK_FALSE(of_a_copy.upgrade().has_value());
  CHECK(weak.strong_count() == 0);
  CHECK(weak.weak_count() == 2);
  CHECK(rx.is_closed());
}

TEST_CASE("broadcast: strong and weak senders are counted") {
  auto [tx, rx] = broadcast::channel<int>(1);
  {
    auto tx2 = tx;
    auto weak = tx.downgrade();
    auto weak2 = weak;
    CHECK(tx.strong_count() == 2);
    CHECK(tx2.strong_count() == 2);
    CHECK(weak.strong_count() == 2);
    CHECK(rx.sender_strong_count() == 2);
    CHECK(tx.weak_count() == 2);
    CHECK(weak2.weak_count() == 2);
    CHECK(rx.sender_weak_count() == 2);
    CHECK(tx.same_channel(tx2));
  }
  CHECK(tx.strong_count() == 1);
  CHECK(rx.sender_strong_count() == 1);
  CHECK(tx.weak_count() == 0);
  CHECK(rx.sender_weak_count() == 0);
  auto other = broadcast::channel<int>(1);
  CHECK_FALSE(tx.same_channel(other.tx));
  CHECK_FALSE(rx.same_channel(other.rx));
  CHECK(rx.same_channel(rx.resubscribe()));
}

// ---- values

TEST_CASE("broadcast: a value is copied for each receiver when it reads, and moved to the last") {
  const test::leak_check leaks;
  auto value = std::make_shared<int>(1);
  auto [tx, rx1] = broadcast::channel<std::shared_ptr<int>>(16);
  auto rx2 = tx.subscribe();
  send(tx, value);
  CHECK(value.use_count() == 2);
  auto first = rx1.try_recv();
  CHECK(value.use_count() == 3);
  auto second = rx2.try_recv();
  CHECK(value.use_count() == 3);
}

#if EDDY_EXCEPTIONS
/// Its copies and moves throw while `armed`. Not default-constructible.
struct touchy {
  explicit touchy(int n) : number(n) {}
  touchy(const touchy& other) : number(other.number) {
    if (armed) throw std::runtime_error("touchy");
  }
  int number;
  static inline bool armed = false;
};

TEST_CASE("broadcast: a copy that throws costs its receiver the value, and nobody else") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx1] = broadcast::channel<touchy>(4);
  auto rx2 = tx.subscribe();
  CHECK(tx.emplace(1).has_value());
  CHECK(tx.emplace(2).has_value());
  touchy::armed = true;
  CHECK_THROWS_AS(static_cast<void>(rx1.try_recv()), std::runtime_error);
  {
    auto recv = rx2.recv();
    auto p = task.poll(recv);
    REQUIRE(p.is_ready());
    CHECK(p->error().message() == "touchy");
  }
  touchy::armed = false;
  for (auto* rx : {&rx1, &rx2}) {
    auto v = rx->try_recv();
    REQUIRE(v.has_value());
    CHECK(v->number == 2);
  }
}

TEST_CASE("broadcast: a value that cannot be made is not sent") {
  const test::leak_check leaks;
  auto [tx, rx] = broadcast::channel<touchy>(4);
  const touchy original(1);
  touchy::armed = true;
  CHECK_THROWS_AS(static_cast<void>(tx.emplace(original)), std::runtime_error);
  touchy::armed = false;
  CHECK(rx.is_empty());
}

TEST_CASE("broadcast: lag taken for an item throws, and so does the end") {
  const broadcast::received<int> late(broadcast::lagged{3});
  CHECK(static_cast<bool>(late));
  CHECK_FALSE(late.has_item());
  try {
    static_cast<void>(*late);
    FAIL("no item");
  } catch (const eddy::failure& e) {
    CHECK(e.error() == errc::lagged);
  }
  const broadcast::received<int> end;
  CHECK_THROWS_AS(static_cast<void>(*end), eddy::failure);
}

TEST_CASE("broadcast: a channel of no or of too many values is misuse") {
  CHECK_THROWS_AS(static_cast<void>(broadcast::channel<int>(0)), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(broadcast::channel<int>(~std::size_t{0})), std::logic_error);
}
#endif

// ---- dropping

future<> listened() {
  auto [tx, rx] = broadcast::channel<std::string>(2);
  auto listener = eddy::spawn(
      [](broadcast::receiver<std::string> mine) -> future<> {
        while (auto v = co_await mine.recv()) {
        }
      },
      std::move(rx));
  for (int i = 0; i < 3; ++i) {
    static_cast<void>(tx.emplace("value"));
    co_await eddy::yield_now();
  }
  auto telling = eddy::spawn(
      [](broadcast::sender<std::string> mine) -> future<> { co_await mine.closed(); }, tx);
  drop(tx);
  co_await eddy::yield_now();
  telling.abort();
  co_await listener;
}

TEST_CASE("broadcast: dropped at every cut point") { CHECK(test::cut_points(listened) >= 6); }

TEST_CASE("broadcast: a wait that is dropped leaves nothing behind") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = broadcast::channel<int>(2);
  {
    auto recv = rx.recv();
    CHECK_FALSE(task.poll(recv).is_ready());
  }
  CHECK(task.references() == 0);
  send(tx, 1);
  CHECK(task.take_wakes() == 0);
  {
    auto recv = rx.recv();  // never polled
  }
  CHECK(gets(rx, 1));
}

#if EDDY_POOL
TEST_CASE("broadcast: an ordinary thread blocks for values, and for the end") {
  const test::leak_check leaks;
  auto [tx, rx] = broadcast::channel<int>(16);
  std::thread other([mine = std::move(tx)]() mutable {
    send(mine, 1);
    send(mine, 2);
    drop(mine);
  });
  int sum = 0;
  while (auto v = rx.blocking_recv()) sum += *v;
  CHECK(sum == 3);
  other.join();
}
#endif

}  // namespace
