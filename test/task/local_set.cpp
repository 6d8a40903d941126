#include <eddy/task/local_set.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/base/rc.hpp>
#include <eddy/eddy.hpp>

#include "support/any_runtime.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::local_set;
using eddy::make_rc;
using eddy::rc;
using eddy::spawn_local;

/// With a paused clock, where there is one.
eddy::runtime paused() {
  eddy::runtime::builder b;
  if (!test::on_pool()) b.start_paused();
  return test::make_runtime(std::move(b));
}

future<> add(rc<int> sum, int n) {
  co_await eddy::sleep(10ms);
  *sum += n;
}

TEST_CASE("a set's tasks share what is not is_send; awaiting the set waits for all of them") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    auto sum = make_rc<int>(0);
    local_set set;
    co_await set;  // empty
    auto a = set.spawn_local(add(sum, 1));
    static_cast<void>(set.spawn_local(add, sum, 2));
    static_cast<void>(set.spawn_local([sum] { return add(sum, 4); }));
    CHECK(*sum == 0);
    co_await set;
    CHECK(*sum == 7);
    CHECK(sum.use_count() == 1);
    CHECK(a.is_finished());
    co_await a;
  });
}

TEST_CASE("run_until is over with its future, not with the set's tasks") {
  if (test::on_pool()) return;
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    auto sum = make_rc<int>(0);
    local_set set;
    const int v = co_await set.run_until([](rc<int> s) -> future<int> {
      static_cast<void>(spawn_local(add(s, 1)));
      co_await eddy::sleep(1ms);
      co_return 5;
    }(sum));
    CHECK(v == 5);
    CHECK(*sum == 0);
    CHECK(sum.use_count() == 2);
    co_await set;
    CHECK(*sum == 1);
  });
}

TEST_CASE("what a set's task spawns with spawn_local is the set's, on the same thread") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    int depth = 0;
    local_set set;
    static_cast<void>(set.spawn_local([&depth]() -> future<> {
      const auto home = std::this_thread::get_id();
      ++depth;
      static_cast<void>(spawn_local([&depth, home]() -> future<> {
        co_await eddy::yield_now();
        CHECK(std::this_thread::get_id() == home);
        ++depth;
        static_cast<void>(spawn_local([&depth]() -> future<> {
          co_await eddy::yield_now();
          ++depth;
        }));
      }));
      co_return;
    }));
    co_await set;
    CHECK(depth == 3);
  });
}

TEST_CASE("while an enter guard lives spawn_local is the set's, before the runtime runs too") {
  if (test::on_pool()) return;
  const test::leak_check leaks;
  auto rt = paused();
  local_set set(rt.get_handle());
  const auto h = [&] {
    const auto guard = set.enter();
    return spawn_local([]() -> future<int> {
      co_await eddy::sleep(1ms);
      co_return 3;
    });
  }();
  CHECK_FALSE(h.is_finished());
  set.block_on(rt, [](local_set& s) -> future<> { co_await s; }(set));
  CHECK(h.is_finished());
}

TEST_CASE("a handle of a set's task may be awaited by another task, and elsewhere") {
  if (test::on_pool()) return;
  const test::leak_check leaks;
  eddy::runtime rt;
  local_set set(rt.get_handle());
  auto value = set.spawn_local([]() -> future<int> { co_return 4; });
  auto other = rt.spawn([](eddy::join_handle<int> h) -> future<int> { co_return co_await h; },
                        std::move(value));
  CHECK(rt.block_on(std::move(other)) == 4);
  auto again = set.spawn_local([]() -> future<int> { co_return 5; });
  rt.block_on([](local_set& s) -> future<> { co_await s; }(set));
  eddy::runtime another;
  CHECK(another.block_on(std::move(again)) == 5);
}

TEST_CASE("destroying the set destroys what its tasks run, at once, in the runtime and outside") {
  if (test::on_pool()) return;
  const test::leak_check leaks;
  const auto waits = [](rc<int>) -> future<> { co_await eddy::sleep(1h); };
  eddy::runtime rt;
  auto held = make_rc<int>(0);
  std::optional<eddy::join_handle<>> h;
  {
    local_set set(rt.get_handle());
    h = set.spawn_local(waits, held);
    set.block_on(rt, eddy::yield_now());
    CHECK(held.use_count() > 1);
  }
  CHECK(held.use_count() == 1);
  rt.block_on([](rc<int> value, auto f, eddy::join_handle<> first) -> future<> {
    const auto r = co_await eddy::attempt(first);
    CHECK(r.error() == eddy::errc::aborted);
    {
      local_set set;
      static_cast<void>(set.spawn_local(f(value)));
      co_await eddy::yield_now();
      static_cast<void>(set.spawn_local(f(value)));  // not yet polled
    }
    CHECK(value.use_count() == 2);
  }(held, waits, *std::move(h)));
}

