#include <eddy/sync/rw_lock.hpp>

#include <doctest/doctest.h>

#include <chrono>
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

namespace {

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;
using eddy::sync::rw_lock;
using test::mock_task;

/// Polls once, and fails the test unless it is ready.
template <class Leaf>
auto had(mock_task& t, Leaf& leaf) {
  auto p = t.poll(leaf);
  REQUIRE(p.is_ready());
  return p.take();
}
template <class Leaf>
bool waits(mock_task& t, Leaf& leaf) {
  return !t.poll(leaf).is_ready();
}

TEST_CASE("a value goes into an rw_lock and comes out") {
  rw_lock<int> l(42);
  CHECK(l.get_mut() == 42);
  l.get_mut() = 43;
  CHECK(std::move(l).into_inner() == 43);
}

TEST_CASE("two may read at a time") {
  rw_lock<int> l(100);
  mock_task t;
  auto one = l.read(), two = l.read();
  const auto a = had(t, one);
  const auto b = had(t, two);
  CHECK(*a + *b == 200);
  static_assert(std::is_same_v<decltype(*a), const int&>);
}

TEST_CASE("a writer waits for a reader, and is woken when it goes") {
  rw_lock<int> l(100);
  mock_task r, w;
  auto reads = l.read();
  auto a = had(r, reads);
  auto writes = l.write();
  CHECK(waits(w, writes));
  CHECK_FALSE(w.is_woken());
  a.unlock();
  CHECK(w.take_wakes() == 1);
  auto g = had(w, writes);
  *g = 1;
  g.unlock();
  CHECK(*l.try_read().value() == 1);
}

TEST_CASE("a reader waits for a writer") {
  rw_lock<int> l(100);
  mock_task t;
  auto writes = l.write();
  auto g = had(t, writes);
  auto reads = l.read();
  CHECK(waits(t, reads));
  g.unlock();
  CHECK(t.take_wakes() == 1);
  CHECK(*had(t, reads) == 100);
}

TEST_CASE("a writer waits for a writer") {
  rw_lock<int> l(100);
  mock_task t;
  auto one = l.write(), two = l.write();
  auto g = had(t, one);
  CHECK(waits(t, two));
  g.unlock();
  CHECK(t.take_wakes() == 1);
  CHECK(*had(t, two) == 100);
}

TEST_CASE("when as many read as may, the next waits for one to go") {
  rw_lock<int> l(100, 1024);
  mock_task t;
  std::vector<eddy::sync::rw_lock_read_guard<int>> readers;
  for (;;) {
    auto reads = l.read();
    auto p = t.poll(reads);
    if (!p) break;
    readers.push_back(p.take());
  }
  CHECK(readers.size() == 1024);
  auto next = l.read();
  CHECK(waits(t, next));
  CHECK_FALSE(t.is_woken());
  readers.pop_back();
  CHECK(t.take_wakes() == 1);
  CHECK(*had(t, next) == 100);
}

TEST_CASE("a reader does not overtake a writer that waits") {
  rw_lock<int> l(100);
  mock_task t;
  auto one = l.read(), two = l.read();
  auto a = had(t, one), b = had(t, two);
  auto writes = l.write();
  CHECK(waits(t, writes));
  auto three = l.read();
  CHECK(waits(t, three));
  CHECK_FALSE(l.try_read());
  a.unlock();
  CHECK_FALSE(t.is_woken());
  b.unlock();
  CHECK(t.take_wakes() == 1);
  CHECK(waits(t, three));
  had(t, writes).unlock();
  CHECK(t.take_wakes() == 1);
  CHECK(*had(t, three) == 100);
}

TEST_CASE("readers behind a writer get in when it is dropped while it waits") {
  rw_lock<int> l(100);
  mock_task t;
  auto one = l.read();
  const auto a = had(t, one);
  std::optional writes(l.write());
  CHECK(waits(t, *writes));
  auto two = l.read(), three = l.read();
  CHECK(waits(t, two));
  CHECK(waits(t, three));
  writes.reset();
  CHECK(t.take_wakes() == 2);
  CHECK(*had(t, two) == 100);
  CHECK(*had(t, three) == 100);
}

TEST_CASE("a writer that is dropped between hand-over and poll lets the next in") {
  rw_lock<int> l(100);
  mock_task t;
  auto held = l.try_read().value();
  std::optional writes(l.write());
  auto reads = l.read();
  CHECK(waits(t, *writes));
  CHECK(waits(t, reads));
  held.unlock();
  CHECK(t.take_wakes() == 1);
  writes.reset();
  CHECK(t.take_wakes() == 1);
  CHECK(*had(t, reads) == 100);
}

TEST_CASE("read and write that need not wait are awaited in one poll") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    rw_lock<int> l(100);
    {
      auto g = co_await l.write();
      *g += 50;
      CHECK(*g == 150);
    }
    auto r = co_await l.read();
    CHECK(*r == 150);
  });
}

