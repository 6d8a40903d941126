// What tokio-util's sync_cancellation_token.rs asks is here too. docs/conformance.tsv says which case is which
// test.

#include <eddy/sync/cancellation_token.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::sync::cancellation_token;
using test::mock_task;
using test::note;

TEST_CASE("all who wait are woken, and are ready from then on") {
  const test::leak_check leaks;
  mock_task task;
  const cancellation_token token;
  CHECK_FALSE(token.is_cancelled());
  auto polled = token.cancelled();
  auto unpolled = token.cancelled();
  CHECK_FALSE(task.poll(polled).is_ready());
  CHECK(task.take_wakes() == 0);
  token.cancel();
  CHECK(task.take_wakes() == 1);
  CHECK(token.is_cancelled());
  CHECK(task.poll(polled).is_ready());
  CHECK(task.poll(unpolled).is_ready());
  auto late = token.cancelled();
  CHECK(task.poll(late).is_ready());
  token.cancel();
  CHECK(task.take_wakes() == 0);
}

TEST_CASE("a wait with a handle of its own: woken as the others") {
  const test::leak_check leaks;
  mock_task task;
  std::optional<cancellation_token> token(std::in_place);
  auto polled = token->cancelled_owned();
  auto unpolled = token->cancelled_owned();
  CHECK_FALSE(task.poll(polled).is_ready());
  token->cancel();
  token.reset();
  CHECK(task.take_wakes() == 1);
  CHECK(task.poll(polled).is_ready());
  CHECK(task.poll(unpolled).is_ready());
}

TEST_CASE("a wait with a handle of its own is dropped as the last of its token") {
  const test::leak_check leaks;
  mock_task task;
  {
    auto wait = cancellation_token().cancelled_owned();
    CHECK_FALSE(task.poll(wait).is_ready());
  }
  CHECK(task.take_wakes() == 0);
  CHECK(task.references() == 0);
}

TEST_CASE("dropped while waiting: not woken, and no waker is left") {
  mock_task task;
  const cancellation_token token;
  {
    auto wait = token.cancelled();
    CHECK_FALSE(task.poll(wait).is_ready());
  }
  CHECK(task.references() == 0);
  token.cancel();
  CHECK(task.take_wakes() == 0);
}

TEST_CASE("a child is cancelled with its parent") {
  const test::leak_check leaks;
  mock_task task;
  const cancellation_token token;
  const auto child = token.child_token();
  auto of_child = child.cancelled();
  auto of_parent = token.cancelled();
  CHECK_FALSE(task.poll(of_child).is_ready());
  CHECK_FALSE(task.poll(of_parent).is_ready());
  token.cancel();
  CHECK(task.take_wakes() == 2);
  CHECK(child.is_cancelled());
  CHECK(task.poll(of_child).is_ready());
  CHECK(task.poll(of_parent).is_ready());
}

TEST_CASE("a grandchild is cancelled with its grandparent when the token between is gone") {
  const test::leak_check leaks;
  mock_task task;
  const cancellation_token token;
  std::optional<cancellation_token> between(token.child_token());
  const auto grandchild = between->child_token();
  between.reset();
  CHECK_FALSE(grandchild.is_cancelled());
  auto wait = grandchild.cancelled();
  auto of_token = token.cancelled();
  CHECK_FALSE(task.poll(wait).is_ready());
  CHECK_FALSE(task.poll(of_token).is_ready());
  token.cancel();
  CHECK(task.take_wakes() == 2);
  CHECK(grandchild.is_cancelled());
  CHECK(task.poll(wait).is_ready());
  CHECK(task.poll(of_token).is_ready());
}

TEST_CASE("a cancelled child leaves its parent alone, which can have others") {
  const test::leak_check leaks;
  mock_task task;
  const cancellation_token token;
  const auto first = token.child_token();
  auto of_first = first.cancelled();
  auto of_token = token.cancelled();
  CHECK_FALSE(task.poll(of_first).is_ready());
  CHECK_FALSE(task.poll(of_token).is_ready());
  first.cancel();
  CHECK(task.take_wakes() == 1);
  CHECK_FALSE(token.is_cancelled());
  CHECK(task.poll(of_first).is_ready());
  CHECK_FALSE(task.poll(of_token).is_ready());
  const auto second = token.child_token();
  auto of_second = second.cancelled();
  CHECK_FALSE(task.poll(of_second).is_ready());
  token.cancel();
  CHECK(task.take_wakes() == 2);
  CHECK(second.is_cancelled());
  CHECK(task.poll(of_second).is_ready());
  CHECK(task.poll(of_token).is_ready());
}

