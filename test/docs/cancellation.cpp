// The snippets of docs/cancellation.md.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

// [guide:cleanup]
struct at_end {
  std::string* log;
  ~at_end() { *log += "closed "; }
};

eddy::future<> hold(std::string* log) {
  const at_end guard{log};
  co_await eddy::sleep(1h);
  *log += "never ";
}

eddy::future<std::string> cut_short() {
  std::string log;
  auto r = co_await eddy::attempt(eddy::timeout(10ms, hold(&log)));
  log += r ? "done" : "elapsed";
  co_return log;  // "closed elapsed"
}
// [/guide:cleanup]

// [guide:shield]
eddy::future<> commit(std::shared_ptr<int> stored) {
  co_await eddy::sleep(20ms);
  ++*stored;
}

eddy::future<> save(std::shared_ptr<int> stored) {
  auto task = eddy::spawn(commit(stored));
  co_await task;  // dropped here, save() drops only the handle: the task runs on
}
// [/guide:shield]

// [guide:progress]
/// Writes until a second passes without progress. Returns how much was written.
eddy::future<std::size_t> write_patiently(eddy::net::tcp_stream& s, std::span<const char> data) {
  std::size_t done = 0;
  while (done < data.size()) {
    auto n = co_await eddy::attempt(eddy::timeout(1s, s.write(data.subspan(done))));
    if (!n) break;
    done += *n;
  }
  co_return done;  // exact, unlike a write_all that was dropped
}
// [/guide:progress]

}  // namespace

TEST_CASE("a timeout destroys what ran out of time before the await returns") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  CHECK(rt.block_on(cut_short()) == "closed elapsed");
}

TEST_CASE("work in a task of its own survives the caller's timeout") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  auto stored = std::make_shared<int>(0);
  rt.block_on([stored]() -> eddy::future<> {
    auto r = co_await eddy::attempt(eddy::timeout(10ms, save(stored)));
    CHECK(!r.has_value());
    CHECK(*stored == 0);
    co_await eddy::sleep(20ms);
    CHECK(*stored == 1);
  });
}

TEST_CASE("a loop over write knows how much was written when the peer does not read") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
    auto client = co_await eddy::net::tcp_stream::connect(listener.local_addr());
    auto [server, peer] = co_await listener.accept();
    const std::string data(64 << 20, 'x');
    const auto done = co_await write_patiently(client, data);
    CHECK(done > 0);
    CHECK(done < data.size());
  });
}
