// The behaviour that tokio-util's time_delay_queue.rs tests and test/time/delay_queue.cpp does not.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::clock;
using eddy::delay_key;
using eddy::delay_queue;

/// A queue, and a task that repeatedly waits for its next value.
class waiting_queue {
 public:
  delay_queue<std::string> q;

  /// Polls for the next value. Returns the value, "-" if it is pending, or "end".
  std::string poll() {
    if (!next_) next_ = std::make_unique<leaf>(q.next());
    auto p = task_.poll(*next_);
    if (!p) return "-";
    next_.reset();
    auto r = p.take();
    return *r ? std::string((*r)->value()) : "end";
  }
  int take_wakes() { return task_.take_wakes(); }

 private:
  using leaf = decltype(std::declval<delay_queue<std::string>&>().next());
  test::mock_task task_;
  std::unique_ptr<leaf> next_;
};

template <class F>
void on_paused_clock(F scenario) {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([&]() -> eddy::future<> {
    test::advance(1s);
    waiting_queue w;
    scenario(w, clock::now());
    co_return;
  });
}

TEST_CASE("a queue of one entry is pending, then returns the entry, then the end") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    w.q.insert_at("foo", now + 5ms);
    CHECK(w.poll() == "-");
    test::advance(1ms);
    CHECK(w.take_wakes() == 0);
    test::advance(5ms);
    CHECK(w.take_wakes() == 1);
    CHECK(w.poll() == "foo");
    CHECK(w.poll() == "end");
  });
}

TEST_CASE("each of many delays causes one wake, with none in between") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    const std::vector<int> delays{1000, 2, 234, 262'144 + 9 * 4096, 60, 10};
    for (const int d : delays) w.q.insert_at(std::to_string(d), now + d * 1ms);
    CHECK(w.poll() == "-");
    for (int elapsed = 1; elapsed <= 1200; ++elapsed) {
      test::advance(1ms);
      const bool due = std::find(delays.begin(), delays.end(), elapsed) != delays.end();
      REQUIRE(w.take_wakes() == (due ? 1 : 0));
      if (!due) continue;
      REQUIRE(w.poll() == std::to_string(elapsed));
      REQUIRE(w.poll() == "-");
    }
  });
}

TEST_CASE("removing the last entry wakes the waiting task for the end") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    const auto key = w.q.insert_at("foo", now + 5ms);
    CHECK(w.poll() == "-");
    CHECK(w.q.remove(key).value() == "foo");
    CHECK(w.take_wakes() == 1);
    CHECK(w.poll() == "end");
    const auto past = w.q.insert_at("past", now - 1s);
    CHECK(w.q.remove(past).value() == "past");
    CHECK(w.poll() == "end");
  });
}

TEST_CASE("an entry may be reset repeatedly, to later and earlier times") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    const auto key = w.q.insert_at("foo", now + 5ms);
    CHECK(w.poll() == "-");
    test::advance(1ms);
    w.q.reset_at(key, now + 10ms);
    test::advance(9ms - 1ns);
    CHECK(w.take_wakes() == 0);
    w.q.reset_at(key, now + 50ms);
    w.q.reset_at(key, now + 40ms);
    test::advance(1ns);
    CHECK(w.take_wakes() == 0);
    test::advance(30ms);
    CHECK(w.take_wakes() == 1);
    CHECK(w.poll() == "foo");
    CHECK(w.poll() == "end");
  });
}

TEST_CASE("a reset to the past wakes; an entry from the past that is postponed waits") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    const auto key = w.q.insert("foo", 10s);
    CHECK(w.poll() == "-");
    w.q.reset_at(key, now - 100ms);
    CHECK(w.take_wakes() == 1);
    CHECK(w.poll() == "foo");
    const auto late = w.q.insert_at("late", now - 100ms);
    w.q.reset_at(late, now + 100ms);
    CHECK(w.q.size() == 1);
    w.q.reset_at(late, now + 50ms);
    CHECK(w.poll() == "-");
    test::advance(60ms);
    CHECK(w.take_wakes() == 1);
    CHECK(w.poll() == "late");
    CHECK(w.q.empty());
  });
}

