#include <eddy/stream/stream.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eddy/stream.hpp>

#include "stream/support.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

namespace {

using eddy::errc;
using eddy::error;
using ints = std::vector<int>;
using test::all;
using test::at_end;
using test::is_pending;
using test::value;

auto numbers(int to) {
  ints v;
  for (int i = 1; i <= to; ++i) v.push_back(i);
  return eddy::stream_of(std::move(v));
}

static_assert(eddy::stream<decltype(numbers(1).map([](int v) { return v; }))>);
static_assert(std::is_same_v<eddy::stream_value<decltype(numbers(1))>, int>);
static_assert(!eddy::stream<int> && !eddy::stream<eddy::pending_t>);

TEST_CASE("each adapter gives what it says, and stays at its end") {
  const test::leak_check leaks;
  test::mock_task task;
  const auto check = [&](auto s, const auto& expected) {
    CHECK(all(task, s) == expected);
    CHECK(at_end(task, s));
    CHECK(s.is_terminated());
  };
  check(numbers(3).map([](int v) { return v * 2; }), ints{2, 4, 6});
  check(numbers(2).map([](int v) { return std::to_string(v); }),
        std::vector<std::string>{"1", "2"});
  check(numbers(6).filter([](const int& v) { return v % 2 == 0; }), ints{2, 4, 6});
  check(numbers(6).filter_map(
            [](int v) { return v % 3 == 0 ? std::optional(v * 10) : std::nullopt; }),
        ints{30, 60});
  check(numbers(9).map_while([](int v) { return v < 3 ? std::optional(v + 1) : std::nullopt; }),
        ints{2, 3});
  check(numbers(9).take(2), ints{1, 2});
  check(numbers(2).take(9), ints{1, 2});
  check(numbers(9).take(0), ints{});
  check(numbers(9).take_while([](int v) { return v < 4; }), ints{1, 2, 3});
  check(numbers(4).skip(2), ints{3, 4});
  check(numbers(4).skip(9), ints{});
  check(numbers(4).skip_while([](int v) { return v % 3 != 0; }), ints{3, 4});
  check(numbers(2).chain(numbers(3)), ints{1, 2, 1, 2, 3});
  check(numbers(2).chain(eddy::empty_stream<int>()), ints{1, 2});
  check(numbers(3).merge(numbers(1)), ints{1, 1, 2, 3});
  check(numbers(2).fuse(), ints{1, 2});
  check(numbers(1).notify_close(), std::vector<std::optional<int>>{1, std::nullopt});
  check(numbers(2).peekable(), ints{1, 2});
  check(numbers(2).boxed(), ints{1, 2});
  check(numbers(2).results().values(), ints{1, 2});
  check(numbers(9).filter([](int v) { return v > 2; }).map([](int v) { return v * v; }).take(2),
        ints{9, 16});
}

TEST_CASE("a pending stream makes each adapter pending, and its wake wakes") {
  const test::leak_check leaks;
  test::mock_task task;
  const auto check = [&](auto adapt) {
    test::feed<int> source;
    auto s = adapt(source.get());
    CHECK(is_pending(task, s));
    CHECK_FALSE(task.is_woken());
    source.put(5);
    CHECK(task.take_wakes() == 1);
    auto got = test::step(task, s);
    REQUIRE(got.is_ready());
    CHECK(got->value().has_value());
    CHECK(is_pending(task, s));
    source.end();
    CHECK(task.take_wakes() == 1);
  };
  check([](auto s) { return std::move(s).map([](int v) { return v; }); });
  check([](auto s) { return std::move(s).filter([](int) { return true; }); });
  check([](auto s) { return std::move(s).filter_map([](int v) { return std::optional(v); }); });
  check([](auto s) { return std::move(s).map_while([](int v) { return std::optional(v); }); });
  check([](auto s) { return std::move(s).take(5); });
  check([](auto s) { return std::move(s).take_while([](int) { return true; }); });
  check([](auto s) { return std::move(s).skip(0); });
  check([](auto s) { return std::move(s).skip_while([](int) { return false; }); });
  check([](auto s) { return std::move(s).chain(eddy::empty_stream<int>()); });
  check([](auto s) { return eddy::empty_stream<int>().chain(std::move(s)); });
  check([](auto s) { return std::move(s).merge(eddy::pending_stream<int>()); });
  check([](auto s) { return eddy::empty_stream<int>().merge(std::move(s)); });
  check([](auto s) { return std::move(s).fuse(); });
  check([](auto s) { return std::move(s).notify_close(); });
  check([](auto s) { return std::move(s).peekable(); });
  check([](auto s) { return std::move(s).results(); });
  check([](auto s) { return std::move(s).boxed(); });
}

TEST_CASE("a failure comes through each adapter, and the values behind it too") {
  const test::leak_check leaks;
  test::mock_task task;
  const auto check = [&](auto adapt) {
    test::feed<int> source;
    source.put(1);
    source.fail(error(errc::lagged));
    source.put(2);
    source.end();
    auto s = adapt(source.get());
    CHECK(value(task, s) == 1);
    CHECK(test::failure(task, s) == errc::lagged);
    CHECK(value(task, s) == 2);
    CHECK(at_end(task, s));
  };
  check([](auto s) { return std::move(s).map([](int v) { return v; }); });
  check([](auto s) { return std::move(s).filter([](int) { return true; }); });
  check([](auto s) { return std::move(s).filter_map([](int v) { return std::optional(v); }); });
  check([](auto s) { return std::move(s).map_while([](int v) { return std::optional(v); }); });
  check([](auto s) { return std::move(s).take(2); });
  check([](auto s) { return std::move(s).take_while([](int) { return true; }); });
  check([](auto s) { return std::move(s).skip(0); });
  check([](auto s) { return std::move(s).skip_while([](int) { return false; }); });
  check([](auto s) { return std::move(s).chain(eddy::empty_stream<int>()); });
  check([](auto s) { return std::move(s).merge(eddy::empty_stream<int>()); });
  check([](auto s) { return std::move(s).fuse(); });
  check([](auto s) { return std::move(s).peekable(); });
  check([](auto s) { return std::move(s).boxed(); });
  check([](auto s) { return std::move(s).results().values(); });

  test::feed<int> source;
  source.fail(error(errc::lagged));
  auto closing = source.get().notify_close();
  CHECK(test::failure(task, closing) == errc::lagged);
  source.fail(error(errc::closed));
  source.put(3);
  auto values = source.get().results();
  CHECK(value(task, values).error() == errc::closed);
  CHECK(value(task, values).value() == 3);
}

#if EDDY_EXCEPTIONS
TEST_CASE("what a callable throws is the failure of its value, and the stream goes on") {
  const test::leak_check leaks;
  test::mock_task task;
  const auto check = [&](auto s) {
    CHECK(value(task, s) == 1);
    CHECK(test::failure(task, s).message() == "two");
    CHECK(value(task, s) == 3);
  };
  const auto picky = [](int v) {
    if (v == 2) throw std::runtime_error("two");
    return v;
  };
  check(numbers(3).map(picky));
  check(numbers(3).filter([=](int v) { return picky(v) != 0; }));
  check(numbers(3).filter_map([=](int v) { return std::optional(picky(v)); }));
  check(numbers(3).map_while([=](int v) { return std::optional(picky(v)); }));
  check(numbers(3).take_while([=](int v) { return picky(v) != 0; }));
  auto skip = numbers(3).skip_while([=](int v) { return picky(v) < 3; });
  CHECK(test::failure(task, skip).message() == "two");
  CHECK(value(task, skip) == 3);
}

/// Cannot be moved a certain number of times without throwing.
class fragile {
 public:
  explicit fragile(int moves) noexcept : left_(moves) {}
  fragile(fragile&& other) : left_(other.left_ - 1) {
    if (left_ < 0) throw std::runtime_error("fragile");
  }

