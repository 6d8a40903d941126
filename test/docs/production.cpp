// The guide's snippets about limits and hooks.
#include <eddy/codec.hpp>
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

// [guide:limits]
using eddy::sync::semaphore;

eddy::future<> session(eddy::net::tcp_stream stream, eddy::sync::owned_semaphore_permit) {
  eddy::codec::framed peer(std::move(stream), eddy::codec::lines(1024));  // longer lines fail
  for (;;) {
    auto line = co_await eddy::attempt(eddy::timeout(30s, peer.next()));
    if (!line || !*line) co_return;  // silent for too long, failed, or ended
    auto sending = peer.send("you said: " + **line);
    auto sent = co_await eddy::attempt(eddy::timeout(10s, std::move(sending)));
    if (!sent) co_return;  // the peer does not read
  }
}

eddy::future<> serve_some(eddy::net::tcp_listener listener, std::size_t most) {
  auto slots = std::make_shared<semaphore>(most);
  for (;;) {
    auto slot = co_await semaphore::acquire_owned(slots);  // other clients wait in the backlog
    auto [stream, peer] = co_await listener.accept();
    eddy::spawn(session, std::move(stream), std::move(slot));
  }
}
// [/guide:limits]

// [guide:hooks]
struct counters {
  std::atomic<std::uint64_t> spawned{0}, ended{0}, polls{0}, sleeps{0};
};

eddy::runtime counted(counters& c) {
  return eddy::runtime::builder()
      .on_task_spawn([&c](const eddy::task_meta&) { ++c.spawned; })
      .on_task_terminate([&c](const eddy::task_meta&) { ++c.ended; })
      .on_before_task_poll([&c](const eddy::task_meta&) { ++c.polls; })
      .on_park([&c] { ++c.sleeps; })
      .build();
}
// [/guide:hooks]

// [guide:slow_polls]
/// Makes a runtime of one loop that logs the spawn site of each task whose poll exceeds `limit`.
eddy::runtime watched(std::vector<std::string>& log, std::chrono::nanoseconds limit) {
  using steady = std::chrono::steady_clock;
  auto begun = std::make_shared<steady::time_point>();
  return eddy::runtime::builder()
      .on_before_task_poll([begun](const eddy::task_meta&) { *begun = steady::now(); })
      .on_after_task_poll([begun, limit, &log](const eddy::task_meta& task) {
        if (steady::now() - *begun > limit) log.push_back(task.spawned_at());
      })
      .build();
}
// [/guide:slow_polls]

eddy::future<std::string> one_client_at_a_time() {
  auto listener = co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
  const auto where = listener.local_addr().to_string();
  const eddy::abort_on_drop serving(eddy::spawn(serve_some(std::move(listener), 1)));
  auto first = co_await eddy::net::tcp_stream::connect(where);
  auto second = co_await eddy::net::tcp_stream::connect(where);
  co_await second.write_all("two\n");
  co_await first.write_all("one\n");
  std::array<char, 64> buf;
  auto n = co_await first.read(buf);
  std::string heard(buf.data(), n);
  first.shutdown_write().value();
  n = co_await second.read(buf);  // served once the first is gone
  heard.append(buf.data(), n);
  co_return heard;
}

}  // namespace

TEST_CASE("a semaphore limits connections: the second is served when the first is gone") {
  const test::leak_check leaks;
  eddy::runtime rt;
  CHECK(rt.block_on(one_client_at_a_time()) == "you said: one\nyou said: two\n");
}

TEST_CASE("hooks count tasks, and name a task that is slow") {
  const test::leak_check leaks;
  counters c;
  counted(c).block_on([]() -> eddy::future<> { co_await eddy::sleep(1ms); });
  CHECK(c.spawned == 1);
  CHECK(c.ended == 1);
  CHECK(c.polls == 2);
  CHECK(c.sleeps > 0);
  std::vector<std::string> log;
  watched(log, -1ns).block_on([]() -> eddy::future<> { co_return; });
  REQUIRE(log.size() == 1);
  CHECK(log[0].find("production.cpp:") != std::string::npos);
}
