#include "runtime/wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace {

using namespace eddy::detail;

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t tick = std::uint64_t{1} << wheel::tick_bits;

struct timer : timer_entry {
  timer() = default;
  explicit timer(std::uint64_t at, std::uint64_t n = 0) : number(n) { deadline = at; }
  std::uint64_t number = 0;
  bool past = false;
};

std::vector<timer*> advance(wheel& w, std::uint64_t now) {
  list<timer_entry> expired;
  w.advance_to(now, expired);
  std::vector<timer*> out;
  while (timer_entry* e = expired.pop_front()) out.push_back(static_cast<timer*>(e));
  return out;
}

TEST_CASE("an empty wheel has nothing due, ever") {
  wheel w;
  CHECK(w.empty());
  CHECK(w.size() == 0);
  CHECK(w.next_deadline() == never);
  CHECK(advance(w, 0).empty());
  CHECK(advance(w, never).empty());
  CHECK(advance(w, 5).empty());  // back again
}

TEST_CASE("an entry comes out at its deadline and not a nanosecond before") {
  std::vector<std::uint64_t> deadlines{
      0, 1, 2, 5, tick - 1, tick, tick + 1, 1'000'000'007, never - 1, never};
  for (unsigned k = 2; k < 64; ++k)
    for (const int around : {-1, 0, 1})
      deadlines.push_back((std::uint64_t{1} << k) + static_cast<std::uint64_t>(around));
  for (const std::uint64_t start : {std::uint64_t{0}, std::uint64_t{12'345'678}}) {
    for (const std::uint64_t deadline : deadlines) {
      CAPTURE(deadline);
      wheel w;
      advance(w, start);
      timer t(deadline);
      w.insert(t);
      CHECK_FALSE(w.empty());
      REQUIRE(w.next_deadline() == deadline);
      if (deadline > start) REQUIRE(advance(w, deadline - 1).empty());
      REQUIRE(w.next_deadline() == deadline);
      REQUIRE(advance(w, std::max(start, deadline)) == std::vector{&t});
      CHECK(w.empty());
      CHECK(w.next_deadline() == never);
    }
  }
}

TEST_CASE("equal deadlines come out first in, first out, whatever the level they were put in at") {
  wheel w;
  const std::uint64_t deadline = 5'000'000'123;
  std::deque<timer> timers;
  std::vector<timer*> expected;
  for (const std::uint64_t now :
       {std::uint64_t{0}, deadline / 2, deadline - 70'000, deadline - 2000, deadline - 1}) {
    CHECK(advance(w, now).empty());
    for (int i = 0; i < 3; ++i) {
      w.insert(timers.emplace_back(deadline));
      expected.push_back(&timers.back());
    }
  }
  CHECK(advance(w, deadline) == expected);
}

TEST_CASE("a deadline in the past is due at the next advance") {
  wheel w;
  advance(w, 1'000'000'000);
  timer past(7), same_tick(1'000'000'000), later(1'000'000'000 + tick);
  w.insert(later);
  w.insert(same_tick);
  w.insert(past);
  CHECK(w.next_deadline() == 7);
  CHECK(advance(w, 1'000'000'000) == std::vector{&past, &same_tick});
  CHECK(w.next_deadline() == later.deadline);
  CHECK(advance(w, never) == std::vector{&later});
}

TEST_CASE("a clock that steps back expires nothing early") {
  wheel w;
  advance(w, 10 * tick);
  timer a(5 * tick), b(10 * tick + 5);
  w.insert(a);
  w.insert(b);
  CHECK(advance(w, 4 * tick).empty());
  CHECK(advance(w, 5 * tick) == std::vector{&a});
  CHECK(advance(w, 10 * tick + 4).empty());
  CHECK(advance(w, 10 * tick + 5) == std::vector{&b});
  advance(w, 100 * tick);
  timer c(101 * tick);
  w.insert(c);
  CHECK(advance(w, 3 * tick).empty());
  CHECK(advance(w, 50 * tick).empty());
  CHECK(w.next_deadline() == c.deadline);
  CHECK(advance(w, 101 * tick) == std::vector{&c});
}

TEST_CASE("a removed entry is gone, its neighbours are not") {
  wheel w;
  timer a(1000), b(1000), c(1000);
  for (timer* t : {&a, &b, &c}) w.insert(*t);
  w.remove(b);
  CHECK_FALSE(b.linked());
  CHECK(w.size() == 2);
  w.insert(b);
  w.remove(a);
  CHECK(advance(w, 1000) == std::vector{&c, &b});
}

TEST_CASE("after the last removal the next deadline is the next slot's, on every level") {
  for (unsigned k = 0; k < 63; ++k) {
    CAPTURE(k);
    wheel w;
    timer first(std::uint64_t{1} << k), second(never);
    w.insert(second);
    w.insert(first);
    CHECK(w.next_deadline() == first.deadline);
    w.remove(first);
    REQUIRE(w.next_deadline() == never);
    REQUIRE(w.size() == 1);
    w.remove(second);
    REQUIRE(w.empty());
  }
}

TEST_CASE("an entry may be removed while it is in the list of expired ones") {
  wheel w;
  timer a(1), b(2), c(1'000'000);
  for (timer* t : {&a, &b, &c}) w.insert(*t);
  list<timer_entry> expired;
  w.advance_to(10, expired);
  w.remove(a);
  w.remove(b);
  CHECK(expired.empty());
  CHECK(w.size() == 1);
  CHECK(w.next_deadline() == c.deadline);
  w.remove(c);
}

TEST_CASE("an expired entry goes in again from its own wake") {
  wheel w;
  timer t(100);
  w.insert(t);
  for (std::uint64_t now = 100; now < 100'000'000; now += 999'983) {
    REQUIRE(advance(w, now) == std::vector{&t});
    t.deadline = now + 999'983;
    w.insert(t);
    REQUIRE(w.next_deadline() == t.deadline);
  }
  w.remove(t);
}

TEST_CASE("with many entries in a slot the next deadline is exact until the earliest is removed") {
  wheel w;
  std::deque<timer> timers;
  const std::uint64_t earliest = 3'000'000'000;
  for (std::uint64_t i = 0; i < 100; ++i)
    w.insert(timers.emplace_back(earliest + (i * 37 + 50) % 100 * tick));
  CHECK(w.next_deadline() == earliest);
  for (timer& t : timers)
    if (t.deadline < earliest + 40 * tick) w.remove(t);
  CHECK(w.next_deadline() == earliest);  // no longer wanted: one needless wake
  CHECK(w.next_deadline(100) == earliest + 40 * tick);
  CHECK(advance(w, earliest).empty());
  CHECK(w.next_deadline() == earliest + 40 * tick);
  CHECK(advance(w, earliest + 40 * tick).size() == 1);
  CHECK(w.next_deadline() == earliest + 41 * tick);
  CHECK(advance(w, never).size() == 59);
}

TEST_CASE("a crowd inside one tick: some come out, the rest says when") {
  wheel w;
  std::deque<timer> timers;
  const std::uint64_t start = 3'000'000 * tick;
  for (std::uint64_t i = 0; i < 100; ++i) w.insert(timers.emplace_back(start + i));
  CHECK(w.next_deadline() == start);
  CHECK(advance(w, start + 49).size() == 50);
  CHECK(w.next_deadline() == start + 50);
  CHECK(advance(w, never).size() == 50);
}

TEST_CASE("one jump over everything expires everything, in order") {
  wheel w;
  std::mt19937_64 random(7);
  std::deque<timer> timers;
  for (int i = 0; i < 10'000; ++i) w.insert(timers.emplace_back(random() >> (random() % 64)));
  CHECK(w.size() == 10'000);
  const auto out = advance(w, never);
  CHECK(out.size() == 10'000);
  CHECK(std::is_sorted(out.begin(), out.end(), [](const timer* a, const timer* b) {
    return a->deadline >> wheel::tick_bits < b->deadline >> wheel::tick_bits;
  }));
  CHECK(w.empty());
}

TEST_CASE("a million entries go in and out") {
  wheel w;
  std::mt19937_64 random(11);
  std::vector<timer> timers(1'000'000);
  for (timer& t : timers) {
    t.deadline = random() % 60'000'000'000;
    w.insert(t);
  }
  CHECK(w.size() == timers.size());
  for (std::size_t i = 0; i < timers.size(); i += 2) w.remove(timers[i]);
  CHECK(w.size() == timers.size() / 2);
  CHECK(advance(w, 30'000'000'000).size() + w.size() == timers.size() / 2);
  for (std::size_t i = 1; i < timers.size(); i += 2)
    if (timers[i].linked()) w.remove(timers[i]);
  CHECK(w.empty());
  CHECK(w.next_deadline() == never);
}

// The model knows exact deadlines; the order is checked by tick (overdue ones first), then by
// insertion.
void compare_with_model(unsigned seed, unsigned range_bits, unsigned step_bits) {
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  wheel w;
  std::deque<timer> storage(300);
  std::vector<timer*> idle;
  for (timer& t : storage) idle.push_back(&t);
  std::multimap<std::uint64_t, timer*> model;  // exact deadline
  std::set<timer*> inside;
  std::uint64_t now = 0, inserted = 0;
  const auto spread = [&](unsigned bits) { return random() >> (64 - 1 - random() % bits); };
  for (int step = 0; step < 4000; ++step) {
    const auto what = random() % 8;
    if (what < 4 && !idle.empty()) {
      std::swap(idle[random() % idle.size()], idle.back());
      timer* t = idle.back();
      idle.pop_back();
      const std::uint64_t away = spread(range_bits);
      t->deadline = random() % 16 == 0   ? now - std::min(now, away)
                    : now > never - away ? never
                                         : now + away;
      if (random() % 4 == 0 && !model.empty()) t->deadline = model.begin()->first;
      t->number = ++inserted;
      t->past = t->deadline >> wheel::tick_bits < now >> wheel::tick_bits;
      w.insert(*t);
      model.emplace(t->deadline, t);
      inside.insert(t);
    } else if (what == 4 && !inside.empty()) {
      timer* t = *std::next(inside.begin(), static_cast<std::ptrdiff_t>(random() % inside.size()));
      w.remove(*t);
      for (auto [i, end] = model.equal_range(t->deadline); i != end; ++i)
        if (i->second == t) {
          model.erase(i);
          break;
        }
      inside.erase(t);
      idle.push_back(t);
    } else if (what > 4) {
      const std::uint64_t ask = w.next_deadline();
      const std::uint64_t earliest = model.empty() ? never : model.begin()->first;
      REQUIRE(ask <= earliest);
      if (model.size() <= 8) REQUIRE(ask == earliest);
      const std::uint64_t by = spread(step_bits);
      if (random() % 2 == 0)
        now = now > never - by ? never : now + by;
      else if (ask != never)
        now = std::max(now, ask - random() % 2);
      const auto out = advance(w, now);
      std::uint64_t last_order = 0;
      std::map<std::uint64_t, std::uint64_t> last_number;
      for (timer* t : out) {
        REQUIRE(t->deadline <= now);
        const std::uint64_t order = t->past ? 0 : t->deadline >> wheel::tick_bits;
        REQUIRE(order >= std::exchange(last_order, order));
        REQUIRE(std::exchange(last_number[t->deadline], t->number) < t->number);
        REQUIRE(inside.erase(t) == 1);
        idle.push_back(t);
      }
      const auto end = model.upper_bound(now);
      REQUIRE(static_cast<std::size_t>(std::distance(model.begin(), end)) == out.size());
      model.erase(model.begin(), end);
    }
    REQUIRE(w.empty() == model.empty());
  }
  REQUIRE(w.size() == model.size());
  for (auto& [deadline, t] : model) w.remove(*t);
  REQUIRE(w.empty());
}

TEST_CASE("random programs agree with a sorted map") {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    compare_with_model(seed, 14, 12);        // within a few ticks
    compare_with_model(seed + 100, 24, 22);  // milliseconds
    compare_with_model(seed + 200, 40, 36);  // minutes
    compare_with_model(seed + 300, 63, 56);  // all of time
  }
}

}  // namespace
