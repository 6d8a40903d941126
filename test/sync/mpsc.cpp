#include <eddy/sync/mpsc.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/now.hpp"
#include "support/runtime_access.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
namespace mpsc = eddy::sync::mpsc;
using eddy::errc;
using eddy::future;
using test::mock_task;
using test::note;
using test::now;

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

#if EDDY_EXCEPTIONS
TEST_CASE("a channel for no message is misuse") {
  CHECK_THROWS_AS(static_cast<void>(mpsc::channel<int>(0)), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(mpsc::channel<int>(std::size_t{1} << 29)), std::logic_error);
}

/// Its move throws when it is told to.
class fragile {
 public:
  explicit fragile(int v) : value_(v) {}
  fragile(const fragile&) = delete;
  fragile(fragile&& other) : value_(other.value_) {
    if (throws) throw std::runtime_error("move");
  }
  int value() const { return value_; }
  static inline bool throws = false;

 private:
  int value_;
};

TEST_CASE("a message whose move throws on its way in is not sent, and its place is free") {
  const test::leak_check leaks;
  mock_task task;
  auto [tx, rx] = mpsc::channel<fragile>(2);
  auto leaf = tx.emplace(1);
  fragile::throws = true;
  auto failed = task.poll(leaf);
  fragile::throws = false;
  REQUIRE(failed.is_ready());
  CHECK(failed->error().message() == "move");
  CHECK_FALSE(failed->error().has_value());
  CHECK(tx.capacity() == 2);
  CHECK(rx.is_empty());
  CHECK(now(tx.emplace(2)).has_value());
  CHECK(tx.capacity() == 1);
  auto permit = tx.try_reserve().value();
  fragile third(3);
  fragile::throws = true;
  CHECK_THROWS_AS(permit.emplace(std::move(third)), std::runtime_error);
  fragile::throws = false;
  CHECK(tx.capacity() == 1);
}

TEST_CASE("a message whose move throws on its way out stays the first") {
  const test::leak_check leaks;
  mock_task task;
  auto [tx, rx] = mpsc::channel<fragile>(4);
  CHECK(now(tx.emplace(1)).has_value());
  CHECK(now(tx.emplace(2)).has_value());
  std::vector<fragile> many;
  many.reserve(4);
  {
    auto next = rx.recv();
    fragile::throws = true;
    auto failed = task.poll(next);
    CHECK_THROWS_AS(static_cast<void>(rx.try_recv()), std::runtime_error);
    auto more = rx.recv_many(many, 4);
    auto none = task.poll(more);
    fragile::throws = false;
    REQUIRE(failed.is_ready());
    CHECK(failed->error().message() == "move");
    REQUIRE(none.is_ready());
    CHECK_FALSE(none->has_value());
    CHECK(many.empty());
  }
  CHECK(rx.len() == 2);
  auto got = rx.recv();
  auto p = task.poll(got);
  REQUIRE(p.is_ready());
  CHECK((**p)->value() == 1);
  CHECK(now(rx.recv_many(many, 4)).value() == 1);
  CHECK(many.front().value() == 2);
  CHECK(tx.capacity() == 4);
}

TEST_CASE(
    "messages whose moves throw leave the channel one by one: at most one is in it too many") {
  const test::leak_check leaks;
  mock_task task;
  auto [tx, rx] = mpsc::channel<fragile>(8);
  for (int i = 0; i < 8; ++i) CHECK(now(tx.emplace(i)).has_value());
  std::vector<fragile> many;
  {
    auto all = rx.recv_many(many, 8);
    fragile::throws = true;
    CHECK(task.poll(all).is_ready());
    fragile::throws = false;
  }
  CHECK(tx.capacity() <= 1);
  CHECK(now(rx.recv_many(many, 8)).value() == 8);
  CHECK(tx.capacity() == 8);
}
#endif

// More than half of the largest block that is kept: one a block.
struct bulky {
  std::array<char, 3000> text;
};

TEST_CASE("a channel of large messages that keeps up stays in one block") {
  auto [tx, rx] = mpsc::channel<bulky>(4);
  CHECK(tx.try_send(bulky{}).has_value());
  CHECK(rx.try_recv().has_value());
  const auto before = eddy::detail::live_frames();
  for (int i = 0; i < 10; ++i) {
    CHECK(tx.try_send(bulky{}).has_value());
    CHECK(eddy::detail::live_frames() == before);
    CHECK(rx.try_recv().has_value());
  }
}

struct tick {
  std::string symbol;
  double price;
};

TEST_CASE("every send has a form that makes the message in place, of aggregates too") {
  const test::leak_check leaks;
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    auto [tx, rx] = mpsc::channel<tick>(8);
    co_await tx.emplace("a", 1.0);
    co_await tx.emplace_timeout(1s, "b", 2.0);
    CHECK(tx.try_emplace("c", 3.0).has_value());
    auto permit = co_await tx.reserve();
    permit.emplace("d", 4.0);
    auto permits = co_await tx.reserve_many(2);
    permits.emplace("e", 5.0);
    auto owned = co_await mpsc::sender<tick>(tx).reserve_owned();
    const auto back = owned.emplace("f", 6.0);
    CHECK(back.same_channel(tx));
    std::string symbols;
    double sum = 0;
    for (int i = 0; i < 6; ++i) {
      auto v = co_await rx.recv();
      symbols += v->symbol;
      sum += v->price;
    }
    CHECK(symbols == "abcdef");
    CHECK(sum == 21.0);
    auto [all, out] = mpsc::unbounded_channel<tick>();
    CHECK(all.emplace("g", 7.0).has_value());
    CHECK(out.try_recv()->symbol == "g");
  });
}

