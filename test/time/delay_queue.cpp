#include <eddy/time/delay_queue.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::clock;
using eddy::delay_key;
using eddy::delay_queue;
using eddy::errc;
using eddy::future;
using eddy::instant;

template <class F>
void on_paused_clock(F scenario) {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([&]() -> future<> {
    scenario();
    co_return;
  });
}

/// What a poll of next() has got: "-" while it waits, "end" of an empty queue, else the value.
template <class Polled>
std::string got(Polled p) {
  if (!p) return "-";
  auto r = p.take();
  if (!*r) return "end";
  return (*r)->value();
}
std::string next_now(delay_queue<std::string>& q) {
  test::mock_task task;
  auto next = q.next();
  return got(task.poll(next));
}

TEST_CASE("ready at once: what is due, in order of time and then of insertion, and then the end") {
  on_paused_clock([] {
    delay_queue<std::string> q;
    CHECK(next_now(q) == "end");
    q.insert("c", 0s);
    q.insert("d", -1h);
    q.insert_at("a", clock::now() - 2s);
    q.insert_at("b", clock::now() - 1s);
    q.insert_at("z", instant::min());
    CHECK(q.size() == 5);
    for (const char* expected : {"z", "a", "b", "c", "d", "end"}) CHECK(next_now(q) == expected);
    CHECK(q.empty());
  });
}

TEST_CASE("ready later: at its time, with one wake; the entry says when and which it was") {
  on_paused_clock([] {
    test::mock_task task;
    delay_queue<int> q;
    const auto due = clock::now() + 1s;
    const auto key = q.insert(5, 1s);
    CHECK(q.deadline(key) == due);
    auto next = q.next();
    CHECK_FALSE(task.poll(next).is_ready());
    test::advance(1s - 1ns);
    CHECK_FALSE(task.is_woken());
    test::advance(1ns);
    CHECK(task.take_wakes() == 1);
    auto p = task.poll(next);
    REQUIRE(p.is_ready());
    auto& e = ***p;
    CHECK(e.value() == 5);
    CHECK(e.deadline() == due);
    CHECK(e.key() == key);
    CHECK_FALSE(q.contains(key));
    CHECK(task.references() == 0);
  });
}

TEST_CASE("whatever happens to the first entry, who waits wakes at the right time and only then") {
  on_paused_clock([] {
    test::mock_task task;
    delay_queue<std::string> q;
    const auto start = clock::now();
    const auto a = q.insert("a", 10s);
    auto next = q.next();
    CHECK_FALSE(task.poll(next).is_ready());
    const auto b = q.insert("b", 5s);  // earlier than all
    q.insert("c", 20s);                // later
    q.reset_at(b, start + 15s);        // the first goes behind another
    test::advance(5s);
    CHECK_FALSE(task.is_woken());
    q.remove(a);  // the first goes
    test::advance(9s);
    CHECK_FALSE(task.is_woken());
    CHECK_FALSE(task.poll(next).is_ready());
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    CHECK(got(task.poll(next)) == "b");

    auto again = q.next();
    CHECK_FALSE(task.poll(again).is_ready());
    q.insert("over", -1s);
    CHECK(task.take_wakes() == 1);
    CHECK(got(task.poll(again)) == "over");
    auto last = q.next();
    CHECK_FALSE(task.poll(last).is_ready());
    q.clear();
    CHECK(task.take_wakes() == 1);
    CHECK(got(task.poll(last)) == "end");
  });
}

TEST_CASE("an entry that is put off after its wake is not early") {
  on_paused_clock([] {
    test::mock_task task;
    delay_queue<std::string> q;
    const auto key = q.insert("a", 1s);
    auto next = q.next();
    CHECK_FALSE(task.poll(next).is_ready());
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    q.reset(key, 1s);
    CHECK_FALSE(task.poll(next).is_ready());
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    CHECK(got(task.poll(next)) == "a");
  });
}

TEST_CASE("dropped while waiting: nothing is lost, nobody is woken") {
  on_paused_clock([] {
    test::mock_task task;
    delay_queue<std::string> q;
    q.insert("a", 1s);
    {
      auto next = q.next();
      CHECK_FALSE(task.poll(next).is_ready());
    }
    CHECK(test::here().timer_count() == 0);
    CHECK(task.references() == 0);
    q.insert("b", 1ms);
    test::advance(1s);
    CHECK(task.take_wakes() == 0);
    CHECK(next_now(q) == "b");
    CHECK(next_now(q) == "a");
  });
}

TEST_CASE("two who wait: each value goes to one of them") {
  on_paused_clock([] {
    test::mock_task one, two;
    delay_queue<std::string> q;
    q.insert("a", 1s);
    q.insert("b", 2s);
    auto first = q.next();
    auto second = q.next();
    CHECK_FALSE(one.poll(first).is_ready());
    CHECK_FALSE(two.poll(second).is_ready());
    test::advance(1s);
    CHECK(got(one.poll(first)) == "a");
    CHECK_FALSE(two.poll(second).is_ready());
    two.take_wakes();
    test::advance(1s);
    CHECK(two.take_wakes() == 1);
    CHECK(got(two.poll(second)) == "b");
  });
}