TEST_CASE("a task's last act may wake, spawn and lock in the set that is being destroyed") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    struct at_end {
      eddy::sync::notify* tell;
      ~at_end() {
        tell->notify_one();
        static_cast<void>(spawn_local([]() -> future<> { co_return; }));
      }
    };
    eddy::sync::notify bell;
    {
      local_set set;
      static_cast<void>(set.spawn_local([&bell]() -> future<> {
        const at_end guard{&bell};
        co_await eddy::sleep(1h);
      }));
      static_cast<void>(set.spawn_local([&bell]() -> future<> { co_await bell.notified(); }));
      co_await eddy::yield_now();
    }
    co_await eddy::yield_now();
  });
}

TEST_CASE("a task that destroys its own set goes on to its next await") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto set = std::make_unique<local_set>();
    bool after = false;
    bool never = false;
    auto h = set->spawn_local([&]() -> future<> {
      co_await eddy::yield_now();
      set.reset();
      after = true;
      co_await eddy::yield_now();
      never = true;
    });
    const auto r = co_await eddy::attempt(std::move(h));
    CHECK(r.error() == eddy::errc::aborted);
    CHECK(after);
    CHECK_FALSE(never);
  });
}

TEST_CASE("a set's tasks are aborted by their handles, wait, and fail like others") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> future<> {
    local_set set;
    auto a = set.spawn_local([]() -> future<> { co_await eddy::sleep(1h); });
    co_await eddy::yield_now();
    a.abort();
    co_await set;
    const auto r = co_await eddy::attempt(a);
    CHECK(r.error() == eddy::errc::aborted);
#if EDDY_EXCEPTIONS
    auto b = set.spawn_local([]() -> future<> {
      throw std::runtime_error("b");
      co_return;
    });
    const auto f = co_await eddy::attempt(b);
    CHECK(f.error().message() == "b");
#endif
  });
}

TEST_CASE("on every runtime a set's tasks stay on one thread and are awaited from others") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    const auto home = std::this_thread::get_id();
    local_set set;
    auto sum = make_rc<int>(0);
    std::vector<eddy::join_handle<>> waiting;
    for (int i = 0; i < 100; ++i) {
      auto local = set.spawn_local(
          [](rc<int> s, std::thread::id thread) -> future<int> {
            for (int k = 0; k < 3; ++k) {
              co_await eddy::yield_now();
              CHECK(std::this_thread::get_id() == thread);
            }
            co_return ++*s;
          },
          sum, home);
      waiting.push_back(eddy::spawn(
          [](eddy::join_handle<int> h) -> future<> {
            const int v = co_await h;
            CHECK(v > 0);
          },
          std::move(local)));
    }
    co_await set;
    CHECK(*sum == 100);
    for (auto& h : waiting) co_await h;
    // And one that is dropped with its tasks waiting, in the middle of all that.
    local_set dropped;
    auto h = dropped.spawn_local([](rc<int>) -> future<> { co_await eddy::sleep(1h); }, sum);
    co_await eddy::yield_now();
    {
      const auto gone = std::move(dropped);
    }
    CHECK(sum.use_count() == 1);
    const auto r = co_await eddy::attempt(std::move(h));
    CHECK(r.error() == eddy::errc::aborted);
  });
}

#if EDDY_EXCEPTIONS && EDDY_POOL
TEST_CASE("in a pool a set is made in a task") {
  eddy::runtime rt = eddy::runtime::builder().multi_loop().worker_threads(1).build();
  CHECK_THROWS_WITH_AS(local_set(rt.get_handle()),
                       "eddy: local_set: in a pool a set is made in a task", std::logic_error);
}
#endif

TEST_CASE("dropped at every cut point") {
  const auto cuts = test::cut_points([]() -> future<> {
    local_set set;
    static_cast<void>(set.spawn_local([]() -> future<> {
      static_cast<void>(spawn_local([]() -> future<> { co_await eddy::yield_now(); }));
      co_await eddy::yield_now();
    }));
    co_await set.run_until(eddy::yield_now());
    co_await set;
  });
  CHECK(cuts >= 2);
}

#if EDDY_EXCEPTIONS
TEST_CASE("a set outside of a runtime is misuse") {
  CHECK_THROWS_AS(local_set(), std::logic_error);
}
#endif

}  // namespace
