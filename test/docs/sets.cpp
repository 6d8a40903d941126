// The guide's snippets about scopes and sets of tasks.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

eddy::future<std::size_t> fetch(std::string url) {
  co_await eddy::sleep(10ms);
  co_return url.size();
}

// [guide:scope]
eddy::future<std::size_t> total(std::vector<std::string> urls) {
  std::size_t sum = 0;
  const auto add = [&sum](const std::string& url) -> eddy::future<> { sum += co_await fetch(url); };
  co_await eddy::scope([&](eddy::task_scope& s) -> eddy::future<> {
    for (const auto& url : urls) s.spawn(add, std::cref(url));  // borrows `sum` and `urls`
    co_return;
  });
  co_return sum;  // every child has ended
}
// [/guide:scope]

// [guide:deadline]
eddy::future<bool> within(std::chrono::milliseconds limit, std::vector<std::string> urls) {
  const auto each = [&urls](eddy::task_scope& s) -> eddy::future<> {
    for (const auto& url : urls)
      s.spawn([](std::string u) -> eddy::future<> { co_await fetch(u); }, url);
    co_return;
  };
  auto r = co_await eddy::attempt(eddy::scope(limit, each));
  co_return r.has_value();  // false: elapsed; children that had not ended were destroyed
}
// [/guide:deadline]

// [guide:each]
eddy::future<int> crawl(std::vector<std::string> urls) {
  int pages = 0;
  const auto visit = [&pages](std::string& url) -> eddy::future<> {
    co_await fetch(url);
    ++pages;
  };
  co_await eddy::for_each_concurrent(8, std::move(urls), visit);  // eight at a time
  co_return pages;
}
// [/guide:each]

// [guide:join_set]
eddy::future<std::size_t> first_two(std::vector<std::string> urls) {
  eddy::join_set<std::size_t> downloads;
  for (auto& url : urls) downloads.spawn(fetch, std::move(url));
  std::size_t sum = 0;
  for (int n = 0; n < 2; ++n) {
    auto r = co_await downloads.join_next();  // the next task to end; empty if the set is empty
    if (r && r->has_value()) sum += **r;      // otherwise it failed or was aborted: r->error()
  }
  co_await downloads.shutdown();  // aborts the rest and waits until they are gone
  co_return sum;
}
// [/guide:join_set]

// [guide:abort_on_drop]
eddy::future<std::size_t> with_helper(std::string url) {
  const eddy::abort_on_drop heartbeat(eddy::spawn([]() -> eddy::future<> {
    for (;;) co_await eddy::sleep(1s);
  }));
  co_return co_await fetch(std::move(url));  // however this ends, it ends the heartbeat
}
// [/guide:abort_on_drop]

}  // namespace

TEST_CASE("scopes and join sets do what the guide says") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  const std::vector<std::string> urls = {"a", "bb", "ccc"};
  CHECK(rt.block_on(total(urls)) == 6);
  CHECK(rt.block_on(within(20ms, urls)));
  CHECK_FALSE(rt.block_on(within(5ms, urls)));
  CHECK(rt.block_on(crawl(urls)) == 3);
  CHECK(rt.block_on(first_two(urls)) == 3);
  CHECK(rt.block_on(with_helper("four")) == 4);
}
