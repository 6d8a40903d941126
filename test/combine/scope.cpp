#include <eddy/combine/scope.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/testing/cut_points.hpp>
#include <eddy/testing/doctest.hpp>
#include <eddy/testing/mock_task.hpp>

#include "support/leaves.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;
using eddy::task_scope;
using eddy::test::leak_check;
using eddy::test::mock_task;
using test::gate;
using test::note;

future<> add(int& to, int v, int turns) {
  for (int i = 0; i < turns; ++i) co_await eddy::yield_now();
  to += v;
}
future<> passes(gate& g, note = note("")) { co_await g.wait(); }

TEST_CASE("ready at once: a body without children") {
  const leak_check leaks;
  mock_task task;
  auto s = eddy::scope([](task_scope& in) -> future<int> {
    CHECK(in.size() == 0);
    co_return 3;
  });
  CHECK(*task.assert_ready(s) == 3);
  CHECK(task.assert_ready(s).error() == errc::misuse);
}

EDDY_TEST_CASE("children borrow the locals of who awaits, and all have ended when it goes on") {
  int sum = 0;
  std::vector<int> values = {1, 2, 3, 4};
  const auto text = co_await eddy::scope([&](task_scope& s) -> future<std::string> {
    int turns = 4;
    for (const int& v : values) s.spawn(add(sum, v, turns--));
    CHECK(s.size() == 4);
    CHECK(sum == 0);
    co_return "body";
  });
  CHECK(text == "body");
  CHECK(sum == 10);
}

EDDY_TEST_CASE("a callable and its arguments live as long as the child") {
  std::string log;
  co_await eddy::scope([&](task_scope& s) -> future<> {
    s.spawn(
        // lint-ok: no await stands around the call of spawn
        [&log, n = note("")](std::unique_ptr<int> p, std::string word) -> future<> {
          co_await eddy::yield_now();
          log += word + std::to_string(*p);
        },
        std::make_unique<int>(7), "seven ");
    co_return;
  });
  CHECK(log == "seven 7");
}

EDDY_TEST_CASE("children spawn children, also after the body has ended") {
  int sum = 0;
  class tree {
   public:
    static future<> grow(task_scope& s, int& n, int depth) {
      ++n;
      co_await eddy::yield_now();
      if (depth == 0) co_return;
      s.spawn(grow(s, n, depth - 1));
      s.spawn(grow(s, n, depth - 1));
    }
  };
  co_await eddy::scope([&](task_scope& s) -> future<> {
    s.spawn(tree::grow(s, sum, 6));
    co_return;
  });
  CHECK(sum == 127);
}

EDDY_TEST_CASE("results: move-only, and a reference") {
  auto p = co_await eddy::scope(
      [](task_scope& s, int v) -> future<std::unique_ptr<int>> {
        s.spawn([]() -> future<> { co_await eddy::yield_now(); });
        co_return std::make_unique<int>(v);
      },
      9);
  CHECK(*p == 9);
  int n = 0;
  int& same = co_await eddy::scope([&n](task_scope&) -> future<int&> { co_return n; });
  CHECK(&same == &n);
}

TEST_CASE("each is polled only when it was woken itself: the body and every child") {
  const leak_check leaks;
  mock_task task;
  std::deque<gate> gates(100);
  gate for_body;
  auto s = eddy::scope([&](task_scope& in) -> future<> {
    for (auto& g : gates) in.spawn(passes(g));
    co_await for_body.wait();
  });
  task.assert_pending(s);
  CHECK(task.take_wakes() == 1);  // for the children
  task.assert_pending(s);
  CHECK(for_body.polls() == 1);
  for (int i = 0; i < 10; ++i) {
    gates[42].wake();
    CHECK(task.take_wakes() == 1);
    task.assert_pending(s);
  }
  CHECK(for_body.polls() == 1);
  CHECK(gates[42].polls() == 11);
  for_body.open();
  task.assert_pending(s);
  CHECK(for_body.polls() == 2);
  int polls = 0;
  for (auto& g : gates) {
    g.open();
    polls += g.polls();
  }
  CHECK(polls == 110);
  CHECK(task.assert_ready(s).has_value());
}

TEST_CASE("dropped while waiting: children from the newest on, then the body, then the callable") {
  const leak_check leaks;
  test::take_trace();
  mock_task task;
  gate g;
  {
    auto s = eddy::scope([&g, held = note("callable")](task_scope& in) -> future<> {
      const note local("body");
      in.spawn(passes(g, note("first")));
      in.spawn(passes(g, note("second")));
      co_await g.wait();
    });
    task.assert_pending(s);
    task.assert_pending(s);
    CHECK(g.waiting() == 3);
  }
  CHECK(test::take_trace() == "~second ~first ~body ~callable ");
  CHECK(g.waiting() == 0);
  CHECK(task.references() == 0);
}

TEST_CASE("dropped before it has begun") {
  const leak_check leaks;
  int runs = 0;
  {
    auto s = eddy::scope([&runs](task_scope&) -> future<> {
      ++runs;
      co_return;
    });
    auto moved = std::move(s);
  }
  CHECK(runs == 0);
}

TEST_CASE("what a dropped child would still spawn is dropped") {
  const leak_check leaks;
  test::take_trace();
  mock_task task;
  gate g;
  class spawns_at_end {
   public:
    explicit spawns_at_end(task_scope& s) : in_(&s) {}
    ~spawns_at_end() {
      in_->spawn([](note) -> future<> {
        test::say("ran");
        co_return;
      }(note("late")));
    }

   private:
    task_scope* in_;
  };
  {
    auto s = eddy::scope([&g](task_scope& in) -> future<> {
      const spawns_at_end last(in);
      in.spawn([](task_scope& at, gate& on) -> future<> {
        const spawns_at_end mine(at);
        co_await on.wait();
      }(in, g));
      co_await g.wait();
    });
    task.assert_pending(s);
    task.assert_pending(s);
  }
  CHECK(test::take_trace() == "~late ~late ");
}

