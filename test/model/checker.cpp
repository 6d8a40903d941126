// That the checker finds what it is there to find.

#include "model/checker.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>

#include <eddy/base/detail/lock.hpp>

namespace {

constexpr auto order = std::memory_order_seq_cst;

struct two_words {
  model::atomic<std::uint32_t> a{0}, b{0};
};

TEST_CASE("two threads of two steps each go in all six orders, and in two without preemptions") {
  const auto body = [](two_words& s) {
    s.a.store(1, order);
    s.b.store(1, order);
  };
  const auto nothing = [](two_words&) {};
  CHECK(model::explore<two_words>({body, body}, nothing).runs == 6);
  CHECK(model::explore<two_words>({body, body, body}, nothing).runs == 90);
  CHECK(model::explore<two_words>({body, body}, nothing, {.most_preemptions = 0}).runs == 2);
}

TEST_CASE(
    "a count that is loaded and stored comes out as 1 or 2, and only as 2 when it is one step") {
  std::set<std::uint32_t> outcomes;
  const auto look = [&](two_words& s) { outcomes.insert(s.a.load(order)); };
  const auto apart = [](two_words& s) { s.a.store(s.a.load(order) + 1, order); };
  CHECK(model::explore<two_words>({apart, apart}, look).failure.empty());
  CHECK(outcomes == std::set<std::uint32_t>{1, 2});
  outcomes.clear();
  const auto at_once = [](two_words& s) { s.a.fetch_add(1, order); };
  CHECK(model::explore<two_words>({at_once, at_once}, look).failure.empty());
  CHECK(outcomes == std::set<std::uint32_t>{2});
}

/// a: it has happened; b: somebody waits.
void tell(two_words& s) {
  s.a.store(1, order);
  if (s.b.exchange(0, order) == 1) s.b.notify_one();
}
/// Looks, then says that it waits: the wake in between is lost.
void wait_wrongly(two_words& s) {
  if (s.a.load(order) == 1) return;
  s.b.store(1, order);
  s.b.wait(1, order);
}
/// Says that it waits, then looks.
void wait_rightly(two_words& s) {
  s.b.store(1, order);
  if (s.a.load(order) == 1) return;
  s.b.wait(1, order);
}

TEST_CASE(
    "a planted lost wake is found, and the right order of the two lines is found to be right") {
  const auto nothing = [](two_words&) {};
  const auto wrong = model::explore<two_words>({wait_wrongly, tell}, nothing);
  CHECK(wrong.failure.find("nobody can go on") == 0);
  const auto right = model::explore<two_words>({wait_rightly, tell}, nothing);
  CHECK(right.failure == "");
  CHECK(right.runs > 10);
}

struct two_locks {
  eddy::detail::basic_lock<model::memory> a, b;
};

TEST_CASE("two locks taken in two orders are found to block each other") {
  const auto one = [](two_locks& s) {
    const eddy::detail::locked first(s.a);
    const eddy::detail::locked second(s.b);
  };
  const auto other = [](two_locks& s) {
    const eddy::detail::locked first(s.b);
    const eddy::detail::locked second(s.a);
  };
  const auto nothing = [](two_locks&) {};
  CHECK(model::explore<two_locks>({one, other}, nothing).failure.find("nobody can go on") == 0);
  CHECK(model::explore<two_locks>({one, one}, nothing).failure == "");
}

TEST_CASE("an endless loop, a failed requirement and a wrong end are found") {
  const auto nothing = [](two_words&) {};
  const auto endless = [](two_words& s) {
    while (s.a.load(order) == 0) {
    }
  };
  CHECK(model::explore<two_words>({endless}, nothing).failure.find("no end in sight") == 0);
  const auto wrong = [](two_words& s) { model::require(s.a.load(order) == 1, "planted"); };
  CHECK(model::explore<two_words>({wrong}, nothing).failure.find("planted") == 0);
  const auto at_end = [](two_words&) { model::require(false, "at its end"); };
  CHECK(model::explore<two_words>({tell}, at_end).failure.find("at its end") == 0);
}

TEST_CASE("a task that is woken between its poll and its sleep is polled again") {
  struct state {
    model::task task;
    model::atomic<std::uint32_t> done{0};
    eddy::waker who;
  };
  const auto waits = [](state& s) {
    s.task.wait_for([&](eddy::context& cx) {
      cx.store_waker(s.who);
      return s.done.load(order) == 1;
    });
    s.who.reset();
  };
  const auto tells = [](state& s) {
    s.done.store(1, order);
    const auto who = s.who;
    who.wake();
  };
  CHECK(model::explore<state>({waits, tells}, [](state&) {}).failure == "");
}

}  // namespace