TEST_CASE("keys: none names another entry, of this queue or of another, ever") {
  on_paused_clock([] {
    delay_queue<std::string> q, other;
    CHECK_FALSE(q.contains(delay_key()));
    const auto a = q.insert("a", 1s);
    CHECK_FALSE(other.contains(a));
    const auto foreign = other.insert("x", 1s);
    CHECK_FALSE(q.contains(foreign));
    CHECK(q.peek() == a);
    CHECK(q.remove(a).value() == "a");
    CHECK_FALSE(q.try_remove(a).has_value());
    const auto b = q.insert("b", 2s);  // in the same slot
    CHECK(a != b);
    CHECK_FALSE(q.contains(a));
    q.remove(b);
    q.shrink_to_fit();
    CHECK_FALSE(q.contains(b));
    q.insert("c", 2s);
    CHECK_FALSE(q.contains(b));
    CHECK_FALSE(q.contains(a));
    q.clear();
    CHECK_FALSE(q.peek().has_value());
    q.insert("d", 2s);
    CHECK_FALSE(q.contains(a));
    CHECK(other.try_remove(foreign)->value() == "x");
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("a key without an entry is misuse") {
  on_paused_clock([] {
    delay_queue<int> q;
    const auto key = q.insert(1, 1s);
    q.remove(key);
    CHECK_THROWS_AS(q.remove(key), std::logic_error);
    CHECK_THROWS_AS(q.reset(key, 1s), std::logic_error);
    CHECK_THROWS_AS(q.deadline(key), std::logic_error);
    CHECK_THROWS_AS(q.remove(delay_key()), std::logic_error);
  });
}
#endif

TEST_CASE("moved: the entries go with their keys, who waits stays and looks again") {
  on_paused_clock([] {
    test::mock_task task;
    delay_queue<std::string> from, to;
    const auto a = from.insert("a", 1s);
    const auto old = to.insert("old", 1h);
    auto at_from = from.next();
    auto at_to = to.next();
    CHECK_FALSE(task.poll(at_from).is_ready());
    CHECK_FALSE(task.poll(at_to).is_ready());
    to = std::move(from);
    CHECK(to.contains(a));
    CHECK_FALSE(to.contains(old));
    CHECK(task.take_wakes() == 1);  // of the one that is empty now
    CHECK(got(task.poll(at_from)) == "end");
    test::advance(1s);
    CHECK(task.take_wakes() == 1);
    CHECK(got(task.poll(at_to)) == "a");
    delay_queue<std::string> third(std::move(to));
    CHECK(third.empty());
    from.insert("again", 0s);
    CHECK(next_now(from) == "again");
  });
}

TEST_CASE("a queue that goes before its next() takes nothing with it") {
  on_paused_clock([] {
    test::mock_task task;
    auto q = std::make_unique<delay_queue<int>>();
    q->insert(1, 1s);
    auto next = q->next();
    CHECK_FALSE(task.poll(next).is_ready());
    q.reset();
    CHECK(task.poll(next).take().error() == errc::misuse);
  });
}

/// Move-only, without a default.
struct token {
  explicit token(int n) : value(std::make_unique<int>(n)) {}
  std::unique_ptr<int> value;
};

TEST_CASE("move-only values without a default constructor") {
  on_paused_clock([] {
    delay_queue<token> q;
    const auto key = q.insert(token(1), 1s);
    for (int i = 2; i < 100; ++i) q.insert(token(i), 2s);
    auto e = q.remove(key);
    token t = std::move(e).value();
    CHECK(*t.value == 1);
    test::advance(2s);
    test::mock_task task;
    auto next = q.next();
    auto p = task.poll(next);
    CHECK(*(**p)->value().value == 2);
  });
}

#if EDDY_EXCEPTIONS
/// Counts down the moves that go well.
struct bomb {
  explicit bomb(int& moves, int n) : left(&moves), number(n) {}
  bomb(bomb&& other) : left(other.left), number(other.number) {
    if (--*left < 0) throw std::runtime_error("moved");
  }
  int* left;
  int number;
};

TEST_CASE("a value whose move throws is lost, and the others are not") {
  on_paused_clock([] {
    test::mock_task task;
    int moves = 1000;
    delay_queue<bomb> q;
    for (int i = 0; i < 20; ++i) q.insert(bomb(moves, i), 1s);
    moves = 0;
    CHECK_THROWS_AS(q.insert(bomb(moves, 20), 1s), std::runtime_error);
    CHECK(q.size() == 20);
    test::advance(1s);
    auto next = q.next();
    auto failed = task.poll(next);
    REQUIRE(failed.is_ready());
    CHECK_FALSE(failed->has_value());
    CHECK(q.size() == 19);
    CHECK_THROWS_AS(q.remove(*q.peek()), std::runtime_error);
    CHECK(q.size() == 18);
    moves = 1000;
    for (int i = 2; i < 20; ++i) {
      auto e = q.remove(*q.peek());
      CHECK(e.value().number == i);
    }
  });
}
#endif

TEST_CASE("a value's destructor may use the queue that is being cleared") {
  on_paused_clock([] {
    struct again {
      delay_queue<again>* q;
      bool armed;
      again(delay_queue<again>* queue, bool a) : q(queue), armed(a) {}
      again(again&& other) noexcept : q(other.q), armed(std::exchange(other.armed, false)) {}
      ~again() {
        if (armed) q->insert(again(q, false), 1s);
      }
    };
    delay_queue<again> q;
    for (int i = 0; i < 3; ++i) q.insert(again(&q, true), 1h);
    q.clear();
    CHECK(q.size() == 3);
  });
}

TEST_CASE("memory: reserved, kept below an entry, given back") {
  on_paused_clock([] {
    delay_queue<int> q;
    CHECK(q.capacity() == 0);
    q.reserve(100);
    CHECK(q.capacity() >= 100);
    const auto low = q.insert(1, 1s);
    std::vector<delay_key> keys;
    for (int i = 0; i < 50; ++i) keys.push_back(q.insert(i, 2s));
    for (const auto k : keys) q.remove(k);
    q.shrink_to_fit();
    CHECK(q.capacity() == 1);
    CHECK(q.remove(low).value() == 1);
    q.shrink_to_fit();
    CHECK(q.capacity() == 0);
    q.insert(2, 1s);
    CHECK(q.size() == 1);
  });
}

// The model is a map from (deadline, order of insertion or reset) to the value.
TEST_CASE("random programs agree with a sorted map") {
  on_paused_clock([] {
    for (unsigned seed = 1; seed <= 6; ++seed) {
      CAPTURE(seed);
      std::mt19937_64 random(seed);
      delay_queue<int> q;
      using place = std::pair<instant, int>;
      std::map<place, std::pair<int, delay_key>> model;
      int number = 0;
      const auto soon = [&] {
        return clock::now() + eddy::duration(static_cast<int>(random() % 2000) - 100);
      };
      const auto some = [&] {
        return std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
      };
      test::mock_task task;
      auto next = std::make_unique<decltype(q.next())>(q.next());
      bool waits = false;    // a poll said pending
      bool was_due = false;  // since then
      const auto is_due = [&] {
        return model.empty() || model.begin()->first.first <= clock::now();
      };
      for (int step = 0; step < 3000; ++step) {
        const auto what = random() % 10;
        if (what < 4) {
          const auto t = soon();
          model[place(t, ++number)] = {step, q.insert_at(step, t)};
        } else if (what < 6 && !model.empty()) {
          const auto i = some();
          const auto t = soon();
          q.reset_at(i->second.second, t);
          model[place(t, ++number)] = i->second;
          model.erase(i);
        } else if (what == 6 && !model.empty()) {
          const auto i = some();
          REQUIRE(q.remove(i->second.second).value() == i->second.first);
          model.erase(i);
        } else if (what == 7) {
          test::advance(eddy::duration(static_cast<int>(random() % 500)));
        } else {
          const bool due = is_due();
          if (waits) REQUIRE((task.take_wakes() != 0) == was_due);
          auto p = task.poll(*next);
          REQUIRE(p.is_ready() == due);
          waits = !due;
          was_due = false;
          if (due) {
            REQUIRE((*p)->has_value() == !model.empty());
            if (!model.empty()) {
              REQUIRE((**p)->value() == model.begin()->second.first);
              model.erase(model.begin());
            }
            next = std::make_unique<decltype(q.next())>(q.next());
          }
        }
        was_due = was_due || is_due();
        REQUIRE(q.size() == model.size());
      }
    }
  });
}

future<> use_queue() {
  delay_queue<test::note> q;
  for (const auto d : {3ms, 1ms, 2ms}) q.insert(test::note("n"), d);
  auto adder = eddy::spawn([](delay_queue<test::note>& queue) -> future<> {
    co_await eddy::sleep(1500us);
    queue.insert(test::note("late"), 100us);
  }(q));
  int seen = 0;
  while (auto e = co_await q.next()) ++seen;
  CHECK(seen == 4);
  co_await adder;
}

TEST_CASE("dropped at every cut point") {
  CHECK(test::cut_points(use_queue) >= 6);
  CHECK(test::note::live() == 0);
  test::take_trace();
}

TEST_CASE("the budget: a queue full of due values lets others run") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    bool stop = false;
    auto busy = eddy::spawn([](const bool& s) -> future<> {
      delay_queue<int> q;
      while (!s) {
        q.insert(1, 0s);
        co_await q.next();
      }
    }(stop));
    co_await eddy::yield_now();
    stop = true;
    co_await busy;
  });
}

}  // namespace
