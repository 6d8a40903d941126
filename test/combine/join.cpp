#include <eddy/combine/join.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;
using test::note;

future<int> waits(test::gate& g, note, int value) {
  note local("local");
  co_await g.wait();
  co_return value;
}
class fails {
 public:
  explicit fails(errc why) : why_(why) {}
  eddy::polled<eddy::result<int>> poll(eddy::context&) noexcept {
    return eddy::error(why_, "leaf");
  }

 private:
  errc why_;
};

TEST_CASE("ready at once: all values, in the order of the arguments") {
  const test::leak_check leaks;
  test::mock_task task;
  auto j = eddy::join(test::after<int>(0, 1), test::pass(0), test::after<std::string>(0, "three"));
  auto r = task.poll(j);
  REQUIRE(r.is_ready());
  auto& [one, nothing, three] = **r;
  static_assert(std::is_same_v<decltype(nothing), eddy::unit>);
  CHECK(one == 1);
  CHECK(three == "three");
  CHECK(task.poll(j)->error() == errc::misuse);
}

TEST_CASE("ready later, in any order; what has ended is not polled again, and gone") {
  const test::leak_check leaks;
  test::take_trace();
  test::mock_task task;
  test::gate a;
  test::gate b;
  test::gate c;
  auto j = eddy::join(waits(a, note("a"), 1), b.wait(), waits(c, note("c"), 3));
  CHECK_FALSE(task.poll(j).is_ready());
  b.open();
  CHECK(task.take_wakes() == 1);
  CHECK_FALSE(task.poll(j).is_ready());
  CHECK(b.waiting() == 0);
  c.open();
  CHECK_FALSE(task.poll(j).is_ready());
  CHECK(test::take_trace() == "~local ~c ");
  CHECK(b.polls() == 2);
  a.open();
  CHECK(task.take_wakes() == 2);
  auto r = task.poll(j);
  REQUIRE(r.is_ready());
  CHECK((*r)->a == 1);
  CHECK((*r)->c == 3);
  CHECK(c.polls() == 3);
  test::take_trace();
}

TEST_CASE("dropped while waiting: every branch, and the values that have come, are gone") {
  const test::leak_check leaks;
  const auto live = note::live();
  test::mock_task task;
  test::gate a;
  {
    auto j = eddy::join(waits(a, note("a"), 1), test::after<note>(0, note("value")));
    auto unstarted = eddy::try_join(waits(a, note("a"), 1), a.wait());
    CHECK_FALSE(task.poll(j).is_ready());
  }
  CHECK(a.waiting() == 0);
  CHECK(note::live() == live);
  CHECK(task.references() == 0);
  test::take_trace();
}

TEST_CASE("join awaits all and reports the first failure") {
  const test::leak_check leaks;
  test::mock_task task;
  test::gate g;
  auto j = eddy::join(g.wait(), fails(errc::closed), fails(errc::aborted));
  CHECK_FALSE(task.poll(j).is_ready());
  CHECK(g.waiting() == 1);
  g.open();
  auto r = task.poll(j);
  REQUIRE(r.is_ready());
  CHECK(r->error() == errc::closed);
}

TEST_CASE("try_join ends with the first failure, and destroys the rest before it is seen") {
  const test::leak_check leaks;
  test::take_trace();
  test::mock_task task;
  test::gate g;
  int asked = 0;
  auto behind = eddy::poll_fn([&](eddy::context&) -> eddy::polled<> {
    ++asked;
    return eddy::ready;
  });
  auto j = eddy::try_join(waits(g, note("a"), 1), fails(errc::closed), behind);
  auto r = task.poll(j);
  REQUIRE(r.is_ready());
  CHECK(r->error() == errc::closed);
  CHECK(test::take_trace() == "~local ~a ");
  CHECK(g.waiting() == 0);
  CHECK(asked == 0);
}

TEST_CASE("attempted, each outcome is kept") {
  const test::leak_check leaks;
  test::mock_task task;
  auto j = eddy::join(eddy::attempt(fails(errc::closed)), eddy::attempt(test::after<int>(0, 2)));
  auto r = task.poll(j);
  REQUIRE(r.is_ready());
  CHECK((*r)->a.error() == errc::closed);
  CHECK(*(*r)->b == 2);
}

TEST_CASE("lent branches stay alive, whether it ends, fails or is dropped") {
  const test::leak_check leaks;
  test::mock_task task;
  test::gate g;
  auto work = eddy::pin(waits(g, note("work"), 1));
  auto own = g.wait();
  {
    auto failed = eddy::try_join(work, own, fails(errc::closed));
    CHECK(task.poll(failed)->error() == errc::closed);
    auto dropped = eddy::join(work, own);
    CHECK_FALSE(task.poll(dropped).is_ready());
  }
  CHECK(g.waiting() == 2);
  g.open();
  auto j = eddy::join(work, own);
  CHECK(task.poll(j).take()->a == 1);
  CHECK(work.done());
  CHECK(g.waiting() == 1);
  test::take_trace();
}

struct plain {
  int a;
  std::string b;
};
class unborn {
 public:
  explicit unborn(int v) : value(v) {}
  unborn(unborn&&) = default;
  int value;
};

