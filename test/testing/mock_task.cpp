#include <eddy/testing/mock_task.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/testing/doctest.hpp>

#include "support/leaves.hpp"

namespace {

using eddy::test::failed_check;
using eddy::test::mock_task;

/// Collects failed checks instead of failing.
class caught {
 public:
  caught() noexcept : before_(eddy::test::set_reporter(&take)) { what().clear(); }
  caught(const caught&) = delete;
  ~caught() { eddy::test::set_reporter(before_); }
  static std::string& what() {
    static std::string text;
    return text;
  }

 private:
  static void take(const failed_check& f) {
    what() += f.what;
    what() += std::string_view(f.file).ends_with("test/testing/mock_task.cpp") ? ";" : "?;";
#if EDDY_EXCEPTIONS
    if (f.ends_test) throw 1;
#endif
  }
  eddy::test::reporter before_;
};

TEST_CASE("a leaf is stepped by hand, and wakes are counted") {
  test::gate g;
  mock_task task;
  auto leaf = g.wait();
  task.assert_pending(leaf);
  CHECK_FALSE(task.is_woken());
  CHECK(task.references() == 1);
  g.wake();
  g.wake();
  CHECK(task.is_woken());
  CHECK(task.wakes() == 2);
  CHECK(task.take_wakes() == 2);
  CHECK(task.wakes() == 0);
  g.open();
  task.assert_ready(leaf);
  CHECK(task.references() == 0);
}

TEST_CASE("a ready leaf hands over its value, a failing one its result") {
  mock_task task;
  test::after<std::unique_ptr<int>> value(0, std::make_unique<int>(3));
  CHECK(*task.assert_ready(value) == 3);
  auto failing = eddy::pin([]() -> eddy::future<eddy::result<int>> {
    co_return eddy::error(eddy::errc::closed, "it");
  }());
  auto r = task.assert_ready(failing);
  CHECK(r->error() == eddy::errc::closed);
}

TEST_CASE("a pinned future is stepped by hand") {
  test::gate g;
  mock_task task;
  auto work = eddy::pin([](test::gate& on) -> eddy::future<int> {
    co_await on.wait();
    co_return 4;
  }(g));
  task.assert_pending(work);
  g.open();
  CHECK(task.take_wakes() == 1);
  CHECK(*task.assert_ready(work) == 4);
}

TEST_CASE("a waker that outlives its mock task is a failed check") {
  const caught failures;
  eddy::waker kept;
  {
    mock_task task;
    eddy::context cx(task);
    kept = cx.get_waker();
    // The count is what is tested: give the reference back before the task's memory goes.
    task.retain();
    kept.reset();
  }
  CHECK(caught::what() == "a waker outlived its mock task?;");
}

TEST_CASE("a waker that another thread is about to use is waited for") {
  const caught failures;
  std::thread other;
  {
    mock_task task;
    eddy::context cx(task);
    other = std::thread([w = cx.get_waker()]() mutable {
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
      std::move(w).wake();
    });
  }
  other.join();
  CHECK(caught::what().empty());
}

#if EDDY_EXCEPTIONS
TEST_CASE("an assertion that does not hold ends the test and names its line") {
  const caught failures;
  mock_task task;
  test::pass soon(1);
  CHECK_THROWS_AS(task.assert_ready(soon), int);
  CHECK(caught::what() == "pending, where it should be ready;");
  caught::what().clear();
  CHECK_THROWS_AS(task.assert_pending(soon), int);
  CHECK(caught::what() == "ready, where it should be pending;");
}
#endif

}  // namespace