TEST_CASE("of two due entries the second can still be removed") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    w.q.insert_at("foo", now + 64ms);
    const auto bar = w.q.insert_at("bar", now + 64ms);
    test::advance(80ms);
    CHECK(w.poll() == "foo");
    CHECK(w.q.remove(bar).value() == "bar");
    CHECK(w.poll() == "end");
  });
}

TEST_CASE("an entry inserted last may come first, before or after a poll") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    w.q.insert_at("last", now + 10s);
    CHECK(w.poll() == "-");
    w.q.insert_at("second", now + 600ms);
    CHECK(w.poll() == "-");
    w.q.insert_at("first", now + 100ms);
    test::advance(99ms);
    CHECK(w.take_wakes() == 0);
    CHECK(w.poll() == "-");
    test::advance(1ms);
    CHECK(w.take_wakes() == 1);
    CHECK(w.poll() == "first");
    CHECK(w.poll() == "-");
    w.q.insert_at("past", now + 40ms);
    CHECK(w.take_wakes() == 1);
    CHECK(w.poll() == "past");
    CHECK(w.poll() == "-");
    test::advance(500ms);
    CHECK(w.take_wakes() == 1);
    CHECK(w.poll() == "second");
  });
}

TEST_CASE("entries reset past one another come in their new order") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    const auto one = w.q.insert_at("one", now + 200ms);
    const auto two = w.q.insert_at("two", now + 250ms);
    CHECK(w.poll() == "-");
    w.q.reset_at(one, now + 300ms);
    w.q.reset_at(two, now + 350ms);
    w.q.reset_at(one, now + 400ms);
    test::advance(310ms);
    CHECK(w.take_wakes() == 0);
    CHECK(w.poll() == "-");
    test::advance(50ms);
    CHECK(w.poll() == "two");
    CHECK(w.poll() == "-");
    test::advance(50ms);
    CHECK(w.poll() == "one");
    CHECK(w.poll() == "end");
  });
}

TEST_CASE("either of two entries comes first when it is reset to an earlier time") {
  for (const bool first : {true, false}) {
    on_paused_clock([first](waiting_queue& w, eddy::instant now) {
      const auto one = w.q.insert_at("one", now + 200ms);
      const auto two = w.q.insert_at("two", now + 250ms);
      CHECK(w.poll() == "-");
      w.q.reset_at(first ? one : two, now + 100ms);
      test::advance(100ms);
      CHECK(w.take_wakes() == 1);
      CHECK(w.poll() == (first ? "one" : "two"));
    });
  }
}

TEST_CASE("when the first entry is postponed, the second comes at its time") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    const auto one = w.q.insert_at("one", now + 200ms);
    w.q.insert_at("two", now + 250ms);
    CHECK(w.poll() == "-");
    w.q.reset_at(one, now + 300ms);
    test::advance(249ms);
    CHECK(w.take_wakes() == 0);
    test::advance(1ms);
    CHECK(w.take_wakes() == 1);
    CHECK(w.poll() == "two");
  });
}

TEST_CASE("inserting between polls of due entries loses nothing") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    for (const char* v : {"1", "2", "3"}) w.q.insert_at(v, now + 100ms);
    CHECK(w.poll() == "-");
    test::advance(100ms);
    CHECK(w.take_wakes() == 1);
    for (const char* v : {"1", "2", "3"}) {
      CHECK(w.poll() == v);
      w.q.insert_at("foo", now + 500ms);
    }
    CHECK(w.poll() == "-");
    CHECK(w.q.size() == 3);
  });
}

TEST_CASE("an entry reset in the middle of its delay wakes once, at its new time") {
  for (const auto was : {100ms, 200ms}) {
    on_paused_clock([was](waiting_queue& w, eddy::instant now) {
      const auto foo = w.q.insert_at("foo", now + was);
      CHECK(w.poll() == "-");
      test::advance(80ms);
      w.q.reset_at(foo, now + 120ms);
      test::advance(39ms);
      CHECK(w.take_wakes() == 0);
      test::advance(1ms);
      CHECK(w.take_wakes() == 1);
      CHECK(w.poll() == "foo");
    });
  }
}

