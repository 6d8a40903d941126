#include <eddy/sync/semaphore.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
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

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;
using eddy::sync::owned_semaphore_permit;
using eddy::sync::semaphore;
using eddy::sync::semaphore_permit;
using shared = std::shared_ptr<semaphore>;
using test::mock_task;

static_assert(!std::is_copy_constructible_v<semaphore_permit>);
static_assert(!std::is_move_constructible_v<semaphore>);

// ---- what needs no wait

TEST_CASE("a semaphore may be made with no permits") {
  semaphore s(0);
  CHECK(s.available_permits() == 0);
  CHECK_FALSE(s.try_acquire());
}

TEST_CASE("try_acquire takes what is free, and says would_block when nothing is") {
  semaphore s(1);
  {
    auto first = s.try_acquire();
    REQUIRE(first);
    CHECK(first->count() == 1);
    auto second = s.try_acquire();
    REQUIRE_FALSE(second);
    CHECK(second.error() == std::errc::operation_would_block);
  }
  CHECK(s.try_acquire());
  CHECK_FALSE(s.try_acquire_many(2));
  CHECK(s.try_acquire_many(0));
  CHECK(s.available_permits() == 1);
}

TEST_CASE("permits are added to what is there, open or closed") {
  for (const bool closed : {false, true})
    for (std::size_t size = 0; size < 4; ++size)
      for (std::size_t more = 0; more < 4; ++more) {
        semaphore s(size);
        if (closed) s.close();
        s.add(more);
        CHECK(s.available_permits() == size + more);
        CHECK(s.is_closed() == closed);
      }
}

TEST_CASE("forget takes away as many free permits as there are, open or closed") {
  for (const bool closed : {false, true})
    for (std::size_t size = 0; size < 4; ++size)
      for (std::size_t less = 0; less < 4; ++less) {
        semaphore s(size);
        if (closed) s.close();
        const auto gone = s.forget(less);
        CHECK(gone == std::min(size, less));
        CHECK(s.available_permits() == size - gone);
        CHECK(s.is_closed() == closed);
      }
}

TEST_CASE("a permit that is forgotten does not come back") {
  semaphore s(1);
  {
    auto p = s.try_acquire();
    REQUIRE(p);
    p->forget();
    CHECK(p->count() == 0);
  }
  CHECK(s.available_permits() == 0);
  CHECK_FALSE(s.try_acquire());
}

TEST_CASE("permits are merged, and go back together") {
  semaphore s(3);
  {
    auto one = s.try_acquire();
    auto two = s.try_acquire_many(2);
    REQUIRE(one);
    REQUIRE(two);
    one->merge(std::move(*two));
    CHECK(one->count() == 3);
    CHECK(two->count() == 0);
    CHECK(s.available_permits() == 0);
  }
  CHECK(s.available_permits() == 3);
}

TEST_CASE("permits are split, and go back apart") {
  semaphore s(5);
  std::optional<semaphore_permit> whole(s.try_acquire_many(3).value());
  auto part = whole->split(1);
  REQUIRE(part);
  CHECK(whole->count() == 2);
  CHECK(part->count() == 1);
  auto none = whole->split(0);
  REQUIRE(none);
  CHECK(none->count() == 0);
  CHECK_FALSE(whole->split(3));
  CHECK(s.available_permits() == 2);
  whole.reset();
  CHECK(s.available_permits() == 4);
  auto last = part->split(1);
  REQUIRE(last);
  CHECK_FALSE(part->split(1));
  part.reset();
  none.reset();
  CHECK(s.available_permits() == 4);
  last.reset();
  CHECK(s.available_permits() == 5);
}

TEST_CASE("a permit that is assigned over goes back at once") {
  semaphore s(3);
  auto held = s.try_acquire_many(2).value();
  auto other = s.try_acquire().value();
  held = std::move(other);
  CHECK(held.count() == 1);
  CHECK(s.available_permits() == 2);
  auto& same = held;
  held = std::move(same);
  CHECK(held.count() == 1);
  CHECK(s.available_permits() == 2);
}

