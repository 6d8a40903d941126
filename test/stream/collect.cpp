#include <eddy/stream/detail/collect.hpp>
#include <eddy/stream/detail/fold.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>

#include "stream/support.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

// What ends a stream: fold, collect, all, any.

namespace {

using eddy::errc;
using eddy::error;
using eddy::future;
using ints = std::vector<int>;

/// The value of a leaf that must be ready.
template <class Leaf>
auto now(Leaf leaf) {
  test::mock_task task;
  auto p = task.poll(leaf);
  REQUIRE(p.is_ready());
  return std::move(*p).value();
}

TEST_CASE("an empty stream collects to an empty container, and folds to what it began with") {
  const test::leak_check leaks;
  CHECK(now(eddy::empty_stream<int>().collect()).empty());
  CHECK(now(eddy::empty_stream<char>().collect<std::string>()).empty());
  CHECK(now(eddy::empty_stream<int>().fold(7, [](int a, int b) { return a + b; })) == 7);
}

template <class C, class T>
void check_collects(const std::vector<T>& values, const C& expected) {
  CAPTURE(__PRETTY_FUNCTION__);
  const test::leak_check leaks;
  test::mock_task task;
  test::feed<T> source;
  auto op = source.get().template collect<C>();
  for (const auto& v : values) {
    CHECK_FALSE(task.poll(op).is_ready());
    source.put(v);
    CHECK(task.take_wakes() == 1);
  }
  CHECK_FALSE(task.poll(op).is_ready());
  source.end();
  CHECK(task.take_wakes() == 1);
  auto p = task.poll(op);
  REQUIRE(p.is_ready());
  CHECK((*p->operator->() == expected));
}

TEST_CASE("collect fills every kind of sequence") {
  const ints v{1, 2, 42, 3};
  check_collects<std::vector<int>>(v, {1, 2, 42, 3});
  check_collects<std::deque<int>>(v, {1, 2, 42, 3});
  check_collects<std::list<int>>(v, {1, 2, 42, 3});
}
TEST_CASE("collect fills every kind of set and map") {
  using pairs = std::vector<std::pair<int, int>>;
  check_collects<std::set<int>>(ints{2, 1}, {1, 2});
  check_collects<std::unordered_set<int>>(ints{2, 1}, {1, 2});
  check_collects<std::map<int, int>>(pairs{{3, 4}, {1, 2}}, {{1, 2}, {3, 4}});
  check_collects<std::unordered_map<int, int>>(pairs{{3, 4}, {1, 2}}, {{1, 2}, {3, 4}});
}
TEST_CASE("collect fills a queue by priority") {
  auto q = now(eddy::stream_of(ints{2, 9, 1}).collect<std::priority_queue<int>>());
  CHECK(q.top() == 9);
  CHECK(q.size() == 3);
}
TEST_CASE("collect makes a string of characters, strings and views") {
  check_collects<std::string>(std::vector<char>{'a', 'b'}, "ab");
  check_collects<std::string>(std::vector<std::string>{"hello ", "world"}, "hello world");
  check_collects<std::string>(std::vector<std::string_view>{"hello ", "world"}, "hello world");
}

TEST_CASE("collect takes move-only values") {
  const test::leak_check leaks;
  auto boxes = now(
      eddy::stream_of(ints{1, 2}).map([](int v) { return std::make_unique<int>(v); }).collect());
  CHECK(*boxes.at(1) == 2);
}

TEST_CASE("the first failure is the outcome, and values() makes failures of results") {
  const test::leak_check leaks;
  test::mock_task task;
  using r = eddy::result<int>;
  auto good = eddy::stream_of(std::vector<r>{1, 2}).values().collect();
  CHECK(task.poll(good)->value() == ints{1, 2});
  const auto bad = [] {
    return eddy::stream_of(std::vector<r>{1, error(errc::lagged), error(errc::closed), 2}).values();
  };
  auto collected = bad().collect();
  CHECK(task.poll(collected)->error() == errc::lagged);
  auto folded = bad().fold(0, [](int a, int b) { return a + b; });
  CHECK(task.poll(folded)->error() == errc::lagged);
  auto s = bad();
  auto any = s.any([](int v) { return v > 1; });
  CHECK(task.poll(any)->error() == errc::lagged);
  auto all = s.all([](int v) { return v > 0; });
  CHECK(task.poll(all)->error() == errc::closed);
}

TEST_CASE("fold by value and in place, ready later") {
  const test::leak_check leaks;
  test::mock_task task;
  test::feed<int> source;
  auto sum = source.get().fold(0, [](int a, int b) { return a + b; });
  CHECK_FALSE(task.poll(sum).is_ready());
  source.put(2);
  source.put(3);
  CHECK_FALSE(task.poll(sum).is_ready());
  source.end();
  CHECK(task.take_wakes() == 2);
  CHECK(task.poll(sum)->value() == 5);
  CHECK(now(eddy::stream_of(ints{1, 2}).fold(std::string(), [](std::string& s, int v) {
          s += std::to_string(v);
        })) == "12");
  auto boxed = now(
      eddy::stream_of(ints{1, 2}).fold(std::make_unique<int>(3), [](std::unique_ptr<int> p, int v) {
        *p += v;
        return p;
      }));
  CHECK(*boxed == 6);
}

TEST_CASE("all and any stop at the value that decides; the rest can still be read") {
  const test::leak_check leaks;
  test::mock_task task;
  auto s = eddy::stream_of(ints{1, 2, 3, 4, 5});
  const auto ask = [&](auto leaf) { return task.poll(leaf)->value(); };
  CHECK(ask(s.any([](int v) { return v == 2; })));
  CHECK_FALSE(ask(s.all([](int v) { return v != 3; })));
  CHECK(test::value(task, s) == 4);
  CHECK_FALSE(ask(s.any([](int v) { return v == 9; })));
  CHECK(ask(s.all([](int) { return false; })));
  test::feed<int> source;
  auto waiting = source.get();
  auto leaf = waiting.any([](int v) { return v == 1; });
  CHECK_FALSE(task.poll(leaf).is_ready());
  source.put(1);
  CHECK(task.take_wakes() == 1);
  CHECK(task.poll(leaf)->value());
}

#if EDDY_EXCEPTIONS
TEST_CASE("what a callable throws ends fold, all and any") {
  const test::leak_check leaks;
  test::mock_task task;
  const auto fails = [](auto&&...) -> bool { throw std::runtime_error("callable"); };
  auto s = eddy::stream_of(ints{1, 2, 3});
  auto any = s.any(fails);
  CHECK(task.poll(any)->error().message() == "callable");
  auto all = s.all(fails);
  CHECK(task.poll(all)->error().message() == "callable");
  auto fold = std::move(s).fold(true, fails);
  CHECK(task.poll(fold)->error().message() == "callable");
}
#endif

TEST_CASE("fold, collect, all and any at every cut point") {
  CHECK(test::cut_points([]() -> future<> {
          const auto source = []() -> eddy::generator<std::string> {
            for (const char* text : {"one", "two", "three"}) {
              co_await eddy::sleep(std::chrono::seconds(1));
              co_yield std::string(text) + " and so on, on the heap";
            }
          };
          auto collecting = source().collect();
          const auto texts = co_await collecting;
          CHECK(texts.size() == 3);
          auto folding =
              source().fold(std::string(), [](std::string& all, std::string s) { all += s; });
          const auto text = co_await folding;
          CHECK(text.size() > 60);
          auto s = source();
          const bool any = co_await s.any([](const std::string& t) { return t[0] == 't'; });
          CHECK(any);
          const bool all = co_await s.all([](const std::string& t) { return t[0] == 't'; });
          CHECK(all);
        }) > 9);
}

}  // namespace
