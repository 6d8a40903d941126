#include <eddy/task/task_local.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;

constexpr eddy::task_local<int> request;
constexpr eddy::task_local<bool> flag;

/// Says what `request` is when it is destroyed.
class sees_request {
 public:
  explicit sees_request(std::vector<int>& seen) : seen_(&seen) {}
  sees_request(sees_request&& other) noexcept : seen_(std::exchange(other.seen_, nullptr)) {}
  sees_request& operator=(sees_request&&) = delete;
  ~sees_request() {
    if (seen_ == nullptr) return;
    const int* const v = request.try_get();
    seen_->push_back(v != nullptr ? *v : -1);
  }

 private:
  std::vector<int>* seen_;
};

future<> expects(int value, test::gate* g = nullptr) {
  CHECK(request.get() == value);
  if (g != nullptr) co_await g->wait();
  co_await eddy::yield_now();
  CHECK(request.get() == value);
}

TEST_CASE("each task sees its own value, across its awaits") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    auto a = eddy::spawn([]() -> future<> { co_await request.scope(1, expects(1)); });
    auto b = eddy::spawn([]() -> future<> {
      co_await request.scope(2, []() -> future<> {
        CHECK(request.with([](int v) { return v; }) == 2);
        co_await eddy::sleep(10ms);
        CHECK(request.get() == 2);
        CHECK(flag.try_get() == nullptr);
      }());
      CHECK(request.try_get() == nullptr);
    });
    auto c = eddy::spawn([]() -> future<> {
      co_await flag.scope(true, []() -> future<> {
        CHECK(flag.get());
        CHECK(request.try_get() == nullptr);
        co_return;
      }());
    });
    co_await a;
    co_await b;
    co_await c;
  });
}

TEST_CASE(
    "ready at once, ready later, by hand: the value is there only while the scope is polled") {
  const test::leak_check leaks;
  test::mock_task task;
  test::gate g;
  auto s = request.scope(3, expects(3, &g));
  CHECK_FALSE(task.poll(s).is_ready());
  CHECK(request.try_get() == nullptr);
  g.open();
  CHECK(task.take_wakes() == 1);
  CHECK_FALSE(task.poll(s).is_ready());  // its yield
  CHECK(task.poll(s).is_ready());
  CHECK(request.try_get() == nullptr);
  auto leaf = request.scope(4, test::after<int>(0, 9));
  auto r = task.poll(leaf);
  REQUIRE(r.is_ready());
  CHECK(**r == 9);
}

TEST_CASE("an inner scope hides the value, and two names do not meet") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on(request.scope(1, []() -> future<> {
    co_await flag.scope(true, []() -> future<> {
      CHECK(request.get() == 1);
      CHECK(flag.get());
      co_await request.scope(2, expects(2));
      CHECK(request.get() == 1);
    }());
    CHECK(flag.try_get() == nullptr);
    CHECK(request.get() == 1);
  }()));
}

TEST_CASE("branches of a select have values of their own, which losers see as they are dropped") {
  const test::leak_check leaks;
  std::vector<int> seen;
  eddy::runtime rt;
  rt.block_on([](std::vector<int>& log) -> future<> {
    const auto loses = [](std::vector<int>& l, int n) -> future<> {
      const sees_request last(l);
      CHECK(request.get() == n);
      co_await eddy::poll_fn([](eddy::context&) -> eddy::polled<> { return eddy::pending; });
    };
    co_await eddy::select(request.scope(1, loses(log, 1)), request.scope(2, loses(log, 2)),
                          request.scope(3, expects(3)));
    CHECK(request.try_get() == nullptr);
  }(seen));
  std::sort(seen.begin(), seen.end());
  CHECK(seen == std::vector{1, 2});
}

TEST_CASE("an aborted task sees its value while it is destroyed") {
  const test::leak_check leaks;
  std::vector<int> seen;
  eddy::runtime rt;
  rt.block_on([](std::vector<int>& log) -> future<> {
    auto h = eddy::spawn([&log]() -> future<> {
      co_await request.scope(42, [](std::vector<int>& l) -> future<> {
        const sees_request last(l);
        co_await eddy::sleep(1h);
      }(log));
    });
    co_await eddy::yield_now();
    h.abort();
    const auto r = co_await eddy::attempt(h);
    CHECK(r.error() == eddy::errc::aborted);
  }(seen));
  CHECK(seen == std::vector{42});
}

