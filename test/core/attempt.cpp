#include <eddy/core/attempt.hpp>

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <eddy/core/pin.hpp>
#include <eddy/eddy.hpp>

#include "base/sanitizer.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

// Throws are counted by standing in front of the C++ runtime's; a sanitizer stands there itself.
#if EDDY_SANITIZED
#define COUNTS_THROWS 0
#else
#define COUNTS_THROWS EDDY_EXCEPTIONS
#endif

namespace {
int throws = 0;
}
#if COUNTS_THROWS
extern "C" [[noreturn]] void __cxa_throw(void* object, void* type, void (*destroy)(void*)) {
  ++throws;
  using real_throw = void (*)(void*, void*, void (*)(void*));
  const auto real = reinterpret_cast<real_throw>(::dlsym(RTLD_NEXT, "__cxa_throw"));
  real(object, type, destroy);
  std::abort();
}
#endif

namespace {

using eddy::attempt;
using eddy::future;
using eddy::result;
using test::note;

template <class T>
T finish(future<T> f) {
  test::mock_task task;
  auto p = eddy::pin(std::move(f));
  for (;;) {
    auto r = task.poll(p);
    if (r) {
      REQUIRE(r->has_value());
      if constexpr (std::is_void_v<T>)
        return;
      else
        return *std::move(*r);
    }
    REQUIRE_MESSAGE(task.take_wakes() != 0, "it waits for nothing");
  }
}

class failing {
 public:
  explicit failing(int turns) noexcept : turns_(turns) {}
  eddy::polled<result<int>> poll(eddy::context& cx) noexcept {
    if (turns_-- == 0) return eddy::error(eddy::errc::closed, "leaf");
    cx.wake();
    return eddy::pending;
  }

 private:
  int turns_;
};

future<int> value(int turns) {
  note n("value");
  co_await test::pass(turns);
  co_return 5;
}
future<result<int>> a_result(bool good, int turns) {
  co_await test::pass(turns);
  if (!good) co_return eddy::error(eddy::errc::lagged, "result");
  co_return 6;
}

future<> values(int turns) {
  auto leaf = co_await attempt(test::after<int>(turns, 4));
  static_assert(std::is_same_v<decltype(leaf), result<int>>);
  CHECK(*leaf == 4);
  auto none = co_await attempt(test::pass(turns));
  static_assert(std::is_same_v<decltype(none), result<void>>);
  CHECK(none.has_value());
  auto fut = co_await attempt(value(turns));
  static_assert(std::is_same_v<decltype(fut), result<int>>);
  CHECK(*fut == 5);
  auto flat = co_await attempt(a_result(true, turns));
  static_assert(std::is_same_v<decltype(flat), result<int>>);
  CHECK(*flat == 6);
  auto owner = co_await attempt(test::after<std::unique_ptr<int>>(turns, std::make_unique<int>(7)));
  CHECK(**owner == 7);
}

TEST_CASE("values: of leaves, futures, futures of results; at once and later") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) finish(values(turns));
  test::take_trace();
}

future<> leaf_failures(int turns) {
  auto leaf = co_await attempt(failing(turns));
  CHECK(leaf.error() == eddy::errc::closed);
  auto flat = co_await attempt(a_result(false, turns));
  CHECK(flat.error() == eddy::errc::lagged);
  auto twice = co_await attempt(attempt(failing(turns)));
  CHECK(twice.error() == eddy::errc::closed);
}

TEST_CASE("failures of leaves come as values and nothing is thrown on the way") {
  const test::leak_check leaks;
  const int before = throws;
  for (int turns = 0; turns < 2; ++turns) finish(leaf_failures(turns));
  CHECK(throws == before);
}

future<> forever() {
  co_await eddy::poll_fn([](eddy::context&) -> eddy::polled<> { return eddy::pending; });
}