 private:
  int left_;
};

TEST_CASE("a value whose move throws is a failure of next(), wherever that happens") {
  const test::leak_check leaks;
  test::mock_task task;
  const auto check = [&](auto adapt) {
    bool seen = false;
    for (int moves = 0; moves < 40; ++moves) {
      auto s = adapt(
          [moves] { return eddy::once_stream(1).map([moves](int) { return fragile(moves); }); }());
      auto leaf = s.next();
      auto p = task.poll(leaf);
      REQUIRE(p.is_ready());
      if (p->has_value()) {
        CHECK(seen);
        return;
      }
      seen = true;
      CHECK(p->error().message() == "fragile");
    }
    FAIL("never came through");
  };
  check([](auto s) { return s; });
  check([](auto s) { return std::move(s).filter([](const fragile&) { return true; }); });
  check([](auto s) { return std::move(s).take_while([](const fragile&) { return true; }); });
  check([](auto s) { return std::move(s).skip(0); });
  check([](auto s) { return std::move(s).notify_close(); });
  check([](auto s) { return std::move(s).results().values(); });
  check([](auto s) { return std::move(s).peekable(); });
  check([](auto s) { return std::move(s).map([](fragile v) { return v; }); });
}
#endif

TEST_CASE("move-only values go through all of it") {
  const test::leak_check leaks;
  test::mock_task task;
  using box = std::unique_ptr<int>;
  std::vector<box> v;
  for (int i = 0; i < 6; ++i) v.push_back(std::make_unique<int>(i));
  auto s = eddy::stream_of(std::move(v))
               .filter([](const box& b) { return *b != 1; })
               .skip(1)
               .skip_while([](const box& b) { return *b < 2; })
               .map([](box b) { return b; })
               .filter_map([](box b) { return std::optional<box>(std::move(b)); })
               .take_while([](const box& b) { return *b < 5; })
               .chain(eddy::once_stream(std::make_unique<int>(8)))
               .merge(eddy::empty_stream<box>())
               .fuse()
               .results()
               .values()
               .peekable()
               .boxed()
               .take(9);
  for (const int expected : {2, 3, 4, 8}) CHECK(*value(task, s) == expected);
  CHECK(at_end(task, s));
}

TEST_CASE("map and filter take members as callables") {
  test::mock_task task;
  auto s = eddy::stream_of(std::vector<std::string>{"", "ab"})
               .filter([](const std::string& t) { return !t.empty(); })
               .map(&std::string::size);
  CHECK(value(task, s) == 2);
}

TEST_CASE(
    "take polls no more once it has its values, map_while and take_while once they have stopped") {
  const test::leak_check leaks;
  test::mock_task task;
  test::feed<int> source;
  for (const int v : {1, 2, 3, 4, 5}) source.put(v);
  {
    auto s = source.get().take(2);
    CHECK(all(task, s) == ints{1, 2});
    CHECK(source.polls() == 2);
  }
  {
    auto s = source.get().take_while([](int v) { return v < 3; });
    CHECK(all(task, s) == ints{});
    CHECK(at_end(task, s));
    CHECK(source.polls() == 3);
  }
  {
    auto s = source.get().map_while([](int) { return std::optional<int>(); });
    CHECK(all(task, s) == ints{});
    CHECK(at_end(task, s));
    CHECK(source.polls() == 4);
  }
}

TEST_CASE("chain destroys its first at its end; the second is not polled before") {
  const test::leak_check leaks;
  test::mock_task task;
  test::feed<int> first, second;
  second.put(2);
  auto s = first.get().chain(second.get());
  CHECK(is_pending(task, s));
  CHECK(second.polls() == 0);
  CHECK_FALSE(first.dropped());
  first.end();
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, s) == 2);
  CHECK(first.dropped());
}

