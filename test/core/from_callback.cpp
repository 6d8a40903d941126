#include <eddy/core/from_callback.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <eddy/core/attempt.hpp>
#include <eddy/core/pin.hpp>
#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using eddy::from_callback;
using eddy::future;
using eddy::promise;
using test::note;

/// Stands for somebody's library of callbacks: keeps one, and calls it when told.
class service {
 public:
  void start(promise<int> done) { done_.emplace(std::move(done)); }
  void call(int v) {
    done_->set_value(v);
    done_.reset();
  }
  void forget() { done_.reset(); }
  bool is_abandoned() const { return done_->is_abandoned(); }
  bool started() const { return done_.has_value(); }

 private:
  std::optional<promise<int>> done_;
};

TEST_CASE("nothing is initiated before the await") {
  const test::leak_check leaks;
  service s;
  auto f = from_callback<int>([&s](promise<int> p) { s.start(std::move(p)); });
  CHECK_FALSE(s.started());
  test::mock_task task;
  auto p = eddy::pin(std::move(f));
  CHECK_FALSE(task.poll(p).is_ready());
  CHECK(s.started());
  s.call(4);
  CHECK(task.take_wakes() == 1);
  auto r = task.poll(p);
  REQUIRE(r.is_ready());
  CHECK(**r == 4);
}

TEST_CASE("called inline: ready at once, without a wake") {
  const test::leak_check leaks;
  test::mock_task task;
  auto p = eddy::pin(
      from_callback<std::string>([](promise<std::string> done) { done.set_value("now"); }));
  auto r = task.poll(p);
  REQUIRE(r.is_ready());
  CHECK(**r == "now");
  CHECK(task.take_wakes() == 0);
  auto v = eddy::pin(from_callback([](promise<> done) { done.set_value(); }));
  CHECK(task.poll(v)->has_value());
}

TEST_CASE("arguments are moved to the call; move-only ones too") {
  const test::leak_check leaks;
  test::mock_task task;
  auto p = eddy::pin(
      from_callback<int>([](promise<int> done, std::unique_ptr<int> a,
                            std::string b) { done.set_value(*a + static_cast<int>(b.size())); },
                         std::make_unique<int>(10), std::string("abc")));
  CHECK(*task.poll(p).take() == 13);
}

// Without exceptions a callback's future, a coroutine, has no way to fail but to end the program.
#if EDDY_EXCEPTIONS
TEST_CASE("a callback that is dropped uncalled is a broken promise") {
  const test::leak_check leaks;
  test::mock_task task;
  service s;
  auto p = eddy::pin(from_callback<int>([&s](promise<int> done) { s.start(std::move(done)); }));
  CHECK_FALSE(task.poll(p).is_ready());
  s.forget();
  CHECK(task.take_wakes() == 1);
  CHECK(task.poll(p)->error() == eddy::errc::broken_promise);
  auto at_once = eddy::pin(from_callback<int>([](promise<int>) {}));
  CHECK(task.poll(at_once)->error() == eddy::errc::broken_promise);
}

#endif

TEST_CASE("dropped unstarted, or while waiting: the operation can tell, and its value goes") {
  const test::leak_check leaks;
  const auto before = note::live();
  test::take_trace();
  service s;
  {
    auto f = from_callback<int>([&s](promise<int> done, note) { s.start(std::move(done)); },
                                note("arg"));
  }
  CHECK(test::take_trace() == "~arg ");
  CHECK_FALSE(s.started());
  test::mock_task task;
  {
    auto p = eddy::pin(from_callback<int>(
        [&s](promise<int> done, note) { s.start(std::move(done)); }, note("arg")));
    CHECK_FALSE(task.poll(p).is_ready());
    CHECK_FALSE(s.is_abandoned());
  }
  CHECK(s.is_abandoned());
  s.call(1);
  CHECK(task.take_wakes() == 0);
  CHECK(note::live() == before);
  test::take_trace();
}

future<int> from_thread(std::thread& t) {
  auto f = from_callback<int>([&t](promise<int> done) {
    t = std::thread([p = std::move(done)]() mutable { p.set_value(7); });
  });
  const int v = co_await std::move(f);
  co_return v;
}

TEST_CASE("called from another thread") {
  const test::leak_check leaks;
  eddy::runtime rt;
  for (int i = 0; i < 50; ++i) {
    std::thread t;
    CHECK(rt.block_on(from_thread(t)) == 7);
    t.join();
  }
}

#if EDDY_EXCEPTIONS
TEST_CASE("what initiate throws comes out of the await, before and after it took the promise") {
  const test::leak_check leaks;
  test::mock_task task;
  auto p =
      eddy::pin(from_callback<int>([](promise<int>) { throw std::runtime_error("initiate"); }));
  CHECK_THROWS_WITH_AS(task.poll(p)->value(), "initiate", std::runtime_error);
  service s;
  auto q = eddy::pin(from_callback<int>([&s](promise<int> done) {
    s.start(std::move(done));
    throw std::runtime_error("late");
  }));
  CHECK_THROWS_WITH(task.poll(q)->value(), "late");
  CHECK(s.is_abandoned());
}
#endif

}  // namespace