TEST_CASE("the lock is had in the order of first polls, not of calls") {
  rw_lock<std::vector<int>> l;
  mock_task t;
  auto second = l.write();
  auto first = l.write();
  {
    auto g = had(t, first);
    CHECK(waits(t, second));
    g->push_back(1);
  }
  had(t, second)->push_back(2);
  CHECK(*l.try_read().value() == std::vector<int>{1, 2});
}

TEST_CASE("try_write fails while somebody reads") {
  rw_lock<int> l(0);
  auto r = l.try_read().value();
  auto w = l.try_write();
  REQUIRE_FALSE(w);
  CHECK(w.error() == std::errc::operation_would_block);
  r.unlock();
  CHECK(l.try_write());
}

TEST_CASE("try_read and try_write see each other") {
  rw_lock<int> l(15);
  {
    auto one = l.try_read().value();
    CHECK(*one == 15);
    CHECK_FALSE(l.try_write());
    auto two = l.try_read().value();
    CHECK(*two == 15);
  }
  {
    auto w = l.try_write().value();
    *w = 1515;
    CHECK(l.try_read().error() == std::errc::operation_would_block);
    CHECK_FALSE(l.try_write());
  }
  CHECK(*l.try_read().value() == 1515);
}

// ---- owned forms

TEST_CASE("owned guards keep their lock, and take part in the same queue") {
  auto l = std::make_shared<rw_lock<int>>(1);
  const std::weak_ptr seen = l;
  mock_task t;
  auto reads = rw_lock<int>::read_owned(l);
  std::optional r(had(t, reads));
  auto writes = rw_lock<int>::write_owned(l);
  CHECK(waits(t, writes));
  CHECK_FALSE(rw_lock<int>::try_read_owned(l));
  CHECK_FALSE(rw_lock<int>::try_write_owned(l));
  l.reset();
  CHECK(**r == 1);
  r.reset();
  CHECK(t.take_wakes() == 1);
  auto w = had(t, writes);
  *w = 2;
  auto r2 = std::move(w).downgrade();
  CHECK_FALSE(seen.expired());
  CHECK(rw_lock<int>::try_read_owned(seen.lock()));
  CHECK_FALSE(rw_lock<int>::try_write_owned(seen.lock()));
  r2.unlock();
  CHECK(seen.expired());
  l = std::make_shared<rw_lock<int>>(3);
  CHECK(*rw_lock<int>::try_read_owned(l).value() == 3);
  CHECK(*rw_lock<int>::try_write_owned(l).value() == 3);
}

TEST_CASE("an owned wait that is dropped lets go of the lock") {
  auto l = std::make_shared<rw_lock<int>>(1);
  mock_task t;
  const auto held = l->try_write().value();
  {
    auto reads = rw_lock<int>::read_owned(l);
    auto moved = std::move(reads);
    CHECK(waits(t, moved));
    CHECK(l.use_count() == 2);
  }
  CHECK(l.use_count() == 1);
  CHECK(t.references() == 0);
}

// ---- guards

