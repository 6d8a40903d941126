#include <eddy/core/or_return.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <eddy/core/attempt.hpp>
#include <eddy/core/pin.hpp>
#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using eddy::errc;
using eddy::error;
using eddy::future;
using eddy::or_return;
using eddy::result;
using test::note;
using test::say;

template <class T>
T finish(future<T> f) {
  test::mock_task task;
  auto p = eddy::pin(std::move(f));
  for (;;) {
    auto r = task.poll(p);
    if (r) {
      say("ended");
      return *std::move(*r);
    }
    REQUIRE_MESSAGE(task.take_wakes() != 0, "it waits for nothing");
  }
}

/// Which operation fails, and how often each is pending.
struct plan {
  int fails = 0;
  int turns = 0;
};

class step {
 public:
  step(plan p, int number) noexcept : plan_(p), number_(number) {}
  eddy::polled<result<int>> poll(eddy::context& cx) noexcept {
    if (plan_.turns-- > 0) {
      cx.wake();
      return eddy::pending;
    }
    if (number_ == plan_.fails) return error(errc::closed, "step", std::to_string(number_));
    return number_;
  }

 private:
  plan plan_;
  int number_;
};

future<result<int>> read_one(note, plan p, int number) {
  note local("read" + std::to_string(number));
  const int v = co_await or_return(step(p, number));
  say("got" + std::to_string(v));
  co_return v;
}
future<result<long>> read_three(note, plan p) {
  note outer("outer");
  long sum = 0;
  {
    note inner("inner");
    sum += co_await or_return(read_one(note("arg1"), p, 1));
    say("one");
  }
  note late("late");
  sum += co_await or_return(read_one(note("arg2"), p, 2));
  sum += co_await or_return(step(p, 3));
  say("three");
  co_return sum;
}
future<result<std::string>> report(plan p) {
  note n("report");
  auto r = co_await read_three(note("arg"), p);
  say(r ? "sum" + std::to_string(*r) : "error" + std::string(r.error().detail()));
  if (!r) co_return std::move(r).error();
  co_return std::to_string(*r);
}

TEST_CASE("all goes well: the values come through") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) {
    test::take_trace();
    auto r = finish(report(plan{0, turns}));
    CHECK(*r == "6");
    CHECK(test::take_trace() ==
          "got1 ~read1 ~arg1 one ~inner got2 ~read2 ~arg2 three ~late ~outer ~arg sum6 ~report "
          "ended ");
  }
}

TEST_CASE("a failure ends every level as co_return would, before the awaiting one goes on") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) {
    CAPTURE(turns);
    test::take_trace();
    CHECK(finish(report(plan{1, turns})).error().detail() == "1");
    CHECK(test::take_trace() == "~read1 ~arg1 ~inner ~outer ~arg error1 ~report ended ");
    CHECK(finish(report(plan{2, turns})).error().detail() == "2");
    CHECK(test::take_trace() ==
          "got1 ~read1 ~arg1 one ~inner ~read2 ~arg2 ~late ~outer ~arg error2 ~report ended ");
    CHECK(finish(report(plan{3, turns})).error().detail() == "3");
    CHECK(test::take_trace() ==
          "got1 ~read1 ~arg1 one ~inner got2 ~read2 ~arg2 ~late ~outer ~arg error3 ~report ended ");
  }
}

TEST_CASE("dropped at every cut point, whichever step would fail") {
  for (int fails = 0; fails <= 3; ++fails) {
    for (int cut = 0; cut < 8; ++cut) {
      CAPTURE(fails);
      CAPTURE(cut);
      const test::leak_check leaks;
      const auto before = note::live();
      {
        test::mock_task task;
        auto p = eddy::pin(report(plan{fails, 2}));
        for (int i = 0; i < cut; ++i)
          if (task.poll(p)) break;
      }
      REQUIRE(note::live() == before);
    }
  }
  test::take_trace();
}

future<result<std::unique_ptr<int>>> converts(plan p) {
  note n("converts");
  const int v = co_await or_return(read_one(note("arg"), p, 1));
  co_return std::make_unique<int>(v);
}

