#include <eddy/core/promise.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/core/attempt.hpp>
#include <eddy/core/pin.hpp>
#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using eddy::future;
using eddy::promise;
using test::note;

TEST_CASE("fulfilled before the await: ready at once") {
  const test::leak_check leaks;
  test::mock_task task;
  promise<int> p;
  auto f = p.get_future();
  p.set_value(4);
  auto pinned = eddy::pin(std::move(f));
  auto r = task.poll(pinned);
  REQUIRE(r.is_ready());
  CHECK(**r == 4);
  CHECK(task.take_wakes() == 0);
}

TEST_CASE("fulfilled before the future was asked for") {
  const test::leak_check leaks;
  test::mock_task task;
  promise<std::string> p;
  p.set_value("early");
  CHECK_FALSE(p.is_abandoned());
  auto moved = std::move(p);
  auto pinned = eddy::pin(moved.get_future());
  auto r = task.poll(pinned);
  REQUIRE(r.is_ready());
  CHECK(**r == "early");
}

TEST_CASE("fulfilled later: one wake") {
  const test::leak_check leaks;
  test::mock_task task;
  promise<std::unique_ptr<int>> p;
  auto pinned = eddy::pin(p.get_future());
  CHECK_FALSE(task.poll(pinned).is_ready());
  CHECK(task.take_wakes() == 0);
  p.set_value(std::make_unique<int>(5));
  CHECK(task.take_wakes() == 1);
  auto r = task.poll(pinned);
  REQUIRE(r.is_ready());
  CHECK(***r == 5);
}

TEST_CASE(
    "a value is made from several arguments; void from none; a reference is the same object") {
  const test::leak_check leaks;
  test::mock_task task;
  promise<std::string> text;
  auto t = eddy::pin(text.get_future());
  text.set_value(3U, 'x');
  CHECK(*task.poll(t).take() == "xxx");
  promise<> nothing;
  auto n = eddy::pin(nothing.get_future());
  nothing.set_value();
  CHECK(task.poll(n)->has_value());
  int object = 0;
  promise<int&> reference;
  auto r = eddy::pin(reference.get_future());
  reference.set_value(object);
  auto answer = task.poll(r);
  CHECK(&**answer == &object);
}

// Without exceptions a promise's future, a coroutine, has no way to fail but to end the program.
#if EDDY_EXCEPTIONS
TEST_CASE("never fulfilled: broken promise, when it is dropped or assigned over") {
  const test::leak_check leaks;
  test::mock_task task;
  std::optional<promise<int>> p(std::in_place);
  auto f = eddy::pin(p->get_future());
  CHECK_FALSE(task.poll(f).is_ready());
  p.reset();
  CHECK(task.take_wakes() == 1);
  CHECK(task.poll(f)->error() == eddy::errc::broken_promise);

  promise<int> q;
  auto g = eddy::pin(q.get_future());
  q = promise<int>();
  CHECK(task.poll(g)->error() == eddy::errc::broken_promise);
}

TEST_CASE("an error is handed over") {
  const test::leak_check leaks;
  test::mock_task task;
  promise<int> p;
  auto f = eddy::pin(p.get_future());
  p.set_error(eddy::error(eddy::errc::closed, "operation"));
  auto r = task.poll(f);
  REQUIRE(r.is_ready());
  CHECK(r->error() == eddy::errc::closed);
}

#endif

TEST_CASE("a moved promise is the same promise") {
  const test::leak_check leaks;
  test::mock_task task;
  promise<int> a;
  auto f = eddy::pin(a.get_future());
  promise<int> b = std::move(a);
  CHECK_FALSE(task.poll(f).is_ready());
  promise<int> c;
  auto other = c.get_future();
  c = std::move(b);
  c.set_value(1);
  CHECK(*task.poll(f).take() == 1);
}

TEST_CASE("nothing is left when nobody asked for the future, or never awaited it") {
  const test::leak_check leaks;
  const auto before = note::live();
  {
    promise<int> unused;
  }
  {
    promise<note> unasked;
    unasked.set_value("unasked");
  }
  {
    promise<note> p;
    auto f = p.get_future();
    p.set_value("unawaited");
  }
  {
    promise<note> p;
    auto f = p.get_future();
    auto dropped = std::move(f);
  }
  CHECK(note::live() == before);
  test::take_trace();
}

TEST_CASE("is_abandoned: once the future is gone") {
  const test::leak_check leaks;
  test::mock_task task;
  promise<int> p;
  {
    auto f = eddy::pin(p.get_future());
    CHECK_FALSE(p.is_abandoned());
    CHECK_FALSE(task.poll(f).is_ready());
    CHECK_FALSE(p.is_abandoned());
  }
  CHECK(p.is_abandoned());
  p.set_value(1);  // nobody is woken
  CHECK(task.take_wakes() == 0);

  promise<int> q;
  {
    auto unawaited = q.get_future();
  }
  CHECK(q.is_abandoned());
}

future<> in_task() {
  promise<int> p;
  auto setter = eddy::spawn(
      [](promise<int> mine) -> future<> {
        co_await eddy::yield_now();
        mine.set_value(3);
      },
      std::move(p));
  co_await setter;
}
future<> in_task_received() {
  promise<note> p;
  auto f = p.get_future();
  auto setter = eddy::spawn(
      [](promise<note> mine) -> future<> {
        co_await eddy::sleep(std::chrono::seconds(1));
        mine.set_value("n");
      },
      std::move(p));
  const note n = co_await std::move(f);
  CHECK(n.name() == "n");
  co_await setter;
}

