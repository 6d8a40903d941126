#include <eddy/sync/watch.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

namespace {

using eddy::errc;
using eddy::future;
namespace watch = eddy::sync::watch;

template <class T>
void drop(T& gone) {
  const T dropped = std::move(gone);
}
/// Whether `changed` is ready, and with what.
template <class T>
std::optional<bool> changed(test::mock_task& task, watch::receiver<T>& rx) {
  auto leaf = rx.changed();
  auto p = task.poll(leaf);
  return p ? std::optional(*p) : std::nullopt;
}

TEST_CASE("watch: a change wakes the receiver once, and is seen once") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = watch::channel<std::string>("one");
  {
    auto waits = rx.changed();
    CHECK_FALSE(task.poll(waits).is_ready());
    CHECK(tx.send("two"));
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(waits).take());
    CHECK(*rx.borrow() == "two");
    CHECK_FALSE(task.poll(waits).is_ready());
  }
  CHECK(task.references() == 0);
  CHECK(tx.emplace(3U, 'x'));
  CHECK(*changed(task, rx));
  CHECK(*rx.borrow() == "xxx");
}

TEST_CASE("watch: behind the last value comes the end, for who waits too") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = watch::channel<std::string>("one");
  CHECK(tx.send("two"));
  auto waits = rx.changed();
  CHECK(task.poll(waits).take());
  CHECK_FALSE(task.poll(waits).is_ready());
  drop(tx);
  CHECK(task.take_wakes() == 1);
  auto end = task.poll(waits);
  REQUIRE(end.is_ready());
  CHECK_FALSE(*end);
  CHECK(rx.is_closed());
  CHECK(*rx.borrow() == "two");
}

TEST_CASE("watch: a value not seen comes before the end") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = watch::channel<int>(1);
  CHECK(tx.send(2));
  drop(tx);
  CHECK(rx.has_changed());
  CHECK(rx.is_closed());
  CHECK(changed(task, rx) == true);
  CHECK(*rx.borrow() == 2);
  CHECK_FALSE(rx.has_changed());
  CHECK(changed(task, rx) == false);
}

TEST_CASE("watch: marked changed before any change, a receiver sees the first value") {
  test::mock_task task;
  auto [tx, rx] = watch::channel<int>(42);
  rx.mark_changed();
  CHECK(rx.has_changed());
  CHECK(changed(task, rx) == true);
  CHECK_FALSE(changed(task, rx).has_value());
}

TEST_CASE("watch: marked changed, each receiver by itself, also behind the end") {
  test::mock_task task;
  auto [tx, rx] = watch::channel<std::string>("one");
  auto rx2 = rx;
  CHECK_FALSE(rx.has_changed());
  rx.mark_changed();
  CHECK(rx.has_changed());
  CHECK_FALSE(rx2.has_changed());
  CHECK(changed(task, rx) == true);
  CHECK(tx.send("two"));
  CHECK(changed(task, rx) == true);
  CHECK(*rx.borrow() == "two");
  drop(tx);
  CHECK(changed(task, rx) == false);
  rx.mark_changed();
  CHECK(changed(task, rx) == true);
}

TEST_CASE("watch: marked unchanged, a value counts as seen") {
  test::mock_task task;
  auto [tx, rx] = watch::channel<std::string>("one");
  CHECK(tx.send("two"));
  CHECK(rx.has_changed());
  rx.mark_unchanged();
  CHECK_FALSE(rx.has_changed());
  CHECK_FALSE(changed(task, rx).has_value());
  CHECK(tx.send("three"));
  CHECK(changed(task, rx) == true);
  drop(tx);
  rx.mark_unchanged();
  CHECK(changed(task, rx) == false);
}

TEST_CASE("watch: each receiver sees changes for itself") {
  const test::leak_check leaks;
  test::mock_task one, two;
  auto [tx, rx1] = watch::channel<std::string>("one");
  auto rx2 = rx1;
  auto a = rx1.changed();
  auto b = rx2.changed();
  CHECK_FALSE(one.poll(a).is_ready());
  CHECK_FALSE(two.poll(b).is_ready());
  CHECK(tx.send("two"));
  CHECK(one.take_wakes() == 1);
  CHECK(two.take_wakes() == 1);
  CHECK(one.poll(a).take());
  CHECK_FALSE(one.poll(a).is_ready());
  CHECK(tx.send("three"));
  CHECK(one.take_wakes() == 1);
  CHECK(two.take_wakes() == 0);
  CHECK(two.poll(b).take());
  CHECK(*rx2.borrow() == "three");
  CHECK_FALSE(two.poll(b).is_ready());
  CHECK(one.poll(a).take());
  CHECK(tx.send("four"));
  drop(tx);
  CHECK(one.poll(a).take());
  CHECK_FALSE(one.poll(a).take());
}