TEST_CASE("a child of a cancelled token is cancelled, whichever goes first") {
  const test::leak_check leaks;
  for (const bool child_first : {true, false}) {
    mock_task task;
    std::optional<cancellation_token> token(std::in_place);
    token->cancel();
    std::optional<cancellation_token> child(token->child_token());
    CHECK(child->is_cancelled());
    {
      auto of_child = child->cancelled();
      CHECK(task.poll(of_child).is_ready());
      CHECK(task.take_wakes() == 0);
    }
    (child_first ? child : token).reset();
    (child_first ? token : child).reset();
  }
}

TEST_CASE("children are dropped in any order") {
  const test::leak_check leaks;
  for (const bool forward : {true, false}) {
    const cancellation_token token;
    std::array<std::optional<cancellation_token>, 3> children;
    for (auto& each : children) each = token.child_token();
    for (std::size_t i = 0; i < children.size(); ++i) {
      children[forward ? i : children.size() - 1 - i].reset();
      CHECK_FALSE(token.is_cancelled());
    }
  }
}

TEST_CASE("all descendants are cancelled, and nobody else") {
  const test::leak_check leaks;
  mock_task task;
  const cancellation_token parent;
  const auto token = parent.child_token(), sibling = parent.child_token();
  const auto child1 = token.child_token(), child2 = token.child_token();
  const auto grandchild1 = child1.child_token(), grandchild2 = child1.child_token();
  const auto great_grandchild = grandchild1.child_token();
  const std::array below{token, child1, child2, grandchild1, grandchild2, great_grandchild};
  std::list<decltype(token.cancelled())> waits;
  for (const auto& each : below) waits.push_back(each.cancelled());
  for (auto& each : waits) CHECK_FALSE(task.poll(each).is_ready());
  auto of_parent = parent.cancelled();
  auto of_sibling = sibling.cancelled();
  CHECK_FALSE(task.poll(of_parent).is_ready());
  CHECK_FALSE(task.poll(of_sibling).is_ready());
  token.cancel();
  CHECK(task.take_wakes() == 6);
  for (const auto& each : below) CHECK(each.is_cancelled());
  for (auto& each : waits) CHECK(task.poll(each).is_ready());
  CHECK_FALSE(parent.is_cancelled());
  CHECK_FALSE(sibling.is_cancelled());
  CHECK_FALSE(task.poll(of_parent).is_ready());
  CHECK_FALSE(task.poll(of_sibling).is_ready());
  parent.cancel();
  CHECK(sibling.is_cancelled());
}

TEST_CASE("a parent that goes leaves its children uncancelled, and cancellable each by itself") {
  const test::leak_check leaks;
  std::optional<cancellation_token> token(std::in_place);
  const auto one = token->child_token(), two = token->child_token();
  const auto below = two.child_token();
  token.reset();
  CHECK_FALSE(one.is_cancelled());
  one.cancel();
  CHECK_FALSE(two.is_cancelled());
  two.cancel();
  CHECK(below.is_cancelled());
}

TEST_CASE("a chain of children whose parents have gone does not grow") {
  const test::leak_check leaks;
  cancellation_token root;
  auto last = root.child_token();
  const auto before = eddy::detail::live_frames();
  for (int i = 0; i < 100; ++i) last = last.child_token();
  CHECK(eddy::detail::live_frames() == before);
  root.cancel();
  CHECK(last.is_cancelled());
}

TEST_CASE("handles of one token are equal and hash alike; of others not") {
  const cancellation_token token;
  const auto handle = token;
  const std::hash<cancellation_token> hash;
  CHECK(handle == token);
  CHECK(hash(handle) == hash(token));
  const auto child = token.child_token();
  CHECK(child != token);
  CHECK(hash(child) != hash(token));
  CHECK(cancellation_token() != token);
}

TEST_CASE("a drop guard cancels at its end, unless it was disarmed or moved from") {
  const test::leak_check leaks;
  const cancellation_token token;
  {
    auto guard = token.drop_guard();
    CHECK(guard.disarm() == token);
  }
  CHECK_FALSE(token.is_cancelled());
  {
    auto guard = token.drop_guard();
    std::optional<eddy::sync::drop_guard> moved(std::move(guard));
    CHECK_FALSE(token.is_cancelled());
    moved.reset();
    CHECK(token.is_cancelled());
  }
  const cancellation_token replaced;
  {
    auto guard = token.drop_guard();
    guard = replaced.drop_guard();
    CHECK_FALSE(replaced.is_cancelled());
  }
  CHECK(replaced.is_cancelled());
}

#if EDDY_EXCEPTIONS
TEST_CASE("a drop guard that is disarmed twice says so") {
  const cancellation_token token;
  auto guard = token.drop_guard();
  static_cast<void>(guard.disarm());
  CHECK_THROWS_AS(static_cast<void>(guard.disarm()), std::logic_error);
}
#endif

// ---- run_until_cancelled

