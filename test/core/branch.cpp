#include <eddy/core/detail/branch.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using eddy::detail::branch;
using test::note;

eddy::future<int> work(test::gate& g, note) {
  co_await g.wait();
  co_return 3;
}

TEST_CASE("a future by value: moved until its first poll, gone with the answer") {
  const test::leak_check leaks;
  test::take_trace();
  test::gate g;
  test::mock_task task;
  branch<eddy::future<int>> made(work(g, note("arg")));
  auto b = std::move(made);
  CHECK_FALSE(task.poll(b).is_ready());
  g.open();
  auto r = task.poll(b);
  REQUIRE(r.is_ready());
  CHECK(**r == 3);
  CHECK(test::take_trace() == "~arg ");
  b.drop();
}

TEST_CASE("a future by value: drop destroys what has not ended, whether it has started or not") {
  const test::leak_check leaks;
  test::take_trace();
  test::gate g;
  test::mock_task task;
  branch<eddy::future<int>> unstarted(work(g, note("unstarted")));
  unstarted.drop();
  CHECK(test::take_trace() == "~unstarted ");
  branch<eddy::future<int>> waiting(work(g, note("waiting")));
  CHECK_FALSE(task.poll(waiting).is_ready());
  CHECK(g.waiting() == 1);
  waiting.drop();
  CHECK(g.waiting() == 0);
  CHECK(test::take_trace() == "~waiting ");
  waiting.drop();
}

TEST_CASE("a future by value: polled after its end or after a drop it says misuse") {
  const test::leak_check leaks;
  test::gate g;
  g.open();
  test::mock_task task;
  branch<eddy::future<int>> ended(work(g, note("a")));
  CHECK(task.poll(ended).is_ready());
  branch<eddy::future<int>> dropped(work(g, note("b")));
  dropped.drop();
  for (auto* b : {&ended, &dropped}) {
    auto r = task.poll(*b);
    REQUIRE(r.is_ready());
    REQUIRE_FALSE(r->has_value());
    CHECK(r->error() == eddy::errc::misuse);
  }
  test::take_trace();
}

TEST_CASE("a leaf by value is dropped, one by reference is left alone") {
  test::gate g;
  test::mock_task task;
  {
    branch<test::gate::leaf> mine(g.wait());
    CHECK_FALSE(task.poll(mine).is_ready());
    CHECK(g.waiting() == 1);
    mine.drop();
    CHECK(g.waiting() == 0);
  }
  auto leaf = g.wait();
  {
    branch<test::gate::leaf&> lent(leaf);
    CHECK_FALSE(task.poll(lent).is_ready());
    lent.drop();
    CHECK(g.waiting() == 1);
    g.open();
    CHECK(task.poll(lent)->has_value());
  }
  CHECK(g.waiting() == 1);
}

class own_error {
 public:
  static eddy::polled<eddy::result<int, std::string>> poll(eddy::context&) noexcept {
    return eddy::unexpected(std::string("own"));
  }
};

TEST_CASE("all answer with a result; a leaf's own error type stays") {
  test::mock_task task;
  branch<test::after<int>> plain(test::after<int>(0, 4));
  auto r = task.poll(plain);
  static_assert(std::is_same_v<decltype(r), eddy::polled<eddy::result<int>>>);
  CHECK(**r == 4);
  branch<own_error> own{own_error()};
  auto e = task.poll(own);
  static_assert(std::is_same_v<decltype(e), eddy::polled<eddy::result<int, std::string>>>);
  CHECK(e->error() == "own");
  int n = 0;
  branch<eddy::future<int&>> reference([](int& v) -> eddy::future<int&> { co_return v; }(n));
  auto q = task.poll(reference);
  CHECK(&**q == &n);
}

TEST_CASE("what can be awaited") {
  using eddy::detail::awaitable;
  static_assert(awaitable<eddy::future<int>>);
  static_assert(awaitable<test::pass>);
  static_assert(awaitable<test::pass&>);
  static_assert(!awaitable<int>);
}

#if EDDY_EXCEPTIONS
TEST_CASE("an empty future cannot become a branch") {
  CHECK_THROWS_AS(branch<eddy::future<int>>(eddy::future<int>()), std::logic_error);
}
#endif

}  // namespace