TEST_CASE("results of any kind: references, move-only, aggregates, what has no default") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    int n = 0;
    auto [r, p, s, u, nothing] =
        co_await eddy::join([](int& v) -> future<int&> { co_return v; }(n),
                            []() -> future<std::unique_ptr<int>> {
                              co_await eddy::yield_now();
                              co_return std::make_unique<int>(2);
                            }(),
                            // lint-ok: the aggregate is made in the inner coroutine
                            []() -> future<plain> { co_return {3, "three"}; }(),
                            []() -> future<unborn> { co_return unborn(4); }(), eddy::yield_now());
    CHECK(&r == &n);
    CHECK(*p == 2);
    CHECK(s.a == 3);
    CHECK(s.b == "three");
    CHECK(u.value == 4);
    co_await eddy::join();
    auto [one] = co_await eddy::join(test::after<int>(1, 1));
    CHECK(one == 1);
  });
}

TEST_CASE("from 1 to 12 branches") {
  const test::leak_check leaks;
  test::mock_task task;
  const auto v = [](int i) { return test::after<int>(0, i); };
  auto j = eddy::join(v(0), v(1), v(2), v(3), v(4), v(5), v(6), v(7), v(8), v(9), v(10), v(11));
  auto r = task.poll(j).take();
  auto [a, b, c, d, e, f, g, h, i, k, l, m] = *r;
  CHECK(a + b + c + d + e + f + g + h + i + k + l + m == 66);
  CHECK(a == 0);
  CHECK(m == 11);
}

TEST_CASE("an always ready branch does not keep the others from their turn") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    // Each takes the whole budget of every poll, if it is asked first.
    const auto greedy = [](int& left) -> future<> {
      for (left = 1000; left != 0; --left)
        co_await eddy::poll_fn([](eddy::context& cx) -> eddy::polled<> {
          if (!cx.proceed()) return eddy::pending;
          return eddy::ready;
        });
    };
    int a = -1;
    int b = -1;
    const auto until_one_ends = [&](eddy::context&) -> eddy::polled<> {
      if (a == 0 || b == 0) CHECK((a < 300 && b < 300));
      return eddy::ready;
    };
    co_await eddy::join(greedy(a), greedy(b), eddy::poll_fn(until_one_ends));
  });
}

#if EDDY_EXCEPTIONS
future<int> throws(const char* what) {
  co_await eddy::yield_now();
  throw std::runtime_error(what);
}
class own_error {
 public:
  explicit own_error(std::unique_ptr<int> v) : value(std::move(v)) {}
  std::unique_ptr<int> value;
};
class fails_in_its_own_way {
 public:
  static eddy::polled<eddy::result<int, own_error>> poll(eddy::context&) noexcept {
    return eddy::unexpected(own_error(std::make_unique<int>(8)));
  }
};

TEST_CASE("awaited it throws what the first that failed threw") {
  const test::leak_check leaks;
  test::gate g;
  eddy::runtime rt;
  rt.block_on([](test::gate& on) -> future<> {
    std::string what;
    try {
      co_await eddy::join(throws("first"), eddy::sleep(1ms), throws("second"));
    } catch (const std::runtime_error& e) {
      what = e.what();
    }
    CHECK((what == "first" || what == "second"));
    try {
      co_await eddy::try_join(throws("tried"), on.wait());
    } catch (const std::runtime_error& e) {
      what = e.what();
    }
    CHECK(what == "tried");
    CHECK(on.waiting() == 0);
    int value = 0;
    try {
      co_await eddy::try_join(fails_in_its_own_way(), on.wait());
    } catch (const own_error& e) {
      value = *e.value;
    }
    CHECK(value == 8);
  }(g));
}

class bad_mover {
 public:
  explicit bad_mover(int left) : left_(left) {}
  bad_mover(bad_mover&& other) : left_(other.left_ - 1) {
    if (left_ < 0) throw std::runtime_error("move");
  }

 private:
  int left_;
};

TEST_CASE("a value whose move throws is a failure wherever that happens") {
  const test::leak_check leaks;
  test::mock_task task;
  int whole = 0;
  int failed = 0;
  for (int moves = 0; moves < 12; ++moves) {
    const auto make = [](int n) -> future<bad_mover> { co_return bad_mover(n); };
    auto j = eddy::join(make(moves), test::after<note>(0, note("other")));
    auto r = task.poll(j);
    REQUIRE(r.is_ready());
    ++(r->has_value() ? whole : failed);
  }
  CHECK(whole > 0);
  CHECK(failed > 0);
  test::take_trace();
}
#endif

future<> scenario() {
  const auto work = [](note, eddy::duration d) -> future<int> {
    note local("local");
    co_await eddy::sleep(d);
    co_await eddy::yield_now();
    co_return 1;
  };
  auto pinned = eddy::pin(work(note("pinned"), 5s));
  auto [a, b, c] = co_await eddy::join(
      work(note("a"), 1s), eddy::try_join(work(note("b"), 2s), eddy::sleep(1s)), pinned);
  auto failed = co_await eddy::attempt(
      eddy::try_join(work(note("d"), 1h), eddy::timeout(1s, work(note("e"), 2h))));
  CHECK(failed.error() == errc::elapsed);
  CHECK(a + b.a + c == 3);
}

TEST_CASE("dropped at every cut point") {
  const auto live = note::live();
  CHECK(test::cut_points(scenario) >= 8);
  CHECK(note::live() == live);
  test::take_trace();
}

}  // namespace
