// The behaviour that Tokio's sync_mpsc_weak.rs tests. docs/conformance.tsv says which case is which
// test.

#include <eddy/sync/mpsc.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/now.hpp"

namespace {

namespace mpsc = eddy::sync::mpsc;
using eddy::future;
using test::now;

template <class X>
void drop(X& x) {
  const X gone = std::move(x);
}

struct bounded {
  template <class T>
  static auto make() {
    return mpsc::channel<T>(11);
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

TEST_CASE_TEMPLATE("upgrading a weak sender returns a full sender while one exists", Kind, bounded,
                   unbounded) {
  auto [tx, rx] = Kind::template make<int>();
  auto weak = tx.downgrade();
  for (int i = 0; i < 10; ++i) CHECK(Kind::send(tx, i));
  {
    auto second = weak.upgrade();
    REQUIRE(second.has_value());
    CHECK(second->same_channel(tx));
    drop(tx);
    CHECK(Kind::send(*second, 20));
    weak = second->downgrade();
  }
  for (int i = 0; i < 10; ++i) CHECK(now(rx.recv()) == i);
  CHECK(now(rx.recv()) == 20);
  CHECK(now(rx.recv()) == std::nullopt);
  CHECK_FALSE(weak.upgrade().has_value());
}

// An actor that sends to itself, and ends when no other sender is left.
template <class Kind, class Receiver, class Weak>
future<int> actor(Receiver rx, Weak self, std::shared_ptr<eddy::sync::notify> has_sent) {
  int got = 0;
  while (auto v = co_await rx.recv()) {
    if (got++ != 0) continue;
    if (auto tx = self.upgrade()) CHECK(Kind::send(*tx, 2));
    has_sent->notify_one();
  }
  co_return got;
}

TEST_CASE_TEMPLATE("an actor with a weak sender to itself ends when its last user is gone", Kind,
                   bounded, unbounded) {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto [tx, rx] = Kind::template make<int>();
    const auto has_sent = std::make_shared<eddy::sync::notify>();
    auto running = eddy::spawn(actor<Kind>(std::move(rx), tx.downgrade(), has_sent));
    CHECK(Kind::send(tx, 1));
    co_await has_sent->notified();
    drop(tx);
    CHECK(co_await running == 2);
  });
}

/// Counts destroyed messages; moved-from objects do not count.
class counted {
 public:
  explicit counted(int& ended) : ended_(&ended) {}
  counted(counted&& other) noexcept : ended_(std::exchange(other.ended_, nullptr)) {}
  ~counted() {
    if (ended_ != nullptr) ++*ended_;
  }

 private:
  int* ended_;
};

TEST_CASE_TEMPLATE("a message sent after the receiver is gone is not kept in the channel", Kind,
                   bounded, unbounded) {
  int ended = 0;
  auto [tx, rx] = Kind::template make<counted>();
  const auto weak = tx.downgrade();
  for (int i = 0; i < 3; ++i) CHECK(Kind::send(tx, counted(ended)));
  CHECK(now(rx.recv()).has_value());
  CHECK(now(rx.recv()).has_value());
  CHECK(ended == 2);
  drop(rx);
  CHECK(ended == 3);
  CHECK_FALSE(Kind::send(tx, counted(ended)));
  CHECK(ended == 4);
}

TEST_CASE_TEMPLATE("upgrade succeeds while a sender lives, and fails forever after the last one",
                   Kind, bounded, unbounded) {
  auto [tx, rx] = Kind::template make<int>();
  auto other = tx;
  const auto weak = tx.downgrade();
  const auto of_a_copy = other.downgrade();
  CHECK(weak.upgrade().has_value());
  drop(other);
  CHECK(of_a_copy.upgrade().has_value());
  CHECK_FALSE(rx.is_closed());
  drop(tx);
  CHECK_FALSE(weak.upgrade().has_value());
  CHECK_FALSE(of_a_copy.upgrade().has_value());
  CHECK(rx.is_closed());
}

TEST_CASE("an owned permit counts as a sender for upgrade, whichever was made first") {
  {
    auto [tx, rx] = mpsc::channel<int>(1);
    const auto weak = tx.downgrade();
    const auto permit = now(std::move(tx).reserve_owned()).value();
    CHECK(weak.upgrade().has_value());
  }
  auto [tx, rx] = mpsc::channel<int>(1);
  auto other = tx;
  const auto permit = now(std::move(tx).reserve_owned()).value();
  const auto weak = other.downgrade();
  drop(other);
  CHECK(weak.upgrade().has_value());
}

TEST_CASE_TEMPLATE("every handle counts the senders and the weak senders", Kind, bounded,
                   unbounded) {
  auto [tx, rx] = Kind::template make<int>();
  CHECK(tx.strong_count() == 1);
  CHECK(tx.weak_count() == 0);
  auto other = tx;
  std::optional weak(tx.downgrade());
  std::optional another(other.downgrade());
  auto check = [&sender = tx, &receiver = rx, &weak](std::size_t strong, std::size_t weaks) {
    CHECK(sender.strong_count() == strong);
    CHECK(receiver.sender_strong_count() == strong);
    CHECK(weak->strong_count() == strong);
    CHECK(sender.weak_count() == weaks);
    CHECK(receiver.sender_weak_count() == weaks);
    CHECK(weak->weak_count() == weaks);
  };
  check(2, 2);
  CHECK(other.strong_count() == 2);
  CHECK(another->weak_count() == 2);
  drop(other);
  check(1, 2);
  another.reset();
  check(1, 1);
  {
    const auto copy = *weak;
    check(1, 2);
  }
  weak.reset();
  CHECK(tx.weak_count() == 0);
  CHECK(rx.sender_weak_count() == 0);
}

}  // namespace
