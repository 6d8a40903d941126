#include <eddy/sync/mutex.hpp>

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
using eddy::sync::mutex;
using eddy::sync::mutex_guard;
using eddy::sync::owned_mutex_guard;
using test::mock_task;

static_assert(!std::is_copy_constructible_v<mutex_guard<int>> &&
              !std::is_copy_constructible_v<eddy::sync::mapped_mutex_guard<int>> &&
              std::is_nothrow_move_assignable_v<eddy::sync::mapped_mutex_guard<int>>);

/// The same tests for `lock` and `lock_owned`.
struct borrowed {
  static auto lock(const std::shared_ptr<mutex<int>>& m) { return m->lock(); }
  static auto try_lock(const std::shared_ptr<mutex<int>>& m) { return m->try_lock(); }
};
struct owned {
  static auto lock(const std::shared_ptr<mutex<int>>& m) { return mutex<int>::lock_owned(m); }
  static auto try_lock(const std::shared_ptr<mutex<int>>& m) {
    return mutex<int>::try_lock_owned(m);
  }
};

template <class How>
void locks_one_after_the_other() {
  auto m = std::make_shared<mutex<int>>(100);
  mock_task t;
  for (const int expected : {100, 99, 98}) {
    auto l = How::lock(m);
    auto p = t.poll(l);
    REQUIRE(p.is_ready());
    CHECK(**p == expected);
    **p = expected - 1;
  }
  CHECK(!t.is_woken());
  CHECK(m.use_count() == 1);
}
TEST_CASE("locked one after the other, a mutex shows what was written") {
  locks_one_after_the_other<borrowed>();
}
TEST_CASE("lock_owned one after the other shows what was written") {
  locks_one_after_the_other<owned>();
}

template <class How>
void waits_for_the_guard() {
  auto m = std::make_shared<mutex<int>>(1);
  mock_task one, two;
  auto first = How::lock(m);
  auto second = How::lock(m);
  auto p = one.poll(first);
  REQUIRE(p.is_ready());
  {
    const auto guard = p.take();
    CHECK_FALSE(two.poll(second).is_ready());
    CHECK_FALSE(two.is_woken());
  }
  CHECK(two.take_wakes() == 1);
  CHECK_FALSE(How::try_lock(m));  // it is the second's already
  CHECK(two.poll(second).is_ready());
}
TEST_CASE("a lock that is held is had when its guard goes") { waits_for_the_guard<borrowed>(); }
TEST_CASE("lock_owned is ready when the guard before it goes") { waits_for_the_guard<owned>(); }

template <class How>
void try_lock_fails_while_locked() {
  auto m = std::make_shared<mutex<int>>(0);
  {
    auto guard = How::try_lock(m);
    REQUIRE(guard);
    auto second = How::try_lock(m);
    REQUIRE_FALSE(second);
    CHECK(second.error() == std::errc::operation_would_block);
  }
  CHECK(How::try_lock(m));
}
TEST_CASE("try_lock fails while it is locked") { try_lock_fails_while_locked<borrowed>(); }
TEST_CASE("try_lock_owned fails while it is locked") { try_lock_fails_while_locked<owned>(); }

template <class How>
future<> holds_for_ever(std::shared_ptr<mutex<int>> m) {
  auto guard = co_await How::lock(m);
  co_await eddy::sleep(1h);
}
template <class How>
future<> locks(std::shared_ptr<mutex<int>> m) {
  auto guard = co_await How::lock(m);
}
template <class How>
future<> dropped_holder_unlocks() {
  auto m = std::make_shared<mutex<int>>(0);
  auto r = co_await eddy::attempt(eddy::timeout(1ms, holds_for_ever<How>(m)));
  CHECK(r.error() == errc::elapsed);
  co_await eddy::timeout(1ms, locks<How>(m));
}
template <class How>
future<> dropped_waiter_leaves() {
  auto m = std::make_shared<mutex<int>>(0);
  {
    auto guard = co_await m->lock();
    auto r = co_await eddy::attempt(eddy::timeout(1ms, locks<How>(m)));
    CHECK(r.error() == errc::elapsed);
  }
  co_await eddy::timeout(1ms, locks<How>(m));
}
void run_paused(future<> (*f)()) {
  const test::leak_check leaks;
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on(f());
}
TEST_CASE("a task that is dropped while it holds the lock unlocks it") {
  run_paused(dropped_holder_unlocks<borrowed>);
}
TEST_CASE("a task that is dropped while it holds an owned lock unlocks it") {
  run_paused(dropped_holder_unlocks<owned>);
}
TEST_CASE("a task that is dropped while it waits leaves the mutex usable") {
  run_paused(dropped_waiter_leaves<borrowed>);
}
TEST_CASE("a task that is dropped in lock_owned leaves the mutex usable") {
  run_paused(dropped_waiter_leaves<owned>);
}