TEST_CASE("watch: a hundred receivers that wait are woken all") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = watch::channel<int>(0);
  std::vector<watch::receiver<int>> receivers(100, rx);
  std::vector<decltype(rx.changed())> leaves;
  leaves.reserve(receivers.size());
  for (auto& r : receivers) CHECK_FALSE(task.poll(leaves.emplace_back(r.changed())).is_ready());
  CHECK(tx.receiver_count() == 101);
  CHECK(tx.send(1));
  CHECK(task.take_wakes() == 100);
  for (auto& leaf : leaves) CHECK(task.poll(leaf).take());
}

TEST_CASE("watch: closed waits for the last receiver to go") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = watch::channel<int>(1);
  {
    auto closed = tx.closed();
    CHECK_FALSE(task.poll(closed).is_ready());
    drop(rx);
    CHECK(task.take_wakes() == 1);
    CHECK(task.poll(closed).is_ready());
  }
  CHECK(tx.is_closed());
  auto sent = tx.send(2);
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error() == errc::closed);
  CHECK(std::move(sent).error().value() == 2);
  CHECK(*tx.borrow() == 1);
}

TEST_CASE("watch: borrow leaves a value unseen, borrow_and_update does not; both tell") {
  test::mock_task task;
  auto [tx, rx] = watch::channel<std::string>("one");
  CHECK_FALSE(changed(task, rx).has_value());
  CHECK(tx.send("two"));
  CHECK(rx.borrow().has_changed());
  CHECK(changed(task, rx) == true);
  CHECK_FALSE(changed(task, rx).has_value());
  CHECK_FALSE(rx.borrow().has_changed());
  CHECK(tx.send("three"));
  CHECK(rx.borrow_and_update().has_changed());
  CHECK_FALSE(changed(task, rx).has_value());
  drop(tx);
  CHECK(*rx.borrow_and_update() == "three");
  CHECK(changed(task, rx) == false);
}

TEST_CASE("watch: subscribe opens the channel again") {
  test::mock_task task;
  auto [tx, rx] = watch::channel<std::string>("one");
  drop(rx);
  CHECK(tx.is_closed());
  auto again = tx.subscribe();
  CHECK_FALSE(tx.is_closed());
  CHECK_FALSE(changed(task, again).has_value());
  CHECK(tx.send("two"));
  CHECK(changed(task, again) == true);
  CHECK(again.same_channel(tx.subscribe()));
  CHECK_FALSE(again.same_channel(watch::channel<std::string>("").rx));
}

TEST_CASE("watch: send_replace gives the old value back, and works without receivers") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = watch::channel(std::make_unique<int>(1));
  auto old = tx.send_replace(std::make_unique<int>(2));
  CHECK(*old == 1);
  CHECK(changed(task, rx) == true);
  drop(rx);
  CHECK(*tx.send_replace(std::make_unique<int>(3)) == 2);
  CHECK(**tx.borrow() == 3);
}

TEST_CASE("watch: a value is changed in place, and receivers are told if it was") {
  test::mock_task task;
  auto [tx, rx] = watch::channel<std::vector<int>>({});
  tx.send_modify([](std::vector<int>& v, int n) { v.push_back(n); }, 1);
  CHECK(changed(task, rx) == true);
  CHECK(rx.borrow()->size() == 1);
  CHECK_FALSE(tx.send_if_modified([](std::vector<int>&) { return false; }));
  CHECK_FALSE(changed(task, rx).has_value());
  CHECK(tx.send_if_modified([](std::vector<int>& v) {
    v.clear();
    return true;
  }));
  CHECK(changed(task, rx) == true);
  CHECK(rx.borrow()->empty());
}

TEST_CASE("watch: senders are counted, and the last to go is the end") {
  test::mock_task task;
  auto [tx, rx] = watch::channel<int>(0);
  auto tx2 = tx;
  CHECK(tx.sender_count() == 2);
  CHECK(tx.same_channel(tx2));
  CHECK_FALSE(tx.same_channel(watch::channel<int>(0).tx));
  CHECK(tx2.send(1));
  CHECK(changed(task, rx) == true);
  drop(tx);
  CHECK_FALSE(rx.is_closed());
  CHECK_FALSE(changed(task, rx).has_value());
  drop(tx2);
  CHECK(changed(task, rx) == false);
}

TEST_CASE("watch: wait_for takes a value that is there, or waits for one, or for the end") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = watch::channel<int>(1);
  const auto at_least = [](int v, int n) { return v >= n; };
  {
    auto now = rx.wait_for(at_least, 1);
    auto p = task.poll(now);
    REQUIRE(p.is_ready());
    CHECK(****p == 1);
  }
  {
    auto later = rx.wait_for(at_least, 3);
    CHECK_FALSE(task.poll(later).is_ready());
    CHECK(tx.send(2));
    CHECK(task.take_wakes() == 1);
    CHECK_FALSE(task.poll(later).is_ready());
    CHECK(tx.send(3));
    CHECK(task.take_wakes() == 1);
    auto p = task.poll(later);
    REQUIRE(p.is_ready());
    CHECK(****p == 3);
    CHECK((***p).has_changed());
  }
  CHECK_FALSE(rx.has_changed());
  {
    auto never = rx.wait_for(at_least, 9);
    CHECK_FALSE(task.poll(never).is_ready());
    drop(tx);
    CHECK(task.take_wakes() == 1);
    auto p = task.poll(never);
    REQUIRE(p.is_ready());
    CHECK_FALSE((*p)->has_value());
  }
  // The last value may do behind the end.
  auto last = rx.wait_for(at_least, 3);
  auto p = task.poll(last);
  REQUIRE(p.is_ready());
  CHECK((*p)->has_value());
}