TEST_CASE("an owned permit keeps its semaphore") {
  auto s = std::make_shared<semaphore>(2);
  const std::weak_ptr<semaphore> seen = s;
  std::optional<owned_semaphore_permit> p(semaphore::try_acquire_owned(s).value());
  CHECK_FALSE(semaphore::try_acquire_many_owned(s, 2));
  auto part = p->split(1);
  s.reset();
  p.reset();
  CHECK_FALSE(seen.expired());
  part.reset();
  CHECK(seen.expired());
}

TEST_CASE("a semaphore holds max_permits and not one more") {
  semaphore s(0);
  s.add(semaphore::max_permits);
  CHECK(s.available_permits() == semaphore::max_permits);
  semaphore full(semaphore::max_permits);
  semaphore nearly(semaphore::max_permits - 1);
  nearly.add(1);
  CHECK(nearly.available_permits() == semaphore::max_permits);
}

#if EDDY_EXCEPTIONS
TEST_CASE("more than max_permits, and permits of two semaphores, are misuse") {
  CHECK_THROWS_AS(semaphore(semaphore::max_permits + 1), std::logic_error);
  auto a = std::make_shared<semaphore>(42);
  auto b = std::make_shared<semaphore>(42);
  CHECK_THROWS_AS(a->add(semaphore::max_permits + 1), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(a->try_acquire_many(semaphore::max_permits + 1)),
                  std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(a->acquire_many(semaphore::max_permits + 1)), std::logic_error);
  {
    auto p = a->try_acquire().value();
    CHECK_THROWS_AS(p.merge(b->try_acquire().value()), std::logic_error);
    auto owned = semaphore::try_acquire_owned(a).value();
    CHECK_THROWS_AS(owned.merge(semaphore::try_acquire_owned(b).value()), std::logic_error);
  }
  CHECK(a->available_permits() == 42);
  CHECK(b->available_permits() == 42);

  a->add(semaphore::max_permits - 42);
  auto all = a->try_acquire_many(semaphore::max_permits).value();
  a->add(1);
  CHECK_THROWS_AS(all.merge(a->try_acquire().value()), std::logic_error);
  a->forget(1);
}
#endif

// ---- acquire

TEST_CASE("acquire is ready at once, or later when a permit comes back") {
  semaphore s(1);
  mock_task one, two;
  auto now = s.acquire();
  auto p = one.poll(now);
  REQUIRE(p.is_ready());
  std::optional<semaphore_permit> held(std::move(**p));

  auto later = s.acquire();
  CHECK_FALSE(two.poll(later).is_ready());
  CHECK_FALSE(two.poll(later).is_ready());
  CHECK_FALSE(two.is_woken());
  held.reset();
  CHECK(two.take_wakes() == 1);
  CHECK(s.available_permits() == 0);  // it is the waiter's already
  CHECK_FALSE(s.try_acquire());
  auto q = two.poll(later);
  REQUIRE(q.is_ready());
  CHECK((*q)->count() == 1);
  CHECK(one.references() + two.references() == 0);
}

TEST_CASE("a task waits for a permit until it is given back, or added") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto s = std::make_shared<semaphore>(1);
    auto takes = [](shared from) -> future<> { auto p = co_await from->acquire(); };
    std::optional<semaphore_permit> held(s->try_acquire().value());
    auto t = eddy::spawn(takes(s));
    co_await eddy::yield_now();
    CHECK_FALSE(t.is_finished());
    held.reset();
    co_await t;
    CHECK(s->forget(1) == 1);
    auto u = eddy::spawn(takes(s));
    co_await eddy::yield_now();
    CHECK_FALSE(u.is_finished());
    s->add(1);
    co_await u;
    CHECK(s->available_permits() == 1);
  });
}

TEST_CASE("a thousand tasks take turns at five permits") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto s = std::make_shared<semaphore>(5);
    int inside = 0, most = 0;
    std::vector<eddy::join_handle<>> tasks;
    auto takes = [](shared from, int& in, int& max) -> future<> {
      auto p = co_await from->acquire();
      max = std::max(max, ++in);
      co_await eddy::yield_now();
      --in;
    };
    for (int i = 0; i < 1000; ++i) tasks.push_back(eddy::spawn(takes(s, inside, most)));
    for (auto& t : tasks) co_await t;
    CHECK(most == 5);
    CHECK(s->available_permits() == 5);
  });
}

