#include <eddy/combine/select.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

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

future<int> waits(test::gate& g, note, int value = 5) {
  note local("local");
  co_await g.wait();
  co_return value;
}
future<int> counted(int& polls, int value) {
  ++polls;
  co_return value;
}

// ---- ready, later, dropped

TEST_CASE("ready at once: the first that is ready wins, and no other is asked") {
  const test::leak_check leaks;
  test::mock_task task;
  int before = 0;
  int behind = 0;
  test::gate shut;
  auto s = eddy::select(eddy::biased, shut.wait(), counted(before, 1), counted(behind, 2));
  auto r = task.poll(s);
  REQUIRE(r.is_ready());
  CHECK((*r)->index() == 1);
  CHECK((*r)->get<1>() == 1);
  CHECK(before == 1);
  CHECK(behind == 0);
}

TEST_CASE("ready later: any branch's wake is enough, and the losers are gone with the answer") {
  const test::leak_check leaks;
  for (int winner = 0; winner < 3; ++winner) {
    test::take_trace();
    test::mock_task task;
    test::gate gates[3];
    {
      auto s =
          eddy::select(waits(gates[0], note("a")), gates[1].wait(), waits(gates[2], note("c")));
      CHECK_FALSE(task.poll(s).is_ready());
      CHECK(task.take_wakes() == 0);
      gates[winner].open();
      CHECK(task.take_wakes() == 1);
      auto r = task.poll(s);
      REQUIRE(r.is_ready());
      CHECK((*r)->index() == static_cast<std::size_t>(winner));
      for (const auto& g : gates) CHECK(g.waiting() == 0);
      CHECK(test::take_trace() == (winner == 2 ? "~local ~c ~local ~a " : "~local ~a ~local ~c "));
    }
    CHECK(task.references() == 0);
  }
}

TEST_CASE("dropped while waiting, or before its first poll: every branch is gone") {
  const test::leak_check leaks;
  const auto live = note::live();
  test::mock_task task;
  test::gate a;
  test::gate b;
  {
    auto s = eddy::select(waits(a, note("a")), b.wait());
    auto unstarted = eddy::select(waits(a, note("a")), b.wait());
    CHECK_FALSE(task.poll(s).is_ready());
    CHECK(a.waiting() + b.waiting() == 2);
  }
  CHECK(a.waiting() + b.waiting() == 0);
  CHECK(note::live() == live);
  CHECK(task.references() == 0);
  a.open();
  CHECK_FALSE(task.is_woken());
  test::take_trace();
}

TEST_CASE("a select is moved until its first poll") {
  const test::leak_check leaks;
  test::mock_task task;
  int polls = 0;
  auto made = eddy::select(counted(polls, 3));
  auto moved = std::move(made);
  CHECK(task.poll(moved).take()->get<0>() == 3);
}

TEST_CASE("polled after its end it says misuse") {
  const test::leak_check leaks;
  test::mock_task task;
  auto s = eddy::select(test::pass(0));
  CHECK(task.poll(s)->has_value());
  CHECK(task.poll(s)->error() == errc::misuse);
}

// ---- by lvalue

TEST_CASE("what is lent by lvalue stays as it is, and goes on in the next round") {
  const test::leak_check leaks;
  test::take_trace();
  auto rt = eddy::runtime::builder().start_paused().build();
  test::gate g;
  rt.block_on([](test::gate& on) -> future<> {
    auto work = eddy::pin(waits(on, note("arg")));
    auto own = on.wait();
    for (int round = 0; round < 3; ++round) {
      auto r = co_await eddy::select(work, own, eddy::sleep(1s));
      CHECK(r.index() == 2);
      CHECK(on.waiting() == 2);
      CHECK_FALSE(work.done());
    }
    CHECK(test::trace().empty());
    on.open();
    auto r = co_await eddy::select(eddy::biased, work, own, eddy::sleep(1s));
    CHECK(r.index() == 0);
    CHECK(work.done());
    auto rest = co_await eddy::select(eddy::when(!work.done(), work), own);
    CHECK(rest.index() == 1);
    auto again = co_await eddy::attempt(eddy::select(eddy::biased, work, own));
    CHECK(again.error() == errc::misuse);
  }(g));
  test::take_trace();
}