TEST_CASE("a writer that is downgraded reads on, beside the readers at the head of the queue") {
  rw_lock<int> l(0);
  mock_task r, w, behind;
  auto g = l.try_write().value();
  auto reads = l.read();
  auto writes = l.write();
  auto last = l.read();
  CHECK(waits(r, reads));
  CHECK(waits(w, writes));
  CHECK(waits(behind, last));
  *g = 7;
  auto d = std::move(g).downgrade();
  CHECK(r.take_wakes() == 1);
  CHECK(behind.take_wakes() == 0);
  auto a = had(r, reads);
  CHECK(*a == 7);
  CHECK(*d == 7);
  CHECK(&*a == &*d);
  CHECK(waits(w, writes));
  a.unlock();
  CHECK(w.take_wakes() == 0);
  d.unlock();
  CHECK(w.take_wakes() == 1);
  g.unlock();  // is empty
  had(w, writes).unlock();
  CHECK(behind.take_wakes() == 1);
  CHECK(*had(behind, last) == 7);
}

TEST_CASE("downgrade_map lets readers in only when the callable has returned") {
  rw_lock<int> l(0);
  mock_task t;
  auto g = l.try_write().value();
  auto reads = l.read();
  CHECK(waits(t, reads));
  auto a = std::move(g).downgrade_map([&](const int& v) -> const int& {
    CHECK(waits(t, reads));
    return v;
  });
  CHECK(t.take_wakes() == 1);
  CHECK(&*a == &*had(t, reads));
}

TEST_CASE("try_downgrade_map that finds nothing leaves the writer a writer") {
  rw_lock<int> l(0);
  mock_task t;
  auto g = l.try_write().value();
  auto reads = l.read();
  CHECK(waits(t, reads));
  auto none = std::move(g).try_downgrade_map([&](const int&) -> const char* {
    CHECK(waits(t, reads));
    return nullptr;
  });
  CHECK_FALSE(none);
  CHECK(waits(t, reads));
  *g = 5;
  auto a = std::move(g).try_downgrade_map([](const int& v) { return &v; });
  REQUIRE(a);
  auto b = had(t, reads);
  CHECK(&**a == &*b);
  CHECK(*b == 5);
}

struct person {
  std::string name;
  int age;
};

TEST_CASE("mapped guards show a part, for reading or writing, and hold the whole") {
  rw_lock<person> l(person{"Ada", 36});
  {
    auto name = l.try_read().value().map([](const person& p) -> auto& { return p.name; });
    CHECK(*name == "Ada");
    CHECK_FALSE(std::move(name).try_map([](const std::string&) -> const char* { return nullptr; }));
    auto letter = std::move(name).try_map([](const std::string& s, int i) { return &s[i]; }, 1);
    REQUIRE(letter);
    CHECK(**letter == 'd');
    CHECK(l.try_read());
    CHECK_FALSE(l.try_write());
  }
  {
    auto name = l.try_write().value().map([](person& p) -> auto& { return p.name; });
    *name = "Eva";
    CHECK_FALSE(std::move(name).try_map([](std::string&) -> char* { return nullptr; }));
    auto letter = std::move(name).try_map([](std::string& s) { return &s[0]; });
    REQUIRE(letter);
    auto same = std::move(*letter).map([](char& c) -> char& { return c; });
    *same = 'A';
    CHECK_FALSE(l.try_read());
    decltype(same) moved = std::move(same);
    same = std::move(moved);
    CHECK_FALSE(l.try_read());
  }
  {
    auto g = l.try_write().value();
    CHECK_FALSE(std::move(g).try_map([](person&) -> int* { return nullptr; }));
    auto age = std::move(g).try_map([](person& p) { return &p.age; });
    REQUIRE(age);
    ++**age;
    CHECK_FALSE(l.try_read());
  }
  {
    std::vector<eddy::sync::rw_lock_mapped_write_guard<person>> kept;
    kept.push_back(l.try_write().value().into_mapped());
    CHECK(kept[0]->name == "Ava");
    CHECK(kept[0]->age == 37);
    CHECK_FALSE(l.try_read());
  }
  CHECK(l.try_write());
}