TEST_CASE("watch: a task that learns of every change lets others run") {
  eddy::run([]() -> future<> {
    int others = 0;
    auto other = eddy::spawn([](int& n) -> future<> { co_return void(++n); }, std::ref(others));
    auto [tx, rx] = watch::channel<int>(0);
    for (int i = 1; i < 500; ++i) {
      CHECK(tx.send(i));
      const bool told = co_await rx.changed();
      CHECK(told);
    }
    CHECK(others == 1);
    co_await other;
    others = 0;
    auto another = eddy::spawn([](int& n) -> future<> { co_return void(++n); }, std::ref(others));
    for (int i = 0; i < 500; ++i) {
      auto found = co_await rx.wait_for([](int) { return true; });
      CHECK(found.has_value());
    }
    CHECK(others == 1);
    co_await another;
    others = 0;
    auto third = eddy::spawn([](int& n) -> future<> { co_return void(++n); }, std::ref(others));
    drop(rx);
    for (int i = 0; i < 500; ++i) co_await tx.closed();
    CHECK(others == 1);
    co_await third;
  }());
}

#if EDDY_EXCEPTIONS
TEST_CASE("watch: a change that throws is not told, and the channel goes on") {
  test::mock_task task;
  auto [tx, rx] = watch::channel<std::string>("old");
  const auto fails = [](std::string& s) -> bool {
    s = "changed";
    throw std::runtime_error("modify");
  };
  CHECK_THROWS_AS(tx.send_if_modified(fails), std::runtime_error);
  CHECK_THROWS_AS(tx.send_modify(fails), std::runtime_error);
  CHECK_FALSE(changed(task, rx).has_value());
  CHECK(*rx.borrow() == "changed");
  CHECK(tx.send("new"));
  CHECK(changed(task, rx) == true);
}

TEST_CASE(
    "watch: what wait_for's function throws comes out of the await, and nothing stays borrowed") {
  test::mock_task task;
  auto [tx, rx] = watch::channel<int>(0);
  auto leaf = rx.wait_for([](int) -> bool { throw std::runtime_error("look"); });
  auto p = task.poll(leaf);
  REQUIRE(p.is_ready());
  CHECK(p->error().message() == "look");
  CHECK(tx.send(1));
}

/// Its moves throw while `armed`. Not default-constructible.
struct touchy {
  explicit touchy(int n) : number(n) {}
  touchy(touchy&& other) : number(other.number) {
    if (armed) throw std::runtime_error("touchy");
  }
  touchy& operator=(touchy&& other) {
    if (armed) throw std::runtime_error("touchy");
    number = other.number;
    return *this;
  }
  int number;
  static inline bool armed = false;
};

TEST_CASE("watch: a value whose move throws is not told") {
  const test::leak_check leaks;
  test::mock_task task;
  auto [tx, rx] = watch::channel(touchy(1));
  auto send = [&sending = tx](int n) {
    touchy value(n);
    touchy::armed = true;
    sending.send_if_modified([](touchy& old, touchy& now) { return old = std::move(now), true; },
                             value);
  };
  CHECK_THROWS_AS(send(2), std::runtime_error);
  touchy::armed = false;
  CHECK_FALSE(changed(task, rx).has_value());
  CHECK(tx.emplace(3));
  CHECK(changed(task, rx) == true);
  CHECK(rx.borrow()->number == 3);
}
#endif

future<> watched() {
  auto [tx, rx] = watch::channel<std::string>("0");
  auto all = eddy::spawn(
      [](watch::receiver<std::string> mine) -> future<> {
        while (co_await mine.changed()) {
        }
      },
      rx);
  auto some = eddy::spawn(
      [](watch::receiver<std::string> mine) -> future<> {
        auto found = co_await mine.wait_for([](const std::string& s) { return s == "2"; });
        CHECK(found.has_value());
      },
      std::move(rx));
  for (const char* s : {"1", "2", "3"}) {
    static_cast<void>(tx.send(s));
    co_await eddy::yield_now();
  }
  {
    auto sending = eddy::spawn(
        [](watch::sender<std::string> mine) -> future<> { co_await mine.closed(); }, tx);
    co_await eddy::yield_now();
    sending.abort();
  }
  drop(tx);
  co_await all;
  co_await some;
}

TEST_CASE("watch: dropped at every cut point") { CHECK(test::cut_points(watched) >= 6); }

}  // namespace