TEST_CASE("who waits longest is next, whoever is dropped") {
  mutex<int> m(0);
  mock_task a, b, c;
  auto held = m.try_lock().value();
  auto one = m.lock();
  std::optional two(m.lock());
  auto three = m.lock();
  CHECK_FALSE(a.poll(one).is_ready());
  CHECK_FALSE(b.poll(*two).is_ready());
  CHECK_FALSE(c.poll(three).is_ready());
  held.unlock();
  CHECK(a.take_wakes() == 1);
  auto p = a.poll(one);
  REQUIRE(p.is_ready());
  two.reset();
  CHECK(b.references() == 0);
  CHECK(c.take_wakes() == 0);
  p->unlock();
  p->unlock();  // an empty guard gives nothing back
  CHECK(c.take_wakes() == 1);
  CHECK_FALSE(m.try_lock());
  CHECK(c.poll(three).is_ready());
}

TEST_CASE("a lock that is dropped between hand-over and poll goes to the next") {
  mutex<int> m(0);
  mock_task a, b;
  auto held = m.try_lock().value();
  std::optional one(m.lock());
  auto two = m.lock();
  CHECK_FALSE(a.poll(*one).is_ready());
  CHECK_FALSE(b.poll(two).is_ready());
  held.unlock();
  CHECK(a.take_wakes() == 1);
  one.reset();
  CHECK(b.take_wakes() == 1);
  CHECK(b.poll(two).is_ready());
}

// ---- guards

struct person {
  std::string name;
  std::vector<int> marks;
};

TEST_CASE("a guard moves, is assigned, and knows its mutex") {
  mutex<int> m(1), n(2);
  auto a = m.try_lock().value();
  CHECK(a.mutex() == &m);
  auto b = std::move(a);
  CHECK(a.mutex() == nullptr);
  CHECK_FALSE(m.try_lock());
  b = n.try_lock().value();
  CHECK(m.try_lock());
  CHECK(*b == 2);
  auto& same = b;
  b = std::move(same);
  CHECK_FALSE(n.try_lock());
}

TEST_CASE("an owned guard keeps its mutex") {
  auto m = std::make_shared<mutex<int>>(1);
  const std::weak_ptr seen = m;
  std::optional guard(mutex<int>::try_lock_owned(m).value());
  CHECK(guard->mutex() == m);
  m.reset();
  CHECK_FALSE(seen.expired());
  **guard = 2;
  auto part = std::move(*guard).map([](int& v) -> int& { return v; });
  guard.reset();
  CHECK_FALSE(seen.expired());
  CHECK(*part == 2);
  part.unlock();
  CHECK(seen.expired());
}

template <class Guard, class Locked>
void maps(Guard guard, Locked locked) {
  auto name = std::move(guard).map([](person& p) -> std::string& { return p.name; });
  CHECK(*name == "Ada");
  CHECK(name->size() == 3);
  CHECK(locked());
  auto none = std::move(name).try_map([](std::string&) -> char* { return nullptr; });
  CHECK_FALSE(none);
  CHECK(*name == "Ada");  // as it was
  auto letter =
      std::move(name).try_map([](std::string& s, std::size_t i) { return &s[i]; }, std::size_t{1});
  REQUIRE(letter);
  **letter = 'v';
  CHECK(locked());
  auto same = std::move(*letter).map([](char& c) -> const char& { return c; });
  static_assert(std::is_same_v<decltype(*same), const char&>);
  CHECK(*same == 'v');
  decltype(same) moved = std::move(same);
  CHECK(locked());
  same = std::move(moved);
  CHECK(locked());
  same.unlock();
  CHECK_FALSE(locked());
}

TEST_CASE("mapped guards show a part and keep the whole locked") {
  auto m = std::make_shared<mutex<person>>(person{"Ada", {1, 2}});
  const auto locked = [&m] { return !m->try_lock(); };
  maps(m->try_lock().value(), locked);
  CHECK(m->try_lock().value()->name == "Ava");
  m->try_lock().value()->name = "Ada";
  maps(mutex<person>::try_lock_owned(m).value(), locked);

  auto guard = m->try_lock().value();
  auto none = std::move(guard).try_map([](person&) -> int* { return nullptr; });
  CHECK_FALSE(none);
  CHECK(guard->name == "Ava");
  auto mark = std::move(guard).try_map([](person& p) { return &p.marks[1]; });
  REQUIRE(mark);
  CHECK(**mark == 2);
  CHECK(locked());
}

#if EDDY_EXCEPTIONS
TEST_CASE("a map that throws leaves the guard as it was") {
  mutex<int> m(1);
  auto guard = m.try_lock().value();
  const auto fails = [](int&) -> int& { throw std::runtime_error("no"); };
  CHECK_THROWS_AS(static_cast<void>(std::move(guard).map(fails)), std::runtime_error);
  CHECK(*guard == 1);
  CHECK_FALSE(m.try_lock());
}

