// The guide's snippets about streams.
#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>
#include <eddy/sync/mpsc.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

// [guide:generator]
eddy::generator<int> countdown(int from) {
  for (int i = from; i > 0; --i) {
    co_await eddy::sleep(10ms);
    co_yield i;
  }
}

eddy::future<int> sum_of_countdown() {
  auto numbers = countdown(4);
  int sum = 0;
  while (auto n = co_await numbers.next()) sum += *n;  // empty at the end of the stream
  co_return sum;
}
// [/guide:generator]

// [guide:adapters]
eddy::future<std::string> fetch(int id) {
  co_await eddy::sleep(10ms);
  co_return "page " + std::to_string(id);
}

eddy::future<std::vector<std::string>> pages(eddy::sync::mpsc::receiver<int> ids) {
  auto all = eddy::stream_of(std::move(ids))  // until every sender is gone
                 .filter([](int id) { return id % 2 == 0; })
                 .map(fetch)   // a stream of futures
                 .buffered(8)  // runs up to 8 of them at once; keeps their order
                 .take(3)
                 .collect();
  co_return co_await all;
}
// [/guide:adapters]

// [guide:batches]
eddy::future<std::size_t> batches(eddy::sync::mpsc::receiver<int> values) {
  auto chunks = eddy::stream_of(std::move(values)).chunks_timeout(100, 20ms);
  std::size_t written = 0;
  while (auto chunk = co_await chunks.next())
    written += chunk->size();  // 100 values, or those that came within 20 ms
  co_return written;
}
// [/guide:batches]

TEST_CASE("the guide's generator and adapters do what it says") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> eddy::future<> {
    const int sum = co_await sum_of_countdown();
    CHECK(sum == 10);
    auto [tx, rx] = eddy::sync::mpsc::channel<int>(10);
    for (int i = 1; i < 10; ++i) CHECK(tx.try_send(i));
    const auto texts = co_await pages(std::move(rx));
    CHECK(texts == std::vector<std::string>{"page 2", "page 4", "page 6"});
    auto [to, from] = eddy::sync::mpsc::channel<int>(10);
    for (int i = 1; i < 10; ++i) CHECK(to.try_send(i));
    {
      auto gone = std::move(to);
    }
    const auto written = co_await batches(std::move(from));
    CHECK(written == 9);
  });
}

}  // namespace