TEST_CASE("what has ended sees its value while it is destroyed, before the await goes on") {
  const test::leak_check leaks;
  std::vector<int> seen;
  eddy::runtime rt;
  rt.block_on([](std::vector<int>& log) -> future<> {
    // A parameter goes with the frame, after the body's end.
    co_await request.scope(42, [](sees_request) -> future<> { co_return; }(sees_request(log)));
    CHECK(log == std::vector{42});
    auto named = request.scope(
        43, eddy::poll_fn([s = std::make_shared<sees_request>(log)](
                              eddy::context&) -> eddy::polled<> { return eddy::ready; }));
    co_await named;
    CHECK(log == std::vector{42, 43});
  }(seen));
}

TEST_CASE("dropped while it waits, and at every cut point") {
  std::vector<int> seen;
  {
    test::mock_task task;
    test::gate g;
    auto s = request.scope(5, [](test::gate& gate, std::vector<int>& l) -> future<> {
      const sees_request last(l);
      co_await gate.wait();
    }(g, seen));
    CHECK_FALSE(task.poll(s).is_ready());
  }
  CHECK(seen == std::vector{5});
  const auto cuts = test::cut_points([]() -> future<> {
    co_await request.scope(7, []() -> future<> {
      std::vector<int> log;
      co_await request.scope(8, expects(8));
      const sees_request last(log);
      co_await expects(7);
    }());
  });
  CHECK(cuts >= 2);
}

TEST_CASE("the value can be taken back, once") {
  const test::leak_check leaks;
  auto untouched = request.scope(1, []() -> future<> { co_return; }());
  CHECK(untouched.take_value() == 1);
  CHECK(untouched.take_value() == std::nullopt);

  const eddy::task_local<std::unique_ptr<int>> owned;
  eddy::runtime rt;
  rt.block_on([](const auto& key) -> future<> {
    const auto add = [](const auto& k) -> future<> {
      ++*k.get();
      co_return;
    };
    auto scope = key.scope(std::make_unique<int>(1), add(key));
    co_await scope;
    const auto back = scope.take_value();
    REQUIRE(back.has_value());
    CHECK(**back == 2);
    const auto again = co_await eddy::attempt(scope);
    CHECK(again.error() == eddy::errc::misuse);
  }(owned));
}

TEST_CASE("without its value a scope runs all the same, and hides the one around it") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on(request.scope(1, []() -> future<> {
    auto scope = request.scope(2, []() -> future<> {
      CHECK(request.try_get() == nullptr);
      CHECK(request.try_with([](int) {}).error() == eddy::errc::misuse);
      co_return;
    }());
    scope.take_value();
    co_await scope;
    CHECK(request.get() == 1);
  }()));
}

TEST_CASE("sync_scope sets the value for an ordinary call") {
  const int twice = request.sync_scope(
      4,
      [](int factor) {
        request.get() += 1;
        return request.get() * factor;
      },
      2);
  CHECK(twice == 10);
  CHECK(request.try_get() == nullptr);
  CHECK(request.sync_scope(
            1, [] { return *request.try_with([](int& v, int n) { return v + n; }, 2); }) == 3);
}

TEST_CASE("spawned tasks do not inherit") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on(request.scope(1, []() -> future<> {
    auto h = eddy::spawn([]() -> future<> {
      CHECK(request.try_get() == nullptr);
      co_return;
    });
    co_await h;
  }()));
}

#if EDDY_EXCEPTIONS
TEST_CASE("outside of a scope the value is misuse; a failure in a scope leaves nothing set") {
  const test::leak_check leaks;
  const char* const unset = "eddy: task_local: no value is set here; await it in a scope";
  CHECK_THROWS_WITH_AS(static_cast<void>(request.get()), unset, std::logic_error);
  CHECK_THROWS_WITH_AS(request.with([](int) {}), unset, std::logic_error);
  CHECK_THROWS_AS(request.sync_scope(1, [] { throw std::runtime_error("f"); }), std::runtime_error);
  eddy::runtime rt;
  CHECK_THROWS_AS(rt.block_on(request.scope(1,
                                            []() -> future<> {
                                              throw std::runtime_error("body");
                                              co_return;
                                            }())),
                  std::runtime_error);
  CHECK(request.try_get() == nullptr);
}
#endif

}  // namespace