EDDY_TEST_CASE("a deadline destroys what has not ended") {
  int late = 0;
  auto r = co_await eddy::attempt(eddy::scope(1s, [&late](task_scope& s) -> future<> {
    s.spawn([&late]() -> future<> {
      co_await eddy::sleep(2s);
      ++late;
    });
    co_await eddy::sleep(500ms);
  }));
  CHECK(r.error() == errc::elapsed);
  auto in_time = co_await eddy::attempt(eddy::scope(3s, [&late](task_scope& s) -> future<int> {
    s.spawn([&late]() -> future<> {
      co_await eddy::sleep(2s);
      ++late;
    });
    co_return 1;
  }));
  CHECK(*in_time == 1);
  CHECK(late == 1);
}

future<> nested(std::string& log) {
  co_await eddy::scope([&log](task_scope& s) -> future<> {
    for (char c = 'a'; c < 'd'; ++c)
      s.spawn(
          [&log](char which) -> future<> {
            auto inner = eddy::scope(
                [&log](task_scope& in, char w) -> future<> {
                  in.spawn([](std::string& l, char x) -> future<> {
                    co_await eddy::sleep(std::chrono::seconds(x - 'a'));
                    l += x;
                  }(log, w));
                  co_await eddy::yield_now();
                },
                which);
            co_await inner;
          },
          c);
    co_await eddy::yield_now();
  });
}

EDDY_TEST_CASE("scopes nest") {
  std::string log;
  co_await nested(log);
  CHECK(log == "abc");
}

TEST_CASE("dropped at every cut point") {
  const auto before = note::live();
  const auto scenario = []() -> future<> {
    std::string log;
    co_await nested(log);
    auto r = co_await eddy::attempt(eddy::scope(1s, [](task_scope& s) -> future<> {
      s.spawn([](note) -> future<> { co_await eddy::sleep(3s); }(note("")));
      co_await eddy::sleep(2s);
    }));
    CHECK(r.error() == errc::elapsed);
  };
  CHECK(eddy::test::cut_points(scenario) > 6);
  CHECK(note::live() == before);
}

EDDY_TEST_CASE("a scope in a select: the loser's children are destroyed") {
  gate g;
  auto work = eddy::scope([&g](task_scope& s) -> future<> {
    s.spawn(passes(g));
    s.spawn(passes(g));
    co_await g.wait();
  });
  auto r = co_await eddy::select(eddy::sleep(1s), std::move(work));
  CHECK(r.index() == 0);
  CHECK(g.waiting() == 0);
}

#if EDDY_EXCEPTIONS
future<> fails(gate& g, const char* what) {
  co_await g.wait();
  throw std::runtime_error(what);
}

TEST_CASE("the first failure of a child destroys its siblings and the body") {
  const leak_check leaks;
  test::take_trace();
  mock_task task;
  gate shut, one, two;
  auto s = eddy::scope([&](task_scope& in) -> future<> {
    const note local("body");
    in.spawn(passes(shut, note("sibling")));
    in.spawn(fails(one, "one"));
    in.spawn(fails(two, "two"));
    co_await shut.wait();
  });
  task.assert_pending(s);
  task.assert_pending(s);
  two.open();
  one.open();
  auto r = task.assert_ready(s);
  CHECK(test::take_trace() == "~sibling ~body ");
  std::string what;
  try {
    std::move(r).value();
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
  CHECK(what == "two");
  CHECK(shut.waiting() == 0);
  CHECK(task.assert_ready(s).error() == errc::misuse);
}

TEST_CASE("a failure of the body destroys the children; so does one before it has begun") {
  const leak_check leaks;
  test::take_trace();
  mock_task task;
  gate shut, one;
  auto s = eddy::scope([&](task_scope& in) -> future<int> {
    in.spawn(passes(shut, note("child")));
    co_await one.wait();
    throw std::out_of_range("body");
  });
  task.assert_pending(s);
  task.assert_pending(s);
  one.open();
  auto r = task.assert_ready(s);
  CHECK_THROWS_AS(std::move(r).value(), std::out_of_range);
  CHECK(test::take_trace() == "~child ");

  auto never = eddy::scope([&](task_scope& in) -> future<> {
    in.spawn(passes(shut, note("child")));
    if (in.size() == 1) throw std::out_of_range("call");
    return passes(shut);
  });
  auto q = task.assert_ready(never);
  CHECK_THROWS_AS(std::move(q).value(), std::out_of_range);
  CHECK(test::take_trace() == "~child ");
}

EDDY_TEST_CASE("a child's failure comes out although the body has returned its value") {
  gate g;
  bool caught = false;
  auto work = eddy::scope([&g](task_scope& s) -> future<note> {
    s.spawn(fails(g, "late"));
    s.spawn([&g]() -> future<> {
      co_await eddy::sleep(1s);
      g.open();
    });
    co_return note("value");
  });
  try {
    co_await work;
  } catch (const std::runtime_error&) {
    caught = true;
  }
  CHECK(caught);
  test::take_trace();
}

EDDY_TEST_CASE("an empty future, and the coroutine of a temporary closure, are refused") {
  int n = 0;
  co_await eddy::scope([&n](task_scope& s) -> future<> {
    CHECK_THROWS_AS(s.spawn(future<>()), std::logic_error);
    CHECK_THROWS_AS(s.spawn([&n]() -> future<> {
      ++n;
      co_return;
    }()),
                    std::logic_error);
    CHECK(s.size() == 0);
    co_return;
  });
  CHECK(n == 0);
}
#endif

}  // namespace