TEST_CASE("the root of a pinned, and of an attempt") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) {
    test::take_trace();
    CHECK(finish(converts(plan{1, turns})).error() == errc::closed);
    CHECK(test::take_trace() == "~read1 ~arg ~converts ended ");
    CHECK(**finish(converts(plan{0, turns})) == 1);
    CHECK(test::take_trace() == "got1 ~read1 ~arg ~converts ended ");
    auto attempted = [](plan p) -> future<result<std::unique_ptr<int>>> {
      auto r = co_await eddy::attempt(converts(p));
      say("attempted");
      co_return r;
    };
    CHECK(finish(attempted(plan{1, turns})).error() == errc::closed);
    CHECK(test::take_trace() == "~read1 ~arg ~converts attempted ended ");
  }
}

TEST_CASE("the root of a task: it ends at once, and the outcome is in its handle") {
  const test::leak_check leaks;
  test::take_trace();
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    for (int turns = 0; turns < 2; ++turns) {
      for (int fails = 0; fails < 2; ++fails) {
        auto h = eddy::spawn(converts(plan{fails, turns}));
        while (!h.is_finished()) co_await eddy::yield_now();
        CHECK(test::take_trace() ==
              (fails != 0 ? "~read1 ~arg ~converts " : "got1 ~read1 ~arg ~converts "));
        auto r = co_await h;
        CHECK(r.has_value() == (fails == 0));
        if (!r) CHECK(r.error() == errc::closed);
      }
    }
    auto detached = eddy::spawn(converts(plan{1, 1}));
    static_cast<void>(detached);
  });
  auto direct = rt.block_on(converts(plan{1, 1}));
  CHECK(direct.error() == errc::closed);
  test::take_trace();
}

future<result<int>> of_results(result<int> first, result<void> second) {
  note n("n");
  const int v = co_await or_return(std::move(first));
  say("first");
  co_await or_return(std::move(second));
  say("second");
  co_return v;
}

TEST_CASE("a plain result: its value, or the end") {
  const test::leak_check leaks;
  test::take_trace();
  CHECK(*finish(of_results(3, result<void>())) == 3);
  CHECK(test::take_trace() == "first second ~n ended ");
  CHECK(finish(of_results(error(errc::lagged, "r"), result<void>())).error() == errc::lagged);
  CHECK(test::take_trace() == "~n ended ");
  CHECK(finish(of_results(3, error(errc::aborted, "r"))).error() == errc::aborted);
  CHECK(test::take_trace() == "first ~n ended ");
}

future<result<int&>> reference(int& n) { co_return n; }
future<result<void>> increments(int& n) {
  int& r = co_await or_return(reference(n));
  ++r;
  co_return {};
}

TEST_CASE("references and void") {
  const test::leak_check leaks;
  int n = 1;
  CHECK(finish(increments(n)).has_value());
  CHECK(n == 2);
  test::take_trace();
}

future<result<int, std::string>> text_inner(bool good) {
  if (!good) co_return eddy::unexpected(std::string("bad"));
  co_return 1;
}
future<result<long, std::string>> text_outer(bool good) {
  const int v = co_await or_return(text_inner(good));
  co_return v;
}

TEST_CASE("an error type of one's own") {
  const test::leak_check leaks;
  CHECK(*finish(text_outer(true)) == 1);
  CHECK(finish(text_outer(false)).error() == "bad");
  test::take_trace();
}

future<int> plain(int turns) {
  co_await test::pass(turns);
  co_return 4;
}
future<result<int>> through_attempt(plan p) {
  const int a = co_await or_return(eddy::attempt(plain(p.turns)));
  const int b = co_await or_return(eddy::attempt(step(p, 1)));
  auto pinned = eddy::pin(plain(p.turns));
  const int c = co_await or_return(eddy::attempt(pinned));
  co_return a + b + c;
}

