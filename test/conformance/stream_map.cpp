// The behaviour that tokio-stream's stream_stream_map.rs tests. docs/conformance.tsv says which
// case is which test.

#include <eddy/stream/stream_map.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>

#include "stream/support.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

namespace {

using namespace std::string_view_literals;
using eddy::future;
using test::at_end;
using test::is_pending;
using test::value;
using feed = test::feed<int>;
using fed_map = eddy::stream_map<std::string, feed::stream>;
using pair = std::pair<std::string, int>;
using int_map = eddy::stream_map<int, eddy::boxed_stream<int>>;
using buffer = std::vector<std::pair<int, int>>;

eddy::boxed_stream<int> of(std::vector<int> v) { return eddy::stream_of(std::move(v)).boxed(); }

TEST_CASE("an empty map is at its end and has nothing to remove") {
  test::mock_task task;
  fed_map map;
  CHECK(map.size() == 0);
  CHECK(map.empty());
  CHECK(at_end(task, map));
  CHECK(at_end(task, map));
  CHECK_FALSE(map.remove("foo"));
  CHECK(map.capacity() == 0);
}

TEST_CASE("a map of one stream returns its values with its key, and ends with it") {
  const test::leak_check leaks;
  test::mock_task task;
  feed source;
  fed_map map;
  CHECK(at_end(task, map));
  CHECK_FALSE(map.insert("foo", source.get()));
  CHECK(map.contains("foo"sv));
  CHECK_FALSE(map.contains("bar"));
  CHECK(map.size() == 1);
  CHECK(is_pending(task, map));
  for (const int v : {1, 2}) {
    source.put(v);
    CHECK(task.take_wakes() == 1);
    CHECK(value(task, map) == pair("foo", v));
    CHECK(is_pending(task, map));
  }
  source.end();
  CHECK(task.take_wakes() == 1);
  CHECK(at_end(task, map));
}

TEST_CASE("a map of two streams returns the values of both, in either order if both are ready") {
  const test::leak_check leaks;
  test::mock_task task;
  feed foo, bar;
  fed_map map;
  map.insert("foo", foo.get());
  map.insert("bar", bar.get());
  CHECK(is_pending(task, map));
  foo.put(1);
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, map) == pair("foo", 1));
  CHECK(is_pending(task, map));
  bar.put(2);
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, map) == pair("bar", 2));
  CHECK(is_pending(task, map));
  foo.put(3);
  bar.put(4);
  CHECK(task.take_wakes() == 2);
  std::vector<pair> both{value(task, map), value(task, map)};
  std::ranges::sort(both);
  CHECK(both == std::vector<pair>{{"bar", 4}, {"foo", 3}});
  CHECK(is_pending(task, map));
  foo.end();
  CHECK(task.take_wakes() == 1);
  CHECK(is_pending(task, map));
  bar.end();
  CHECK(at_end(task, map));
  task.take_wakes();
}

TEST_CASE("a removed stream no longer wakes the map, and goes on in another place") {
  const test::leak_check leaks;
  test::mock_task task;
  feed source;
  fed_map map;
  CHECK_FALSE(map.insert("foo", source.get()));
  auto taken = map.remove("foo");
  REQUIRE(taken);
  source.put(1);
  CHECK_FALSE(task.is_woken());
  CHECK(at_end(task, map));
  CHECK_FALSE(map.insert("bar", *std::move(taken)));
  CHECK(value(task, map) == pair("bar", 1));
  CHECK(map.remove("bar"));
  CHECK(at_end(task, map));
  CHECK(map.empty());
}

TEST_CASE("inserting under a used key returns the old stream") {
  const test::leak_check leaks;
  test::mock_task task;
  feed one, two;
  fed_map map;
  CHECK_FALSE(map.insert("foo", one.get()));
  CHECK(is_pending(task, map));
  auto old = map.insert("foo", two.get());
  CHECK(old);
  CHECK(is_pending(task, map));
  one.put(1);
  CHECK(is_pending(task, map));
  task.take_wakes();
  two.put(2);
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, map) == pair("foo", 2));
}

TEST_CASE("a map keeps the capacity that was reserved") {
  int_map map;
  map.reserve(10);
  CHECK(map.capacity() >= 10);
  CHECK(map.empty());
}

TEST_CASE("for_each visits all keys and streams, which may be polled there") {
  test::mock_task task;
  eddy::stream_map<std::string, eddy::boxed_stream<int>> map;
  map.insert("a", of({1}));
  map.insert("b", of({2, 3}));
  map.insert("c", of({4, 5, 6}));
  std::string keys;
  std::vector<int> firsts;
  map.for_each([&](const std::string& key, auto& s) {
    keys += key;
    firsts.push_back(value(task, s));
  });
  CHECK(keys == "abc");
  CHECK(firsts == std::vector{1, 2, 4});
}

TEST_CASE("a cleared map is at its end") {
  test::mock_task task;
  int_map map;
  map.insert(1, of({1}));
  map.insert(2, of({1, 2}));
  map.insert(3, of({1, 2, 3}));
  value(task, map);
  map.clear();
  CHECK(at_end(task, map));
  CHECK(map.empty());
}

TEST_CASE("a ready stream is found among ended and waiting ones") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    test::mock_task task;
    for (int i = 0; i < 100; ++i) {
      int_map map;
      map.insert(0, of({}));
      map.insert(1, of({}));
      map.insert(2, of({5}));
      map.insert(3, eddy::pending_stream<int>().boxed());
      CHECK(value(task, map) == std::pair(2, 5));
    }
    co_return;
  });
}

/// Polls `next_many` once. Returns its value, or an empty optional if it is pending.
std::optional<std::size_t> many(int_map& map, buffer& to, std::size_t most) {
  test::mock_task task;
  auto leaf = map.next_many(to, most);
  auto p = task.poll(leaf);
  task.take_wakes();
  if (!p) return std::nullopt;
  return p->value();
}

TEST_CASE("next_many(0) and next_many of an empty map return 0; waiting streams are pending") {
  int_map map;
  buffer to;
  CHECK(many(map, to, 1) == 0);
  map.insert(0, eddy::pending_stream<int>().boxed());
  CHECK(many(map, to, 0) == 0);
  CHECK(many(map, to, 1) == std::nullopt);
}

TEST_CASE("next_many takes the values that are ready, up to its limit") {
  const auto fill = [](int_map& map) {
    map.insert(0, of({0}));
    map.insert(1, of({1}));
  };
  for (const std::size_t most : {3U, 2U}) {
    int_map map;
    fill(map);
    buffer to;
    CHECK(many(map, to, most) == 2);
    std::ranges::sort(to);
    CHECK(to == buffer{{0, 0}, {1, 1}});
  }
  int_map map;
  fill(map);
  buffer to;
  CHECK(many(map, to, 1) == 1);
  CHECK(to.size() == 1);
  CHECK(many(map, to, 1) == 1);
  std::ranges::sort(to);
  CHECK(to == buffer{{0, 0}, {1, 1}});
}

TEST_CASE("next_many polls each stream once per round") {
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    for (int i = 0; i < 10; ++i) {
      int_map map;
      map.insert(0, of({0}));
      map.insert(1, of({0, 1}));
      map.insert(2, of({0, 1, 2}));
      for (const int round : {0, 1, 2}) {
        buffer to;
        CHECK(many(map, to, static_cast<std::size_t>(3 - round)) == 3 - round);
        for (auto& v : to) CHECK(v.second == round);
      }
    }
    co_return;
  });
}

}  // namespace