// ---- when, some, otherwise

TEST_CASE("a disabled branch is not polled, and destroyed with the others") {
  const test::leak_check leaks;
  const auto live = note::live();
  test::mock_task task;
  test::gate shut;
  test::gate g;
  {
    auto s = eddy::select(eddy::when(false, waits(shut, note("off"))), eddy::when(true, g.wait()));
    CHECK_FALSE(task.poll(s).is_ready());
    CHECK(shut.polls() == 0);
    CHECK(note::live() == live + 1);
    g.open();
    CHECK(task.poll(s).take()->index() == 1);
    CHECK(note::live() == live);
  }
  test::take_trace();
}

TEST_CASE("all disabled: otherwise, or misuse without one") {
  const test::leak_check leaks;
  test::mock_task task;
  test::gate g;
  g.open();
  auto with = eddy::select(eddy::when(false, g.wait()), eddy::otherwise(std::string("none")));
  auto r = task.poll(with);
  REQUIRE(r.is_ready());
  CHECK((*r)->index() == 1);
  CHECK((*r)->get<1>() == "none");
  auto without = eddy::select(eddy::when(false, g.wait()));
  CHECK(task.poll(without)->error() == errc::misuse);
  auto enabled = eddy::select(g.wait(), eddy::otherwise(std::make_unique<int>(1)));
  CHECK(task.poll(enabled).take()->index() == 0);
  CHECK(g.polls() == 1);
}

TEST_CASE("some takes the value out of an optional, and drops out when there is none") {
  const test::leak_check leaks;
  using number = std::optional<int>;
  test::mock_task task;
  test::gate g;
  auto full = eddy::select(eddy::some(test::after<number>(0, 4)), g.wait());
  auto r = task.poll(full);
  static_assert(std::is_same_v<decltype((*r)->get<0>()), int&>);
  CHECK((*r)->get<0>() == 4);

  int asked = 0;
  auto once = eddy::poll_fn([&](eddy::context&) -> eddy::polled<number> {
    ++asked;
    return number();
  });
  auto empty = eddy::select(eddy::some(once), g.wait(), eddy::otherwise(0));
  CHECK_FALSE(task.poll(empty).is_ready());
  CHECK_FALSE(task.poll(empty).is_ready());
  CHECK(asked == 1);
  g.open();
  CHECK(task.poll(empty).take()->index() == 1);
  auto none = eddy::select(eddy::some(test::after<number>(0, number())),
                           eddy::when(false, eddy::some(test::after<number>(0, 1))),
                           eddy::when(true, eddy::some(test::after<number>(0, number()))),
                           eddy::otherwise(7));
  CHECK(task.poll(none).take()->get<3>() == 7);
}

// ---- the result

