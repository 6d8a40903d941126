#include <eddy/core/future.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <eddy/core/pin.hpp>

#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using eddy::future;
using test::note;

template <class T>
eddy::result<T> finish(future<T> f) {
  test::mock_task task;
  auto p = eddy::pin(std::move(f));
  for (;;) {
    auto r = task.poll(p);
    if (r) return r.take();
    REQUIRE(task.take_wakes() != 0);
  }
}

future<int> number(int v, int turns = 0) {
  note n("number");
  co_await test::pass(turns);
  co_return v;
}
future<> nothing(int turns = 0) { co_await test::pass(turns); }
future<std::string> text_of(int v) {
  co_await test::pass(1);
  co_return std::to_string(v);
}

TEST_CASE("the value goes through the callable; a future that it returns is awaited") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) {
    CHECK(*finish(number(4, turns).then([](int v) { return v * 2; })) == 8);
    CHECK(*finish(number(4, turns).then(text_of)) == "4");
    CHECK(*finish(nothing(turns).then([] { return 3; })) == 3);
    CHECK(*finish(nothing(turns).then([] { return number(5); })) == 5);
    bool called = false;
    CHECK(finish(number(1, turns).then([&](int) { called = true; })).has_value());
    CHECK(called);
    CHECK(finish(nothing(turns).then([] { return nothing(1); })).has_value());
  }
  test::take_trace();
}

TEST_CASE("types: what the callable returns, without the future") {
  static_assert(std::is_same_v<decltype(number(1).then(text_of)), future<std::string>>);
  static_assert(std::is_same_v<decltype(nothing().then([] {})), future<>>);
}

int global = 0;
future<int&> reference() { co_return global; }

TEST_CASE("references and move-only values pass") {
  const test::leak_check leaks;
  int& r = *finish(reference().then([](int& v) -> int& { return v; }));
  CHECK(&r == &global);
  auto p = finish(number(2)
                      .then([](int v) { return std::make_unique<int>(v); })
                      .then([](std::unique_ptr<int> v) {
                        ++*v;
                        return v;
                      }));
  CHECK(**p == 3);
  test::take_trace();
}

TEST_CASE("it is lazy, and dropped unstarted it takes both parts with it") {
  const test::leak_check leaks;
  const auto before = note::live();
  test::take_trace();
  {
    auto f = number(1).then([n = std::make_shared<note>("callable")](int v) { return v; });
  }
  CHECK(test::take_trace() == "~callable ");
  CHECK(note::live() == before);
}

TEST_CASE("dropped at every cut point") {
  for (int cut = 0; cut < 4; ++cut) {
    const test::leak_check leaks;
    const auto before = note::live();
    {
      test::mock_task task;
      auto p = eddy::pin(number(1, 1).then(
          [n = std::make_shared<note>("callable")](int v) { return text_of(v); }));
      for (int i = 0; i < cut; ++i) {
        const bool ended = task.poll(p).is_ready();
        CHECK(ended == (i == 2));
      }
    }
    CHECK(note::live() == before);
  }
  test::take_trace();
}

#if EDDY_EXCEPTIONS

future<int> fails() {
  throw std::runtime_error("first");
  co_return 1;
}

TEST_CASE("a failure passes the callable by; the callable's own comes out") {
  const test::leak_check leaks;
  bool called = false;
  auto r = finish(fails().then([&](int v) {
    called = true;
    return v;
  }));
  REQUIRE_FALSE(r.has_value());
  CHECK_THROWS_WITH(r.value(), "first");
  CHECK_FALSE(called);
  auto q = finish(number(1).then([](int) -> int { throw std::runtime_error("second"); }));
  REQUIRE_FALSE(q.has_value());
  CHECK_THROWS_WITH(q.value(), "second");
  test::take_trace();
}

TEST_CASE("of an empty future: misuse when it is awaited") {
  const test::leak_check leaks;
  auto r = finish(future<int>().then([](int v) { return v; }));
  REQUIRE_FALSE(r.has_value());
  CHECK_THROWS_AS(r.value(), std::logic_error);
}

#endif

}  // namespace
