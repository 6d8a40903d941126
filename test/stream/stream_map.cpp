#include <eddy/stream/stream_map.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>

#include "stream/support.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

// The rest of what a stream_map does is in test/conformance/stream_map.cpp.

namespace {

using eddy::errc;
using eddy::future;
using test::at_end;
using test::is_pending;
using test::value;

TEST_CASE("which of several ready streams comes first is drawn, and each comes") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().rng_seed(7).build();
  rt.block_on([]() -> future<> {
    eddy::stream_map<int, eddy::boxed_stream<int>> map;
    for (int k = 0; k < 4; ++k) map.insert(k, eddy::stream_of(std::vector<int>(1000, k)).boxed());
    std::map<int, int> count;
    for (int i = 0; i < 1000; ++i) {
      auto v = co_await map.next();
      CHECK(v->first == v->second);
      ++count[v->first];
    }
    for (int k = 0; k < 4; ++k) {
      CHECK(count[k] > 150);
      CHECK(count[k] < 350);
    }
  });
}

TEST_CASE("streams that end are destroyed, wherever in the round they stand") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    for (int round = 0; round < 50; ++round) {
      eddy::stream_map<int, eddy::boxed_stream<int>> map;
      std::multiset<int> expected, seen;
      for (int k = 0; k < 7; ++k) {
        for (int i = 0; i < k; ++i) expected.insert(k);
        map.insert(k, eddy::stream_of(std::vector<int>(static_cast<std::size_t>(k), k)).boxed());
      }
      while (auto v = co_await map.next()) seen.insert(v->second);
      CHECK(seen == expected);
      CHECK(map.empty());
      CHECK(map.is_terminated());
      auto end = co_await map.next();
      CHECK_FALSE(end.has_value());
    }
  });
}

TEST_CASE("a failure comes out, and the stream goes on; with next_many it waits for its turn") {
  const test::leak_check leaks;
  test::mock_task task;
  test::feed<int> source;
  eddy::stream_map<std::string, test::feed<int>::stream> map;
  map.insert("a", source.get());
  source.fail(eddy::error(errc::lagged));
  source.put(1);
  source.fail(eddy::error(errc::closed));
  source.put(2);
  CHECK(test::failure(task, map) == errc::lagged);
  std::vector<std::pair<std::string, int>> buffer;
  auto many = map.next_many(buffer, 9);
  CHECK(task.poll(many)->value() == 1);
  CHECK(test::failure(task, map) == errc::closed);
  CHECK(task.poll(many)->value() == 1);
  CHECK(buffer.back().second == 2);
  CHECK_FALSE(task.poll(many).is_ready());
  source.fail(eddy::error(errc::lagged));
  CHECK(task.take_wakes() == 1);
  CHECK(task.poll(many)->error() == errc::lagged);
  source.end();
  CHECK(task.poll(many)->value() == 0);
  CHECK(at_end(task, map));
}

TEST_CASE("a map may be moved while it waits, and find gives a stream in its place") {
  const test::leak_check leaks;
  test::mock_task task;
  test::feed<int> a, b;
  eddy::stream_map<int, test::feed<int>::stream> map;
  map.insert(1, a.get());
  map.insert(2, b.get());
  CHECK(is_pending(task, map));
  auto moved = std::move(map);
  a.put(5);
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, moved) == std::pair(1, 5));
  CHECK(moved.find(3) == nullptr);
  b.put(6);
  CHECK(value(task, *moved.find(2)) == 6);
  task.take_wakes();
}

TEST_CASE("a map at every cut point, with a next that loses") {
  using namespace std::chrono_literals;
  CHECK(test::cut_points([]() -> future<> {
          const auto source = [](std::chrono::milliseconds every) -> eddy::generator<std::string> {
            for (int i = 0; i < 3; ++i) {
              co_await eddy::sleep(every);
              co_yield std::string("a text that is on the heap, surely");
            }
          };
          eddy::stream_map<int, eddy::generator<std::string>> map;
          map.insert(1, source(10ms));
          map.insert(2, source(25ms));
          int n = 0;
          for (;;) {
            auto r = co_await eddy::attempt(eddy::timeout(7ms, map.next()));
            if (!r) continue;
            if (!*r) break;
            ++n;
          }
          CHECK(n == 6);
        }) > 10);
}

}  // namespace