TEST_CASE("messages of any size and alignment, in blocks of their own") {
  const test::leak_check leaks;
  struct alignas(64) aligned {
    explicit aligned(int v) : value(v) {}
    int value;
  };
  struct large {
    explicit large(int v) : value(v) {}
    int value;
    char rest[5000];
  };
  const auto check = []<class T>(std::type_identity<T>) {
    auto [tx, rx] = mpsc::unbounded_channel<T>();
    for (int i = 0; i < 100; ++i) CHECK(tx.emplace(i).has_value());
    for (int i = 0; i < 100; ++i) {
      const auto v = rx.try_recv();
      CHECK(v->value == i);
      CHECK(reinterpret_cast<std::uintptr_t>(&*v) % alignof(T) == 0);
    }
  };
  check(std::type_identity<aligned>());
  check(std::type_identity<large>());
}

TEST_CASE("a message that holds a sender of its own channel goes with the receiver") {
  const test::leak_check leaks;
  struct cycle {
    explicit cycle(mpsc::unbounded_sender<cycle> s) : self(std::move(s)) {}
    mpsc::unbounded_sender<cycle> self;
  };
  auto [tx, rx] = mpsc::unbounded_channel<cycle>();
  for (int i = 0; i < 40; ++i) CHECK(tx.emplace(tx).has_value());
  CHECK(rx.sender_strong_count() == 41);
  {
    const auto gone = std::move(rx);
  }
  CHECK(tx.strong_count() == 1);
}

TEST_CASE("many who wait for places and for the end are all told, more than fit one list") {
  const test::leak_check leaks;
  mock_task task;
  auto [tx, rx] = mpsc::channel<int>(100);
  std::optional all(tx.try_reserve_many(100).value());
  using reserving = decltype(tx.reserve());
  using closing = decltype(tx.closed());
  std::vector<std::unique_ptr<reserving>> places;
  std::vector<std::unique_ptr<closing>> ends;
  for (int i = 0; i < 200; ++i) {
    places.push_back(std::make_unique<reserving>(tx.reserve()));
    CHECK_FALSE(task.poll(*places.back()).is_ready());
  }
  for (int i = 0; i < 70; ++i) {
    ends.push_back(std::make_unique<closing>(tx.closed()));
    CHECK_FALSE(task.poll(*ends.back()).is_ready());
  }
  all.reset();
  CHECK(task.take_wakes() == 100);
  for (int i = 0; i < 100; ++i) CHECK(task.poll(*places[static_cast<std::size_t>(i)])->has_value());
  CHECK(task.take_wakes() == 100);  // each permit was dropped at once, to the next
  rx.close();
  CHECK(task.take_wakes() == 70);
  places.clear();
  ends.clear();
  CHECK(task.references() == 0);
  CHECK(now(rx.recv()) == std::nullopt);
}

TEST_CASE("send_timeout: granted in time; dropped while it waits, the place goes to the next") {
  const test::leak_check leaks;
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    mock_task one, two;
    auto [tx, rx] = mpsc::channel<int>(1);
    CHECK(tx.try_send(0).has_value());
    std::optional a(tx.send_timeout(1s, 1));
    std::optional b(tx.send_timeout(1s, 2));
    CHECK_FALSE(one.poll(*a).is_ready());
    CHECK_FALSE(two.poll(*b).is_ready());
    CHECK(test::here().timer_count() == 2);
    a.reset();
    CHECK(test::here().timer_count() == 1);
    CHECK(rx.try_recv() == 0);
    CHECK(two.take_wakes() == 1);
    test::advance(1s);
    CHECK(two.poll(*b)->has_value());  // ready and elapsed in the same moment: it is sent
    b.reset();
    CHECK(rx.try_recv() == 2);
    co_return;
  });
}

#if EDDY_POOL
future<> receive_half(mpsc::receiver<int>& rx) {
  for (int i = 0; i < 50; ++i) CHECK(co_await rx.recv() == i);
}

TEST_CASE("ordinary threads send and receive; a thread that drives a loop is refused") {
  const test::leak_check leaks;
  eddy::runtime rt;
  auto [tx, rx] = mpsc::channel<int>(1);
  std::thread sending([out = std::move(tx)] {
    for (int i = 0; i < 100; ++i) CHECK(out.blocking_send(i).has_value());
  });
  rt.block_on(receive_half(rx));
  std::vector<int> many;
  while (rx.blocking_recv_many(many, 7) != 0) {
  }
  CHECK(many.size() == 50);
  CHECK(rx.blocking_recv() == std::nullopt);
  sending.join();
#if EDDY_EXCEPTIONS
  rt.block_on([]() -> future<> {
    auto [out, in] = mpsc::channel<int>(1);
    CHECK_THROWS_AS(static_cast<void>(in.blocking_recv()), std::logic_error);
    CHECK_THROWS_AS(static_cast<void>(out.blocking_send(1)), std::logic_error);
    std::vector<int> some;
    CHECK_THROWS_AS(static_cast<void>(in.blocking_recv_many(some, 1)), std::logic_error);
    auto [unbounded_out, unbounded_in] = mpsc::unbounded_channel<int>();
    CHECK_THROWS_AS(static_cast<void>(unbounded_in.blocking_recv()), std::logic_error);
    CHECK_THROWS_AS(static_cast<void>(unbounded_in.blocking_recv_many(some, 1)), std::logic_error);
    co_return;
  });
#endif
}
#endif

}  // namespace