TEST_CASE("an exception unlocks, and poisons nothing") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    mutex<int> m(1);
    auto r = co_await eddy::attempt([](mutex<int>& in) -> future<> {
      auto guard = co_await in.lock();
      *guard = 2;
      throw std::runtime_error("no");
    }(m));
    CHECK_FALSE(r);
    auto guard = co_await m.lock();
    CHECK(*guard == 2);
  });
}

TEST_CASE("get_mut and into_inner of a locked mutex are misuse") {
  mutex<int> m(1);
  const auto guard = m.try_lock().value();
  CHECK_THROWS_AS(m.get_mut(), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(std::move(m).into_inner()), std::logic_error);
}

struct throws_on_move {
  throws_on_move() = default;
  throws_on_move(throws_on_move&&) { throw std::runtime_error("move"); }
};
TEST_CASE(
    "a value whose move throws: the constructor and into_inner throw, lock does not move it") {
  throws_on_move value;
  CHECK_THROWS_AS(mutex<throws_on_move>(std::move(value)), std::runtime_error);
  mutex<throws_on_move> m;
  mock_task t;
  auto l = m.lock();
  CHECK(t.poll(l).is_ready());
  CHECK_THROWS_AS(static_cast<void>(std::move(m).into_inner()), std::runtime_error);
}
#endif

// ---- values

struct fixed {  // neither default constructible nor movable
  explicit fixed(int a, int b) : sum(a + b) {}
  fixed(const fixed&) = delete;
  int sum;
};

TEST_CASE("a mutex holds what cannot move, what cannot be copied, and what was left out") {
  mutex<fixed> still(std::in_place, 2, 3);
  CHECK(still.try_lock().value()->sum == 5);
  CHECK(still.get_mut().sum == 5);
  static_assert(!std::is_default_constructible_v<mutex<fixed>>);

  mutex only_moves(std::make_unique<int>(4));
  **only_moves.try_lock().value() = 6;
  ++*only_moves.get_mut();
  auto out = std::move(only_moves).into_inner();
  CHECK(*out == 7);

  mutex<int> zero;
  CHECK(*zero.try_lock().value() == 0);
}

future<> scenario() {
  auto m = std::make_shared<mutex<std::vector<int>>>();
  auto adds = [](std::shared_ptr<mutex<std::vector<int>>> to, int n) -> future<> {
    auto guard = co_await to->lock();
    co_await eddy::sleep(1ms);
    guard->push_back(n);
    co_await eddy::yield_now();
    auto part = std::move(guard).map([](auto& v) -> auto& { return v.back(); });
    co_await eddy::yield_now();
    CHECK(*part == n);
  };
  std::vector<eddy::join_handle<>> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(eddy::spawn(adds(m, i)));
  co_await eddy::yield_now();
  tasks[2].abort();
  for (auto& t : tasks) static_cast<void>(co_await eddy::attempt(t));
  auto all = co_await mutex<std::vector<int>>::lock_owned(m);
  CHECK(*all == std::vector<int>{0, 1, 3});
}

TEST_CASE("dropped at every cut point") { CHECK(test::cut_points(scenario) > 10); }

#if EDDY_POOL
TEST_CASE("a thread that holds the lock lets a task have it when it goes") {
  mutex<bool> m(false);
  mock_task t;
  auto l = m.lock();
  std::optional held(m.blocking_lock());
  std::thread other([guard = std::move(*held)]() mutable {
    *guard = true;
    guard.unlock();
  });
  held.reset();
  auto p = t.poll(l);
  if (!p) {
    while (!t.is_woken()) std::this_thread::yield();
    auto q = t.poll(l);
    REQUIRE(q.is_ready());
    CHECK(**q);
  }
  other.join();
}

TEST_CASE("blocking_lock waits on its thread") {
  auto m = std::make_shared<mutex<int>>(0);
  auto held = m->try_lock().value();
  std::thread one([&m] { ++*m->blocking_lock(); });
  std::thread two([&m] { ++*mutex<int>::blocking_lock_owned(m); });
  *held = 5;
  held.unlock();
  one.join();
  two.join();
  CHECK(*m->try_lock().value() == 7);
}

#if EDDY_EXCEPTIONS
TEST_CASE("blocking_lock on a loop's thread is misuse") {
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto m = std::make_shared<mutex<int>>(5);
    CHECK_THROWS_AS(static_cast<void>(m->blocking_lock()), std::logic_error);
    CHECK_THROWS_AS(static_cast<void>(mutex<int>::blocking_lock_owned(m)), std::logic_error);
    CHECK(m->try_lock());
    co_return;
  });
}
#endif
#endif

}  // namespace