TEST_CASE("merge takes both in turn while both are ready, and does not poll one that has ended") {
  const test::leak_check leaks;
  test::mock_task task;
  test::feed<int> a, b;
  auto s = a.get().merge(b.get());
  a.end();
  CHECK(is_pending(task, s));
  const int polls = a.polls();
  for (const int v : {1, 2, 3}) b.put(v);
  b.end();
  CHECK(all(task, s) == ints{1, 2, 3});
  CHECK(at_end(task, s));
  CHECK(a.polls() == polls);

  auto even = numbers(100).merge(numbers(100).map([](int v) { return -v; }));
  for (int i = 1; i <= 100; ++i) {
    CHECK(value(task, even) == i);
    CHECK(value(task, even) == -i);
  }
}

TEST_CASE("fuse keeps a stream at its first end") {
  struct alternate : eddy::stream_base<alternate> {
    int at = 0;
    eddy::polled<std::optional<int>> poll_next(eddy::context&) noexcept {
      return at++ % 2 == 0 ? std::optional(at) : std::nullopt;
    }
  };
  test::mock_task task;
  auto s = alternate().fuse();
  CHECK(value(task, s) == 1);
  CHECK_FALSE(s.is_terminated());
  CHECK(at_end(task, s));
  CHECK(at_end(task, s));
  CHECK(s.is_terminated());
  CHECK(s.inner().at == 2);
}

