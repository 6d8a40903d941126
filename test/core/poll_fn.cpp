#include <eddy/core/poll_fn.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <eddy/core/pin.hpp>

#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using eddy::pending;
using eddy::polled;
using test::note;

TEST_CASE("it is called at each poll until it has a value") {
  test::mock_task task;
  int calls = 0;
  auto leaf = eddy::poll_fn([&](eddy::context& cx) -> polled<int> {
    if (++calls < 3) {
      cx.wake();
      return pending;
    }
    return calls;
  });
  CHECK_FALSE(task.poll(leaf).is_ready());
  CHECK(task.take_wakes() == 1);
  CHECK_FALSE(task.poll(leaf).is_ready());
  auto p = task.poll(leaf);
  REQUIRE(p.is_ready());
  CHECK(**p == 3);
}

TEST_CASE("void, references, move-only values and results") {
  test::mock_task task;
  auto nothing = eddy::poll_fn([](eddy::context&) -> polled<> { return eddy::ready; });
  CHECK(task.poll(nothing)->has_value());

  int n = 0;
  auto reference = eddy::poll_fn([&](eddy::context&) -> polled<int&> { return n; });
  auto r = task.poll(reference);
  CHECK(&**r == &n);

  auto owner = eddy::poll_fn(
      [](eddy::context&) -> polled<std::unique_ptr<int>> { return std::make_unique<int>(2); });
  auto o = task.poll(owner);
  CHECK(***o == 2);

  auto fails = eddy::poll_fn([](eddy::context&) -> polled<eddy::result<int>> {
    return eddy::error(eddy::errc::closed, "fn");
  });
  auto f = task.poll(fails);
  REQUIRE_FALSE(f->has_value());
  CHECK(f->error() == eddy::errc::closed);
}

TEST_CASE("an error type of one's own") {
  test::mock_task task;
  auto leaf = eddy::poll_fn([](eddy::context&) -> polled<eddy::result<int, std::string>> {
    return eddy::unexpected(std::string("own"));
  });
  auto p = task.poll(leaf);
  REQUIRE_FALSE(p->has_value());
  CHECK(p->error() == "own");
}

eddy::future<int> awaits(test::gate& g) {
  auto wait = g.wait();
  auto f =
      eddy::poll_fn([&wait, n = std::make_unique<note>("fn")](eddy::context& cx) -> polled<int> {
        if (!wait.poll(cx)) return pending;
        return 5;
      });
  const int v = co_await f;
  co_return v;
}

TEST_CASE("ready at once, ready later, dropped while waiting, dropped at every cut point") {
  for (int cut = 0; cut < 3; ++cut) {
    CAPTURE(cut);
    const test::leak_check leaks;
    test::take_trace();
    const auto before = note::live();
    test::gate g;
    {
      test::mock_task task;
      auto p = eddy::pin(awaits(g));
      if (cut > 0) CHECK_FALSE(task.poll(p).is_ready());
      if (cut > 1) {
        CHECK(g.waiting() == 1);
        CHECK(task.take_wakes() == 0);
        g.open();
        CHECK(task.take_wakes() == 1);
        auto r = task.poll(p);
        REQUIRE(r.is_ready());
        CHECK(**r == 5);
      }
    }
    CHECK(test::take_trace() == (cut == 0 ? "" : "~fn "));
    CHECK(note::live() == before);
  }
  const test::leak_check leaks;
  test::gate open;
  open.open();
  test::mock_task task;
  auto p = eddy::pin(awaits(open));
  CHECK(task.poll(p).is_ready());
  test::take_trace();
}

#if EDDY_EXCEPTIONS
eddy::future<std::string> catches() {
  try {
    auto f = eddy::poll_fn([](eddy::context&) -> polled<int> { throw std::runtime_error("fn"); });
    co_await f;
  } catch (const std::runtime_error& e) {
    co_return e.what();
  }
  co_return "";
}

TEST_CASE("what it throws comes out of the await") {
  const test::leak_check leaks;
  test::mock_task task;
  auto p = eddy::pin(catches());
  auto r = task.poll(p);
  REQUIRE(r.is_ready());
  CHECK(**r == "fn");
}
#endif

}  // namespace