TEST_CASE(
    "first come, first served: who asks for many is not overtaken, and gets them bit by bit") {
  semaphore s(0);
  mock_task t;
  auto many = s.acquire_many(3);
  auto one = s.acquire();
  CHECK_FALSE(t.poll(many).is_ready());
  CHECK_FALSE(t.poll(one).is_ready());
  s.add(2);
  CHECK(s.available_permits() == 0);
  CHECK_FALSE(s.try_acquire());
  CHECK_FALSE(t.poll(one).is_ready());
  CHECK(t.take_wakes() == 0);
  s.add(1);
  CHECK(t.take_wakes() == 1);
  auto p = t.poll(many);
  REQUIRE(p.is_ready());
  CHECK((*p)->count() == 3);
  CHECK_FALSE(t.poll(one).is_ready());
  s.add(1);
  CHECK(t.poll(one).is_ready());
}

TEST_CASE("acquire_many takes what is free into the queue, and gives it back when it is dropped") {
  semaphore s(3);
  mock_task t, behind;
  auto waits = s.acquire_many(1);
  {
    auto many = s.acquire_many(4);
    CHECK_FALSE(t.poll(many).is_ready());
    CHECK(s.available_permits() == 0);
    CHECK_FALSE(behind.poll(waits).is_ready());
  }
  CHECK(behind.take_wakes() == 1);
  CHECK(behind.poll(waits).is_ready());
  CHECK(s.available_permits() == 3);
  CHECK(t.references() == 0);
}

TEST_CASE("an acquire that is dropped between grant and poll passes the permit on") {
  semaphore s(0);
  mock_task one, two;
  std::optional first(s.acquire());
  auto second = s.acquire();
  CHECK_FALSE(one.poll(*first).is_ready());
  CHECK_FALSE(two.poll(second).is_ready());
  s.add(1);
  CHECK(one.take_wakes() == 1);
  first.reset();
  CHECK(two.take_wakes() == 1);
  CHECK(two.poll(second).is_ready());
}

TEST_CASE("the last poll's task is woken, and an unpolled acquire holds nothing") {
  semaphore s(0);
  mock_task one, two;
  auto a = s.acquire();
  auto moved = std::move(a);
  CHECK_FALSE(one.poll(moved).is_ready());
  CHECK_FALSE(two.poll(moved).is_ready());
  CHECK(one.references() == 0);
  s.add(1);
  CHECK(one.take_wakes() == 0);
  CHECK(two.take_wakes() == 1);
  CHECK(two.poll(moved).is_ready());
  const auto never = s.acquire();
  CHECK(s.available_permits() == 1);
}

TEST_CASE("close ends those who wait and those who come; permits may still come back") {
  semaphore s(2);
  mock_task t;
  std::optional held(s.try_acquire().value());
  auto waits = s.acquire_many(3);
  auto also = s.acquire();
  CHECK_FALSE(t.poll(waits).is_ready());
  CHECK_FALSE(t.poll(also).is_ready());
  s.close();
  s.close();
  CHECK(s.is_closed());
  CHECK(t.take_wakes() == 2);
  for (auto* leaf : {&waits, &also}) {
    auto p = t.poll(*leaf);
    REQUIRE(p.is_ready());
    CHECK(p->error() == errc::closed);
  }
  CHECK(s.available_permits() == 1);  // the part that the first had got
  held.reset();
  CHECK(s.available_permits() == 2);
  auto late = s.acquire();
  auto q = t.poll(late);
  REQUIRE(q.is_ready());
  CHECK(q->error() == errc::closed);
  CHECK(s.try_acquire().error() == errc::closed);
}

TEST_CASE("an acquire that was refused may be dropped unpolled") {
  semaphore s(1);
  mock_task t;
  {
    auto waits = s.acquire_many(2);
    CHECK_FALSE(t.poll(waits).is_ready());
    s.close();
  }
  CHECK(s.available_permits() == 1);
  CHECK(t.references() == 0);
}