#if EDDY_EXCEPTIONS
TEST_CASE("a map that throws leaves the guard as it was") {
  rw_lock<int> l(1);
  auto g = l.try_write().value();
  const auto fails = [](auto&) -> int& { throw std::runtime_error("no"); };
  CHECK_THROWS_AS(static_cast<void>(std::move(g).map(fails)), std::runtime_error);
  CHECK_THROWS_AS(static_cast<void>(std::move(g).downgrade_map(fails)), std::runtime_error);
  CHECK_FALSE(l.try_read());
  auto r = std::move(g).downgrade();
  CHECK_THROWS_AS(static_cast<void>(std::move(r).map(fails)), std::runtime_error);
  CHECK_FALSE(l.try_write());
  r.unlock();
  CHECK(l.try_write());
}

TEST_CASE("an rw_lock for no readers, or for too many, is misuse") {
  CHECK_THROWS_AS(rw_lock<int>(100, 0), std::logic_error);
  CHECK_THROWS_AS(rw_lock<int>(0, rw_lock<int>::most_readers + 1), std::logic_error);
  rw_lock<int> most(0, rw_lock<int>::most_readers);
  CHECK(most.try_write());
}

TEST_CASE("get_mut and into_inner of a held rw_lock are misuse") {
  rw_lock<int> l(1);
  const auto r = l.try_read().value();
  CHECK_THROWS_AS(l.get_mut(), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(std::move(l).into_inner()), std::logic_error);
}
#endif

struct fixed {
  fixed(int a, int b) : sum(a + b) {}
  fixed(const fixed&) = delete;
  int sum;
};

TEST_CASE("an rw_lock holds what cannot move, and what cannot be copied") {
  rw_lock<fixed> still(std::in_place, 2, 3);
  CHECK(still.try_read().value()->sum == 5);
  rw_lock only_moves(std::make_unique<int>(4));
  **only_moves.try_write().value() = 6;
  CHECK(*std::move(only_moves).into_inner() == 6);
}

// ---- tasks and threads

future<> scenario() {
  auto l = std::make_shared<rw_lock<int>>(0);
  auto writes = [](std::shared_ptr<rw_lock<int>> to) -> future<> {
    auto g = co_await rw_lock<int>::write_owned(to);
    co_await eddy::sleep(1ms);
    ++*g;
    auto r = std::move(g).downgrade();
    co_await eddy::yield_now();
    CHECK(*r > 0);
  };
  auto reads = [](std::shared_ptr<rw_lock<int>> from) -> future<> {
    auto r = co_await from->read();
    const int before = *r;
    co_await eddy::sleep(1ms);
    CHECK(*r == before);
  };
  std::vector<eddy::join_handle<>> tasks;
  for (int i = 0; i < 3; ++i) {
    tasks.push_back(eddy::spawn(reads(l)));
    tasks.push_back(eddy::spawn(writes(l)));
    tasks.push_back(eddy::spawn(reads(l)));
  }
  co_await eddy::yield_now();
  tasks[4].abort();
  auto r = co_await eddy::attempt(eddy::timeout(10us, l->write()));
  CHECK(r.error() == errc::elapsed);
  for (auto& t : tasks) static_cast<void>(co_await eddy::attempt(t));
  CHECK(*co_await l->read() == 2);
}

TEST_CASE("dropped at every cut point") { CHECK(test::cut_points(scenario) > 20); }

#if EDDY_POOL
TEST_CASE("blocking_read and blocking_write wait on their threads") {
  rw_lock<int> l(0);
  auto w = l.try_write().value();
  std::thread reader([&l] { CHECK(*l.blocking_read() >= 5); });
  std::thread writer([&l] { ++*l.blocking_write(); });
  *w = 5;
  w.unlock();
  reader.join();
  writer.join();
  CHECK(*l.blocking_read() == 6);
}

#if EDDY_EXCEPTIONS
TEST_CASE("blocking_read on a loop's thread is misuse") {
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    rw_lock<int> l(0);
    CHECK_THROWS_AS(static_cast<void>(l.blocking_read()), std::logic_error);
    co_return;
  });
}
TEST_CASE("blocking_write on a loop's thread is misuse") {
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    rw_lock<int> l(0);
    CHECK_THROWS_AS(static_cast<void>(l.blocking_write()), std::logic_error);
    CHECK(l.try_write());
    co_return;
  });
}
#endif
#endif

}  // namespace