future<int> answer(test::gate& g, note) {
  note local("local");
  co_await g.wait();
  co_return 42;
}

template <class Run>
void run_and_cancel(Run run) {
  const test::leak_check leaks;
  test::take_trace();
  test::gate g;
  mock_task task;
  const cancellation_token token;
  auto op = run(token, answer(g, note("arg")));
  CHECK_FALSE(task.poll(op).is_ready());
  token.cancel();
  CHECK(task.take_wakes() == 1);
  auto r = task.poll(op);
  REQUIRE(r.is_ready());
  REQUIRE(r->has_value());
  CHECK_FALSE((*r)->has_value());
  CHECK(test::take_trace() == "~local ~arg ");
}
template <class Run>
void run_to_the_end(Run run) {
  const test::leak_check leaks;
  test::gate g;
  mock_task task;
  const cancellation_token token;
  {
    auto op = run(token, answer(g, note("arg")));
    CHECK_FALSE(task.poll(op).is_ready());
    g.open();
    CHECK(task.take_wakes() == 1);
    token.cancel();  // in the same moment: the value wins
    auto r = task.poll(op);
    REQUIRE(r.is_ready());
    CHECK(**r == 42);
  }
  CHECK(task.references() == 0);
  test::take_trace();
}
constexpr auto by_reference = [](const cancellation_token& t, auto x) {
  return t.run_until_cancelled(std::move(x));
};
constexpr auto by_handle = [](const cancellation_token& t, auto x) {
  return t.run_until_cancelled_owned(std::move(x));
};

TEST_CASE("run_until_cancelled: the value, or nothing and the work is gone") {
  run_and_cancel(by_reference);
  run_to_the_end(by_reference);
  const cancellation_token token;
  test::gate g;
  mock_task task;
  auto op = token.run_until_cancelled(g.wait());
  token.cancel();
  auto r = task.poll(op);
  REQUIRE(r.is_ready());
  CHECK_FALSE((*r)->has_value());
  CHECK(g.polls() == 0);
}

TEST_CASE("run_until_cancelled_owned: the same, with a handle of its own") {
  run_and_cancel(by_handle);
  run_to_the_end(by_handle);
}

TEST_CASE("run_until_cancelled dropped while waiting: both wakers are gone") {
  test::gate g;
  mock_task task;
  const cancellation_token token;
  {
    auto op = token.run_until_cancelled(g.wait());
    CHECK_FALSE(task.poll(op).is_ready());
  }
  CHECK(g.waiting() == 0);
  CHECK(task.references() == 0);
}

TEST_CASE(
    "run_until_cancelled takes leaves, void, references, move-only values and failures; a pinned "
    "stays") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    const cancellation_token token;
    auto slept = co_await token.run_until_cancelled(eddy::sleep(1s));
    static_assert(std::is_same_v<decltype(slept), std::optional<eddy::unit>>);
    CHECK(slept.has_value());
    int n = 0;
    auto ref = co_await token.run_until_cancelled([](int& v) -> future<int&> { co_return v; }(n));
    CHECK(ref == &n);
    auto p = co_await token.run_until_cancelled(
        test::after<std::unique_ptr<int>>(2, std::make_unique<int>(3)));
    CHECK(**p == 3);
    auto failed =
        co_await eddy::attempt(token.run_until_cancelled(eddy::timeout(1s, eddy::sleep(1h))));
    CHECK(failed.error() == eddy::errc::elapsed);

    test::gate g;
    auto work = eddy::pin(answer(g, note("arg")));
    {
      const auto round = token.child_token();
      auto canceller = eddy::spawn(
          [](cancellation_token t) -> future<> {
            t.cancel();
            co_return;
          },
          round);
      auto none = co_await round.run_until_cancelled(work);
      CHECK_FALSE(none.has_value());
      co_await canceller;
    }
    CHECK(g.waiting() == 1);
    g.open();
    auto some = co_await token.run_until_cancelled(work);
    CHECK(some == 42);
  });
  test::take_trace();
}

future<> scenario() {
  auto token = std::make_shared<cancellation_token>();
  auto waits = eddy::spawn([](cancellation_token t) -> future<> { co_await t.cancelled(); },
                           token->child_token());
  auto works = eddy::spawn(
      [](cancellation_token t, note) -> future<> {
        auto done = co_await t.run_until_cancelled(eddy::sleep(1h));
        CHECK_FALSE(done.has_value());
      },
      *token, note("n"));
  co_await eddy::sleep(1s);
  {
    const auto guard = token->drop_guard();
  }
  co_await waits;
  co_await works;
}

TEST_CASE("dropped at every cut point") {
  const auto before = note::live();
  CHECK(test::cut_points(scenario) >= 4);
  CHECK(note::live() == before);
  test::take_trace();
}

}  // namespace
