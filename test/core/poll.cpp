#include <eddy/core/poll.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>

#include <eddy/base/error.hpp>
#include <eddy/core/context.hpp>

namespace {

using eddy::pending;
using eddy::polled;

TEST_CASE("pending holds nothing, a value is ready") {
  polled<int> none = pending;
  CHECK_FALSE(none.is_ready());
  CHECK_FALSE(static_cast<bool>(none));
  polled<int> seven = 7;
  CHECK(seven.is_ready());
  CHECK(*seven == 7);
  CHECK(seven.take() == 7);
}

TEST_CASE("void is ready or pending") {
  polled<> none = pending;
  CHECK_FALSE(none.is_ready());
  polled<> done = eddy::ready;
  CHECK(done.is_ready());
  CHECK(static_cast<bool>(done));
  static_assert(std::is_void_v<decltype(done.take())>);
}

TEST_CASE("a reference is handed over as the same object") {
  int n = 1;
  polled<int&> p = n;
  CHECK(p.is_ready());
  CHECK(&*p == &n);
  p.take() = 5;
  CHECK(n == 5);
  static_assert(std::is_same_v<decltype(p.take()), int&>);
  static_assert(noexcept(p.take()));

  const std::string text = "abc";
  polled<const std::string&> q = text;
  CHECK(&q.take() == &text);
  CHECK(q->size() == 3);
}

TEST_CASE("a move-only value is taken out") {
  polled<std::unique_ptr<int>> p = std::make_unique<int>(3);
  CHECK(**p == 3);
  const auto out = p.take();
  CHECK(*out == 3);
  CHECK(*p == nullptr);
}

TEST_CASE("a value is made from what its type can be made from") {
  polled<std::string> p = "text";
  CHECK(p->size() == 4);
  polled<eddy::result<int>> value = 4;
  REQUIRE(value->has_value());
  CHECK(**value == 4);
  polled<eddy::result<int>> failed = eddy::error(eddy::errc::closed, "test");
  REQUIRE(failed.is_ready());
  REQUIRE_FALSE(failed->has_value());
  CHECK(failed->error() == eddy::errc::closed);
}

struct good {
  polled<int> poll(eddy::context&) noexcept { return 1; }
};
struct may_throw {
  polled<int> poll(eddy::context&) { return 1; }
};
struct answers_int {
  int poll(eddy::context&) noexcept { return 1; }
};
struct wants_more {
  polled<int> poll(eddy::context&, int) noexcept { return 1; }
};
struct fails {
  polled<eddy::result<int>> poll(eddy::context&) noexcept { return 1; }
};
struct keeps : fails {
  static constexpr bool keeps_result = true;
};

TEST_CASE("a leaf is what has a noexcept poll that answers polled") {
  static_assert(eddy::pollable<good>);
  static_assert(eddy::pollable<good&>);
  static_assert(!eddy::pollable<may_throw>);
  static_assert(!eddy::pollable<answers_int>);
  static_assert(!eddy::pollable<wants_more>);
  static_assert(!eddy::pollable<int>);
}

TEST_CASE("a result is opened by an await, unless the leaf keeps it") {
  using eddy::detail::outcome_of;
  static_assert(std::is_same_v<outcome_of<good>::value_type, int> && !outcome_of<good>::fails);
  static_assert(std::is_same_v<outcome_of<fails>::value_type, int> && outcome_of<fails>::fails);
  static_assert(std::is_same_v<outcome_of<keeps&>::value_type, eddy::result<int>>);
  static_assert(!outcome_of<keeps>::fails);
}

}  // namespace