TEST_CASE("shrink_to_fit frees the memory of expired and removed entries") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    w.q.insert_at("foo1", now + 10ms);
    w.q.insert_at("foo2", now + 10ms);
    test::advance(10ms);
    CHECK(w.poll() == "foo1");
    CHECK(w.poll() == "foo2");
    w.q.shrink_to_fit();
    CHECK(w.q.size() == 0);
    CHECK(w.q.capacity() == 0);
    const auto a = w.q.insert_at("a", now + 10ms);
    const auto b = w.q.insert_at("b", now + 10ms);
    w.q.remove(a);
    w.q.remove(b);
    w.q.shrink_to_fit();
    CHECK(w.q.size() == 0);
    CHECK(w.q.capacity() == 0);
  });
}

TEST_CASE("after shrink_to_fit keys stay valid and new entries come in order") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    w.q.insert_at("foo1", now + 10ms);
    w.q.insert_at("foo2", now + 10ms);
    w.q.insert_at("foo3", now + 20ms);
    const auto key4 = w.q.insert_at("foo4", now + 20ms);
    test::advance(10ms);
    CHECK(w.poll() == "foo1");
    CHECK(w.poll() == "foo2");
    w.q.shrink_to_fit();
    w.q.insert_at("foo5", now + 20ms);
    const auto key6 = w.q.insert_at("foo6", now + 20ms);
    w.q.reset_at(key4, now + 30ms);
    w.q.reset_at(key6, now + 30ms);
    CHECK(w.poll() == "-");
    test::advance(10ms);
    CHECK(w.poll() == "foo3");
    CHECK(w.poll() == "foo5");
    CHECK(w.poll() == "-");
    test::advance(10ms);
    CHECK(w.poll() == "foo4");
    CHECK(w.poll() == "foo6");
    CHECK(w.poll() == "end");
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("after shrink_to_fit the key of a removed entry is still misuse") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    const auto foo = w.q.insert_at("foo", now + 10ms);
    w.q.insert_at("bar", now + 20ms);
    w.q.remove(foo);
    w.q.shrink_to_fit();
    CHECK_THROWS_AS(w.q.remove(foo), std::logic_error);
    const auto again = w.q.insert_at("again", now + 10ms);
    test::advance(10ms);
    CHECK(w.poll() == "again");
    w.q.shrink_to_fit();
    CHECK_THROWS_AS(w.q.remove(again), std::logic_error);
  });
}
#endif

TEST_CASE("a queue that has been in use for years takes new entries") {
  on_paused_clock([](waiting_queue& w, eddy::instant) {
    for (int i = 0; i < 2; ++i) {
      test::advance(std::chrono::milliseconds(std::int64_t{1} << 35));
      w.q.insert("0", 0s);
      CHECK(w.poll() == "0");
    }
    w.q.insert("1", 1ms);
    CHECK(w.poll() == "-");
    test::advance(1ms);
    CHECK(w.poll() == "1");
  });
}

TEST_CASE("peek returns the key of the first entry and changes nothing") {
  on_paused_clock([](waiting_queue& w, eddy::instant now) {
    const auto foo = w.q.insert_at("foo", now + 5ms);
    const auto bar = w.q.insert_at("bar", now);
    const auto baz = w.q.insert_at("baz", now + 10ms);
    CHECK(w.q.peek() == bar);
    test::advance(6ms);
    CHECK(w.q.peek() == bar);
    CHECK(w.poll() == "bar");
    CHECK(w.q.peek() == foo);
    CHECK(w.poll() == "foo");
    CHECK(w.q.peek() == baz);
    CHECK(w.poll() == "-");
    test::advance(5ms);
    CHECK(w.q.peek() == baz);
    CHECK(w.poll() == "baz");
    CHECK_FALSE(w.q.peek().has_value());
  });
}

TEST_CASE("clear wakes the waiting task for the end") {
  on_paused_clock([](waiting_queue& w, eddy::instant) {
    w.q.insert("foo", 1s);
    CHECK(w.poll() == "-");
    CHECK(w.take_wakes() == 0);
    w.q.clear();
    CHECK(w.take_wakes() == 1);
    CHECK(w.poll() == "end");
  });
}

}  // namespace