TEST_CASE("dropped at every cut point") {
  const auto before = note::live();
  CHECK(test::cut_points(in_task) >= 2);
  CHECK(test::cut_points(in_task_received) >= 3);
  CHECK(note::live() == before);
  test::take_trace();
}

future<> many_from_threads(int n) {
  constexpr int threads = 3;
  std::vector<std::vector<promise<int>>> promises(threads);
  std::vector<future<int>> futures;
  for (int i = 0; i < n; ++i) {
    promise<int> p;
    futures.push_back(p.get_future());
    promises[static_cast<std::size_t>(i % threads)].push_back(std::move(p));
  }
  std::vector<std::thread> all;
  for (auto& mine : promises)
    all.emplace_back([work = std::move(mine)]() mutable {
      int k = 0;
      for (auto& p : work) {
        if (EDDY_EXCEPTIONS && ++k % 7 == 0) {
          auto broken = std::move(p);
        } else {
          p.set_value(1);
        }
      }
    });
  int values = 0, broken = 0;
  for (auto& f : futures) {
    auto r = co_await eddy::attempt(std::move(f));
    if (r)
      values += *r;
    else
      broken += r.error() == eddy::errc::broken_promise;
  }
  for (auto& t : all) t.join();
  CHECK(values + broken == n);
  CHECK((broken > 0) == static_cast<bool>(EDDY_EXCEPTIONS));
}

TEST_CASE("fulfilled and dropped by other threads while the loop sleeps or runs") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on(many_from_threads(3000));
}

TEST_CASE("fulfilled by another thread while, and after, the runtime is dropped") {
  const test::leak_check leaks;
  for (int round = 0; round < 20; ++round) {
    std::vector<promise<std::string>> promises(50);
    std::thread other;
    {
      eddy::runtime rt;
      std::vector<eddy::join_handle<std::string>> handles;
      for (auto& p : promises) handles.push_back(rt.spawn(p.get_future()));
      rt.block_on([]() -> future<> { co_await eddy::yield_now(); });
      other = std::thread([&] {
        for (auto& p : promises) p.set_value("text of more than sixteen letters");
      });
    }
    other.join();
  }
}

#if EDDY_EXCEPTIONS

TEST_CASE("an exception is thrown as it was") {
  const test::leak_check leaks;
  test::mock_task task;
  promise<int> p;
  auto f = eddy::pin(p.get_future());
  p.set_exception(std::make_exception_ptr(std::out_of_range("far")));
  CHECK_THROWS_WITH_AS(task.poll(f)->value(), "far", std::out_of_range);
}

TEST_CASE("a broken promise throws broken_promise") {
  const test::leak_check leaks;
  test::mock_task task;
  std::optional<promise<int>> p(std::in_place);
  auto f = eddy::pin(p->get_future());
  p.reset();
  CHECK_THROWS_AS(task.poll(f)->value(), eddy::broken_promise);
}

TEST_CASE("twice is misuse: fulfilling, and asking for the future") {
  const test::leak_check leaks;
  promise<int> p;
  auto f = p.get_future();
  CHECK_THROWS_WITH_AS(static_cast<void>(p.get_future()),
                       "eddy: promise::get_future was called twice", std::logic_error);
  p.set_value(1);
  CHECK_THROWS_AS(p.set_value(2), std::logic_error);
  CHECK_THROWS_AS(p.set_error(eddy::error(eddy::errc::closed)), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(p.get_future()), std::logic_error);

  promise<int> q;
  q.set_value(1);
  CHECK_THROWS_AS(q.set_value(2), std::logic_error);
  auto g = q.get_future();
  CHECK_THROWS_AS(static_cast<void>(q.get_future()), std::logic_error);

  promise<int> moved_from;
  promise<int> to = std::move(moved_from);
  CHECK_THROWS_AS(moved_from.set_value(1), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(moved_from.get_future()), std::logic_error);
}

struct picky {
  explicit picky(int v) : value(v) {
    if (v < 0) throw std::invalid_argument("negative");
  }
  int value;
};

TEST_CASE("making the value throws: that is the outcome") {
  const test::leak_check leaks;
  test::mock_task task;
  promise<picky> p;
  auto f = eddy::pin(p.get_future());
  CHECK_FALSE(task.poll(f).is_ready());
  p.set_value(-1);
  CHECK(task.take_wakes() == 1);
  CHECK_THROWS_WITH_AS(task.poll(f)->value(), "negative", std::invalid_argument);
  CHECK_THROWS_AS(p.set_value(2), std::logic_error);
}

struct fused {
  explicit fused(int moves) : left(moves) {}
  fused(fused&& other) : left(other.left) {
    if (left-- == 0) throw std::runtime_error("moved");
  }
  int left;
};

TEST_CASE("a value whose move throws on its way out is a failure of the await") {
  const test::leak_check leaks;
  for (int moves = 0; moves < 3; ++moves) {
    CAPTURE(moves);
    eddy::runtime rt;
    rt.block_on([moves]() -> future<> {
      promise<fused> p;
      auto f = p.get_future();
      p.set_value(moves);
      const auto r = co_await eddy::attempt(std::move(f));
      CHECK_FALSE(r.has_value());
    });
    rt.block_on([moves]() -> future<> {
      auto work = eddy::pin([](int m) -> future<fused> { co_return fused(m + 1); }(moves));
      bool threw = false;
      try {
        static_cast<void>(co_await eddy::timeout(std::chrono::hours(1), work));
      } catch (const std::runtime_error&) {
        threw = true;
      }
      CHECK(threw);
    });
  }
}

#endif

}  // namespace