TEST_CASE("peek shows the next value and leaves it; a failure seen by peek is over") {
  const test::leak_check leaks;
  test::mock_task task;
  test::feed<int> source;
  auto s = source.get().peekable();
  auto leaf = s.peek();
  CHECK_FALSE(task.poll(leaf).is_ready());
  source.put(4);
  CHECK(task.take_wakes() == 1);
  auto p = task.poll(leaf);
  REQUIRE(p.is_ready());
  *p->value() += 1;
  auto again = s.peek();
  CHECK(*task.poll(again)->value() == 5);
  CHECK(value(task, s) == 5);
  source.fail(error(errc::lagged));
  source.end();
  auto failing = s.peek();
  CHECK(task.poll(failing)->error() == errc::lagged);
  CHECK_FALSE(s.is_terminated());
  auto ended = s.peek();
  CHECK(task.poll(ended)->value() == nullptr);
  CHECK(s.is_terminated());
  CHECK(at_end(task, s));
}

TEST_CASE("by_ref takes from a stream that stays where it is") {
  const test::leak_check leaks;
  test::mock_task task;
  auto s = numbers(5);
  auto two = s.by_ref().take(2);
  CHECK(all(task, two) == ints{1, 2});
  CHECK(value(task, s) == 3);
  auto rest = s.by_ref().map([](int v) { return -v; });
  CHECK(all(task, rest) == ints{-4, -5});
  CHECK(rest.is_terminated());
}

TEST_CASE("boxed streams of different kinds are one type, which may be moved") {
  const test::leak_check leaks;
  test::mock_task task;
  std::vector<eddy::boxed_stream<int>> many;
  many.push_back(numbers(1).boxed());
  many.push_back(eddy::once_stream(7).map([](int v) { return v + 1; }).boxed());
  CHECK(value(task, many[1]) == 8);
  auto moved = std::move(many[0]);
  CHECK(value(task, moved) == 1);
  CHECK(test::failure(task, many[0]) == errc::misuse);
  many[0] = std::move(moved);
  CHECK(at_end(task, many[0]));
}

TEST_CASE("an adapter that is moved while it waits goes on in its new place") {
  const test::leak_check leaks;
  test::mock_task task;
  test::feed<int> source;
  auto s =
      source.get().merge(eddy::pending_stream<int>()).map([](int v) { return v + 1; }).peekable();
  CHECK(is_pending(task, s));
  auto moved = std::move(s);
  source.put(1);
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, moved) == 2);
}

}  // namespace
