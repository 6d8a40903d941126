// The guide's snippets about intervals, delay queues and rate limiters.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

eddy::runtime paused() { return eddy::runtime::builder().start_paused().build(); }

// [guide:interval]
eddy::future<int> heartbeat(eddy::instant until) {
  eddy::interval every(250ms);  // first tick at once; the others do not drift
  every.set_missed_tick_behavior(eddy::missed_tick::skip);
  for (int beats = 0;; ++beats) {
    const eddy::instant due = co_await every.tick();
    if (due >= until) co_return beats;
  }
}
// [/guide:interval]

// [guide:delay_queue]
/// Keeps values for 30 s after they were put or last looked up.
class cache {
 public:
  void put(std::string name, int value) {
    const auto key = expiry_.insert(name, 30s);
    values_.insert_or_assign(std::move(name), entry(value, key));
  }
  int* find(const std::string& name) {
    const auto found = values_.find(name);
    if (found == values_.end()) return nullptr;
    expiry_.reset(found->second.key, 30s);
    return &found->second.value;
  }
  /// Removes values as they expire; ends when the cache is empty.
  eddy::future<> purge() {
    while (auto name = co_await expiry_.next()) values_.erase(name->value());
  }

 private:
  struct entry {
    entry(int v, eddy::delay_key k) : value(v), key(k) {}
    int value;
    eddy::delay_key key;
  };
  std::map<std::string, entry> values_;
  eddy::delay_queue<std::string> expiry_;
};
// [/guide:delay_queue]

// [guide:rate_limiter]
eddy::future<> call(eddy::rate_limiter& limit, std::vector<eddy::instant>& log) {
  co_await limit.acquire();  // first come, first served; takes no token if dropped
  log.push_back(eddy::clock::now());
}

eddy::future<std::vector<eddy::instant>> calls_of_an_api() {
  eddy::rate_limiter limit(10, 1s);  // ten per second; after a pause ten at once
  std::vector<eddy::instant> log;
  std::vector<eddy::join_handle<>> all;
  for (int i = 0; i < 100; ++i) all.push_back(eddy::spawn(call(limit, log)));
  for (auto& one : all) co_await one;
  co_return log;
}
// [/guide:rate_limiter]

}  // namespace

TEST_CASE("an interval ticks at once and then every period") {
  const test::leak_check leaks;
  auto rt = paused();
  const int beats = rt.block_on([]() -> eddy::future<int> {
    co_return co_await heartbeat(eddy::saturating_add(eddy::clock::now(), 1s));
  });
  CHECK(beats == 4);
}

TEST_CASE("a delay queue removes a cache's values 30 s after their last use") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> eddy::future<> {
    cache c;
    const auto start = eddy::clock::now();
    c.put("a", 1);
    c.put("b", 2);
    auto purging = eddy::spawn(c.purge());
    co_await eddy::sleep(20s);
    REQUIRE(c.find("b") != nullptr);
    co_await eddy::sleep(20s);
    CHECK(c.find("a") == nullptr);
    co_await purging;
    CHECK(c.find("b") == nullptr);
    CHECK(eddy::clock::now() == start + 50s);
  });
}

TEST_CASE("a rate limiter lets ten calls through per second") {
  const test::leak_check leaks;
  auto rt = paused();
  const auto log = rt.block_on(calls_of_an_api());
  REQUIRE(log.size() == 100);
  CHECK(log[9] == log[0]);
  CHECK(log[10] == log[0] + 100ms);
  CHECK(log[99] == log[0] + 9s);
}