TEST_CASE("the result: index, get, get_if and visit, for values, references and nothing") {
  const test::leak_check leaks;
  test::mock_task task;
  int n = 1;
  test::gate shut;
  auto reference = [](int& v) -> future<int&> { co_return v; };
  auto s = eddy::select(shut.wait(), reference(n), test::after<std::unique_ptr<int>>(9, nullptr));
  auto p = task.poll(s);
  auto& r = **p;
  CHECK(r.index() == 1);
  static_assert(std::is_same_v<decltype(r.get<0>()), void>);
  static_assert(std::is_same_v<decltype(r.get<1>()), int&>);
  static_assert(std::is_same_v<decltype(std::move(r).get<1>()), int&>);
  static_assert(std::is_same_v<decltype(r.get<2>()), std::unique_ptr<int>&>);
  static_assert(std::is_same_v<decltype(std::move(r).get<2>()), std::unique_ptr<int>>);
  static_assert(std::is_same_v<decltype(std::as_const(r).get<2>()), const std::unique_ptr<int>&>);
  CHECK(&r.get<1>() == &n);
  CHECK(r.get_if<1>() == &n);
  CHECK(std::as_const(r).get_if<1>() == &n);
  CHECK(r.get_if<2>() == nullptr);
  CHECK(r.visit([] { return 0; }, [](int& v) { return v; },
                [](std::unique_ptr<int>&) { return 2; }) == 1);
  CHECK(std::as_const(r).visit([] { return 0; }, [](int& v) { return v; },
                               [](const std::unique_ptr<int>&) { return 2; }) == 1);

  auto owner =
      eddy::select(test::after<std::unique_ptr<int>>(0, std::make_unique<int>(4)), shut.wait());
  auto q = task.poll(owner);
  CHECK(**(*q)->get_if<0>() == 4);
  auto out = std::move(**q).visit([](std::unique_ptr<int> v) { return v; },
                                  [] { return std::unique_ptr<int>(); });
  CHECK(*out == 4);

  auto none = eddy::select(shut.wait(), test::pass(0));
  auto v = task.poll(none);
  (*v)->get<1>();
  bool called = false;
  std::move(**v).visit([] {}, [&] { called = true; });
  CHECK(called);
}

class unborn {  // no default constructor, not copied
 public:
  explicit unborn(int v) : value(v) {}
  unborn(unborn&&) = default;
  int value;
};
struct plain {
  int a;
  std::string b;
};

TEST_CASE("results of any kind: aggregates, results, what has no default") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    // lint-ok: the aggregate is made in the inner coroutine
    auto a = co_await eddy::select([]() -> future<plain> { co_return {1, "one"}; }());
    auto [number, text] = std::move(a).get<0>();
    CHECK(number == 1);
    CHECK(text == "one");
    auto b = co_await eddy::select([]() -> future<unborn> { co_return unborn(2); }());
    CHECK(b.get<0>().value == 2);
    auto failed = eddy::error(errc::closed, "inner");
    auto c = co_await eddy::select(
        [](eddy::error e) -> future<eddy::result<int>> { co_return e; }(failed));
    CHECK(c.get<0>().error() == errc::closed);
  });
}

// ---- failure

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
class fails {
 public:
  static eddy::polled<eddy::result<int>> poll(eddy::context&) noexcept {
    return eddy::error(errc::closed, "leaf");
  }
};

TEST_CASE("a winner that failed is a failure of the select, and its losers are destroyed first") {
  const test::leak_check leaks;
  test::take_trace();
  test::mock_task task;
  test::gate g;
  auto s = eddy::select(eddy::biased, waits(g, note("loser")), fails());
  auto r = task.poll(s);
  REQUIRE(r.is_ready());
  CHECK(r->error() == errc::closed);
  CHECK(test::take_trace() == "~local ~loser ");
}

TEST_CASE("attempted, a branch with an error type of its own keeps it") {
  const test::leak_check leaks;
  test::mock_task task;
  test::gate g;
  auto s = eddy::select(g.wait(), eddy::attempt(fails_in_its_own_way()));
  auto r = task.poll(s);
  REQUIRE(r.is_ready());
  REQUIRE(r->has_value());
  CHECK(*(*r)->get<1>().error().value == 8);
}

#if EDDY_EXCEPTIONS
TEST_CASE("awaited, what a branch threw, or its own error, comes out as it is") {
  const test::leak_check leaks;
  test::gate g;
  eddy::runtime rt;
  rt.block_on([](test::gate& on) -> future<> {
    std::string what;
    try {
      co_await eddy::select(waits(on, note("loser")), []() -> future<> {
        co_await eddy::yield_now();
        throw std::runtime_error("body");
      }());
    } catch (const std::runtime_error& e) {
      what = e.what();
    }
    CHECK(what == "body");
    CHECK(on.waiting() == 0);
    int value = 0;
    try {
      co_await eddy::select(waits(on, note("loser")), fails_in_its_own_way());
    } catch (const own_error& e) {
      value = *e.value;
    }
    CHECK(value == 8);
  }(g));
  test::take_trace();
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
    auto s = eddy::select(make(moves), eddy::otherwise(bad_mover(20)));
    auto r = task.poll(s);
    REQUIRE(r.is_ready());
    ++(r->has_value() ? whole : failed);
  }
  CHECK(whole > 0);
  CHECK(failed > 0);
}