TEST_CASE("an acquire that is awaited again is misuse") {
  semaphore s(1);
  mock_task t;
  auto a = s.acquire();
  CHECK(t.poll(a).is_ready());
  auto again = t.poll(a);
  REQUIRE(again.is_ready());
  CHECK(again->error() == errc::misuse);
  CHECK(s.available_permits() == 1);
}

TEST_CASE(
    "a task that finds permits again and again lets others run, and so does one that is refused") {
  const test::leak_check leaks;
  for (const bool closed : {false, true}) {
    eddy::runtime rt;
    rt.block_on([closed]() -> future<> {
      semaphore s(1);
      if (closed) s.close();
      bool ran = false;
      auto other = eddy::spawn(
          [](bool& r) -> future<> {
            r = true;
            co_return;
          },
          std::ref(ran));
      int n = 0;
      for (; n < 1000 && !ran; ++n) static_cast<void>(co_await eddy::attempt(s.acquire()));
      CHECK(ran);
      CHECK(n > 1);
      co_await other;
    });
  }
}

future<> scenario() {
  auto s = std::make_shared<semaphore>(2);
  auto takes = [](shared from, std::size_t n) -> future<> {
    auto p = co_await semaphore::acquire_many_owned(from, n);
    co_await eddy::yield_now();
    auto half = p.split(1);
    co_await eddy::sleep(1ms);
  };
  std::vector<eddy::join_handle<>> tasks;
  for (const std::size_t n : {1U, 2U, 1U, 2U, 2U}) tasks.push_back(eddy::spawn(takes(s, n)));
  co_await eddy::yield_now();
  auto impatient = co_await eddy::attempt(eddy::timeout(1us, s->acquire_many(2)));
  CHECK(impatient.error() == errc::elapsed);
  for (auto& t : tasks) co_await t;
  CHECK(s->available_permits() == 2);
}

TEST_CASE("dropped at every cut point") { CHECK(test::cut_points(scenario) > 10); }

// ---- blocking forms

#if EDDY_POOL
TEST_CASE("blocking_acquire takes what is free") {
  auto s = std::make_shared<semaphore>(5);
  {
    auto one = s->blocking_acquire();
    REQUIRE(one);
    CHECK(s->available_permits() == 4);
  }
  {
    auto many = s->blocking_acquire_many(3);
    REQUIRE(many);
    CHECK(s->available_permits() == 2);
  }
  {
    auto one = semaphore::blocking_acquire_owned(s);
    auto many = semaphore::blocking_acquire_many_owned(s, 3);
    REQUIRE(one);
    REQUIRE(many);
    CHECK(s->available_permits() == 1);
  }
  CHECK(s->available_permits() == 5);
}

TEST_CASE("blocking_acquire waits on its thread") {
  semaphore s(0);
  std::thread waits([&s] {
    auto p = s.blocking_acquire_many(2);
    CHECK(p.value().count() == 2);
  });
  s.add(1);
  s.add(1);
  waits.join();
  CHECK(s.available_permits() == 2);
}

TEST_CASE("blocking_acquire of a closed semaphore fails") {
  auto s = std::make_shared<semaphore>(1);
  s->close();
  CHECK(s->blocking_acquire().error() == errc::closed);
  CHECK(s->blocking_acquire_many(2).error() == errc::closed);
  CHECK(semaphore::blocking_acquire_owned(s).error() == errc::closed);
  CHECK(semaphore::blocking_acquire_many_owned(s, 2).error() == errc::closed);
}

#if EDDY_EXCEPTIONS
TEST_CASE("blocking_acquire on a loop's thread is misuse") {
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto s = std::make_shared<semaphore>(1);
    CHECK_THROWS_AS(static_cast<void>(s->blocking_acquire()), std::logic_error);
    CHECK_THROWS_AS(static_cast<void>(s->blocking_acquire_many(1)), std::logic_error);
    CHECK_THROWS_AS(static_cast<void>(semaphore::blocking_acquire_owned(s)), std::logic_error);
    CHECK_THROWS_AS(static_cast<void>(semaphore::blocking_acquire_many_owned(s, 1)),
                    std::logic_error);
    CHECK(s->available_permits() == 1);
    co_return;
  });
}
#endif
#endif

}  // namespace
