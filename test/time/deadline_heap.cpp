#include <eddy/time/detail/deadline_heap.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace {

using eddy::duration;
using eddy::instant;
using eddy::detail::deadline_heap;

instant at(std::int64_t ns) { return instant(duration(ns)); }

std::uint32_t add(deadline_heap& h, instant t) {
  const auto slot = h.prepare();
  CHECK(h.add(t) == slot);
  return slot;
}
std::uint32_t take_first(deadline_heap& h) {
  const auto slot = h.first();
  h.remove(slot);
  return slot;
}

TEST_CASE("the earliest is first, and of equal ones the one that came first") {
  deadline_heap h;
  const auto c = add(h, at(7));
  const auto a = add(h, at(-5));
  const auto d = add(h, at(7));
  const auto b = add(h, at(3));
  CHECK(h.size() == 4);
  CHECK(h.first_deadline() == at(-5));
  for (const auto expected : {a, b, c, d}) CHECK(take_first(h) == expected);
  CHECK(h.size() == 0);
}

TEST_CASE("what is moved to a time comes after what has it already") {
  deadline_heap h;
  const auto a = add(h, at(1));
  const auto b = add(h, at(2));
  h.move(a, at(2));
  CHECK(h.first() == b);
  h.move(b, instant::max());
  CHECK(h.first() == a);
  h.move(b, instant::min());
  CHECK(h.first() == b);
  CHECK(h.deadline(b) == instant::min());
}

TEST_CASE("slots are used again, and prepare alone changes nothing") {
  deadline_heap h;
  const auto a = add(h, at(1));
  const auto b = add(h, at(2));
  h.remove(a);
  CHECK(h.prepare() == a);
  CHECK(h.prepare() == a);
  CHECK(h.size() == 1);
  CHECK(add(h, at(3)) == a);
  CHECK(add(h, at(4)) == 2);
  CHECK(h.first() == b);
  CHECK(h.slots() == 3);
}

TEST_CASE("shrinking forgets the free slots at the end and no others") {
  deadline_heap h;
  std::vector<std::uint32_t> slots;
  for (int i = 0; i < 100; ++i) slots.push_back(add(h, at(i)));
  for (int i = 0; i < 100; ++i)
    if (i != 3 && i != 50) h.remove(slots[static_cast<std::size_t>(i)]);
  h.shrink();
  CHECK(h.slots() == 51);
  CHECK(h.size() == 2);
  CHECK(h.first() == slots[3]);
  for (int i = 0; i < 60; ++i) add(h, at(1000 + i));  // the free ones below, then new ones
  CHECK(h.slots() == 62);
  CHECK(take_first(h) == slots[3]);
  CHECK(take_first(h) == slots[50]);
  while (h.size() != 0) take_first(h);
  h.shrink();
  CHECK(h.slots() == 0);
  CHECK(add(h, at(1)) == 0);
}

// The model is a sorted map from (deadline, order) to slot.
void compare_with_model(unsigned seed, std::int64_t range) {
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  deadline_heap h;
  std::map<std::pair<instant, int>, std::uint32_t> model;
  std::map<std::uint32_t, std::pair<instant, int>> used;
  int order = 0;
  const auto some_time = [&] {
    return at(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(range)));
  };
  const auto some_slot = [&] {
    return std::next(used.begin(), static_cast<std::ptrdiff_t>(random() % used.size()))->first;
  };
  for (int step = 0; step < 5000; ++step) {
    const auto what = random() % (step % 1000 < 500 ? 6 : 10);  // grows, then shrinks
    if (what < 4 || used.empty()) {
      const instant t = some_time();
      const auto slot = add(h, t);
      REQUIRE(used.count(slot) == 0);
      used[slot] = {t, ++order};
      model[used[slot]] = slot;
    } else if (what == 4) {
      const auto slot = some_slot();
      model.erase(used[slot]);
      h.move(slot, used[slot].first = some_time());
      used[slot].second = ++order;
      model[used[slot]] = slot;
    } else {
      const auto slot = what < 7 ? some_slot() : h.first();
      model.erase(used[slot]);
      used.erase(slot);
      h.remove(slot);
    }
    if (random() % 200 == 0) h.shrink();
    REQUIRE(h.size() == model.size());
    if (model.empty()) continue;
    REQUIRE(h.first() == model.begin()->second);
    REQUIRE(h.first_deadline() == model.begin()->first.first);
    REQUIRE(h.deadline(used.rbegin()->first) == used.rbegin()->second.first);
    REQUIRE(h.slots() > used.rbegin()->first);
  }
  for (const auto& [key, slot] : model) REQUIRE(take_first(h) == slot);
}

TEST_CASE("random programs agree with a sorted map") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    compare_with_model(seed, 10);  // mostly equal ones
    compare_with_model(seed + 100, INT64_MAX);
  }
}

}  // namespace