TEST_CASE("what was attempted is handed on") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) {
    CHECK(*finish(through_attempt(plan{0, turns})) == 9);
    CHECK(finish(through_attempt(plan{1, turns})).error() == errc::closed);
  }
  test::take_trace();
}

future<result<long>> deep(int level, plan p) {
  if (level == 0) {
    const int v = co_await or_return(step(p, 1));
    co_return v;
  }
  note n(level < 3 ? "level" + std::to_string(level) : "");
  const long below = co_await or_return(deep(level - 1, p));
  co_return below + 1;
}

TEST_CASE("a hundred thousand levels") {
  const test::leak_check leaks;
  const auto before = note::live();
  for (int turns = 0; turns < 2; ++turns) {
    test::take_trace();
    CHECK(*finish(deep(100'000, plan{0, turns})) == 100'001);
    CHECK(test::take_trace() == "~level1 ~level2 ended ");
    CHECK(finish(deep(100'000, plan{1, turns})).error() == errc::closed);
    CHECK(test::take_trace() == "~level1 ~level2 ended ");
  }
  CHECK(note::live() == before);
}

future<result<int>> mixed(plan p) {
  // Handed on, looked at, handed on again.
  auto r = co_await converts(p);
  say("looked");
  const auto v = co_await or_return(std::move(r));
  co_return *v;
}
future<result<int>> mixed_outer(plan p) {
  const int v = co_await or_return(mixed(p));
  co_return v;
}

TEST_CASE("a level that looks at the error stops the hand-over, and may go on with it") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) {
    test::take_trace();
    CHECK(finish(mixed_outer(plan{1, turns})).error() == errc::closed);
    CHECK(test::take_trace() == "~read1 ~arg ~converts looked ended ");
    CHECK(*finish(mixed_outer(plan{0, turns})) == 1);
  }
  test::take_trace();
}

future<result<int>> loops(plan p, int& rounds) {
  for (;;) {
    ++rounds;
    if (rounds == 1000) p.fails = 1;
    const int v = co_await or_return(read_one(note("arg"), p, 1));
    static_cast<void>(v);
  }
}

TEST_CASE("in a loop that ends by its error") {
  const test::leak_check leaks;
  int rounds = 0;
  CHECK(finish(loops(plan{0, 0}, rounds)).error() == errc::closed);
  CHECK(rounds == 1000);
  test::take_trace();
}

future<> in_task(plan p) {
  auto r = co_await read_three(note("arg"), p);
  static_cast<void>(r);
  co_await eddy::sleep(std::chrono::seconds(1));
}

TEST_CASE("a task is dropped at every cut point") {
  for (int fails = 0; fails <= 3; ++fails)
    CHECK(test::cut_points([&] { return in_task(plan{fails, 1}); }) >= 3);
  test::take_trace();
}

#if EDDY_EXCEPTIONS
future<result<int>> in_try(plan p) {
  note n("n");
  try {
    note inside("inside");
    const int v = co_await or_return(read_one(note("arg"), p, 1));
    co_return v;
  } catch (...) {
    say("caught");
    throw;
  }
}

TEST_CASE("it is a return, not a throw: catch blocks are not entered") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) {
    test::take_trace();
    CHECK(finish(in_try(plan{1, turns})).error() == errc::closed);
    CHECK(test::take_trace() == "~read1 ~arg ~inside ~n ended ");
  }
}

future<result<int>> throwing(int turns) {
  co_await test::pass(turns);
  throw std::runtime_error("body");
}
future<result<int>> hands_on_throw(int turns) {
  const int v = co_await or_return(throwing(turns));
  co_return v;
}
future<result<int>> catches_throw(int turns) {
  try {
    const int v = co_await or_return(hands_on_throw(turns));
    co_return v;
  } catch (const std::runtime_error& e) {
    co_return error(errc::misuse, "caught", e.what());
  }
}

TEST_CASE("what the awaited coroutine throws is thrown") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns)
    CHECK(finish(catches_throw(turns)).error().detail() == "body");
  test::take_trace();
}
#endif

}  // namespace