TEST_CASE("an attempted timeout, lost promise and aborted task throw nothing either") {
  const test::leak_check leaks;
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  const int before = throws;
  rt.block_on([]() -> future<> {
    auto late = co_await attempt(eddy::timeout(std::chrono::hours(1), forever()));
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error() == eddy::errc::elapsed);
    auto h = eddy::spawn(forever());
    h.abort();
    auto ended = co_await attempt(std::move(h));
    REQUIRE_FALSE(ended.has_value());
    CHECK(ended.error() == eddy::errc::aborted);
  });
  CHECK(throws == before);
}

future<> by_name(int turns) {
  auto pinned = eddy::pin(value(turns));
  auto r = co_await attempt(pinned);
  static_assert(std::is_same_v<decltype(r), result<int>>);
  CHECK(*r == 5);
  CHECK(pinned.done());
  auto again = co_await attempt(pinned);
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error() == eddy::errc::misuse);
  auto leaf = failing(turns);
  auto failed = co_await attempt(leaf);
  CHECK(failed.error() == eddy::errc::closed);
}

TEST_CASE("by lvalue: polled in place") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) finish(by_name(turns));
  test::take_trace();
}

future<int&> reference(int& n) { co_return n; }
future<> references() {
  int n = 0;
  auto r = co_await attempt(reference(n));
  CHECK(&*r == &n);
}

TEST_CASE("references") {
  const test::leak_check leaks;
  finish(references());
}

class own_error {
 public:
  static eddy::polled<result<int, std::string>> poll(eddy::context&) noexcept {
    return eddy::unexpected(std::string("own"));
  }
};
future<> keeps_own() {
  auto r = co_await attempt(own_error());
  static_assert(std::is_same_v<decltype(r), result<int, std::string>>);
  CHECK(r.error() == "own");
}

TEST_CASE("a leaf's own error type stays") { finish(keeps_own()); }

TEST_CASE("polled after its end, an attempted future says misuse") {
  const test::leak_check leaks;
  test::mock_task task;
  auto a = attempt(value(0));
  CHECK(task.poll(a).is_ready());
  auto again = task.poll(a);
  REQUIRE(again.is_ready());
  CHECK(again->error() == eddy::errc::misuse);
  test::take_trace();
}

future<> waits(test::gate& g) {
  auto r = co_await attempt([](test::gate& on, note) -> future<int> {
    note local("local");
    co_await on.wait();
    co_return 1;
  }(g, note("arg")));
  CHECK(r.has_value());
}

TEST_CASE("dropped while waiting, and at every cut point") {
  for (int cut = 0; cut < 3; ++cut) {
    CAPTURE(cut);
    const test::leak_check leaks;
    const auto before = note::live();
    test::gate g;
    {
      test::mock_task task;
      auto p = eddy::pin(waits(g));
      if (cut > 0) CHECK_FALSE(task.poll(p).is_ready());
      CHECK(g.waiting() == (cut > 0 ? 1 : 0));
      g.open();
      if (cut > 1) CHECK(task.poll(p).is_ready());
    }
    CHECK(g.waiting() == 0);
    CHECK(note::live() == before);
  }
  test::take_trace();
}

#if EDDY_EXCEPTIONS

struct special final : std::runtime_error {
  using std::runtime_error::runtime_error;
};
future<int> throwing(int turns) {
  co_await test::pass(turns);
  throw special("thrown");
}
future<result<int>> throwing_result(int turns) {
  co_await test::pass(turns);
  throw special("thrown");
}
future<> thrown(int turns) {
  auto r = co_await attempt(throwing(turns));
  REQUIRE_FALSE(r.has_value());
  CHECK(r.error().message() == "thrown");
  CHECK_THROWS_AS(r.value(), special);
  auto f = co_await attempt(throwing_result(turns));
  REQUIRE_FALSE(f.has_value());
  CHECK_THROWS_AS(f.value(), special);
}

TEST_CASE("what a body threw is in the error, as it was") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) finish(thrown(turns));
}

#if COUNTS_THROWS
TEST_CASE("throws are counted") {
  const int before = throws;
  CHECK_THROWS_AS(throw special("x"), special);
  CHECK(throws == before + 1);
}
#endif

#endif

}  // namespace