TEST_CASE("get of a branch that did not win is misuse, and so is an empty future") {
  const test::leak_check leaks;
  test::mock_task task;
  auto s = eddy::select(test::pass(0), test::after<int>(0, 1));
  auto r = task.poll(s);
  CHECK_THROWS_AS((*r)->get<1>(), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(eddy::select(future<int>())), std::logic_error);
}
#endif

// ---- order

template <class Make>
std::vector<int> wins(int rounds, Make make, std::uint64_t seed = 7) {
  auto rt = eddy::runtime::builder().rng_seed(seed).build();
  return rt.block_on([](int n, Make m) -> future<std::vector<int>> {
    std::vector<int> won(8);
    for (int i = 0; i < n; ++i) {
      auto r = co_await m();
      ++won[r.index()];
    }
    co_return won;
  }(rounds, std::move(make)));
}

TEST_CASE("two that are always ready each win about half of the rounds, whatever else is asked") {
  const test::leak_check leaks;
  test::gate shut;
  const auto fair = [](int won) { return won > 4000 && won < 6000; };
  const auto two = wins(10'000, [] { return eddy::select(test::pass(0), test::pass(0)); });
  CHECK(fair(two[0]));
  CHECK(fair(two[1]));
  const auto five = wins(10'000, [&] {
    return eddy::select(shut.wait(), shut.wait(), test::pass(0), eddy::when(false, test::pass(0)),
                        test::pass(0), eddy::otherwise(0));
  });
  CHECK(fair(five[2]));
  CHECK(fair(five[4]));
  CHECK(five[2] + five[4] == 10'000);
  const auto neighbours = wins(10'000, [&] {
    return eddy::select(test::pass(0), test::pass(0), shut.wait(), shut.wait(), shut.wait(),
                        shut.wait());
  });
  CHECK(fair(neighbours[0]));
  CHECK(fair(neighbours[1]));
}

TEST_CASE("biased: the first that is ready wins every round") {
  const test::leak_check leaks;
  test::gate shut;
  const auto won = wins(10'000, [&] {
    return eddy::select(eddy::biased, shut.wait(), test::pass(0), test::pass(0));
  });
  CHECK(won[1] == 10'000);
}

TEST_CASE("the order is the runtime's seeded generator's") {
  const auto three = [] { return eddy::select(test::pass(0), test::pass(0), test::pass(0)); };
  CHECK(wins(1000, three, 1) == wins(1000, three, 1));
  CHECK(wins(1000, three, 1) != wins(1000, three, 2));
}

TEST_CASE("each of many that are always ready gets its turn") {
  const auto won = wins(800, [] {
    return eddy::select(test::pass(0), test::pass(0), test::pass(0), test::pass(0), test::pass(0),
                        test::pass(0), test::pass(0), test::pass(0));
  });
  for (const int n : won) CHECK(n > 50);
}

// ---- dropped at every cut point

future<> scenario() {
  auto slow = eddy::pin([](note) -> future<int> {
    co_await eddy::sleep(10s);
    co_return 1;
  }(note("pinned")));
  for (bool more = true; more;) {
    auto r = co_await eddy::select(
        slow,
        [](note) -> future<int> {
          note local("local");
          co_await eddy::yield_now();
          co_await eddy::select(eddy::sleep(1h),
                                [](note) -> future<> { co_await eddy::sleep(3s); }(note("inner")));
          co_return 2;
        }(note("arg")),
        eddy::when(false, eddy::sleep(1s)), eddy::sleep(1h));
    more = r.index() != 0;
  }
}

TEST_CASE("dropped at every cut point") {
  const auto live = note::live();
  CHECK(test::cut_points(scenario) >= 8);
  CHECK(note::live() == live);
  test::take_trace();
}

}  // namespace
