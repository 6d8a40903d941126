// TCP streams of a pool used on another worker than the one whose loop watches them, edge-triggered and by uv_poll.
#include "runtime/edge_watch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "net/connection.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

namespace {

using eddy::future;
using eddy::net::tcp_listener;
using eddy::net::tcp_stream;
using test::connected;

/// Runs `body` on worker 0 of a pool of two, watching in both ways.
template <class F>
void in_both_ways(F body) {
  for (const bool edges : {true, false}) {
    CAPTURE(edges);
    const test::leak_check leaks;
    eddy::detail::edge_watch::allow(edges);
    {
      auto rt = eddy::runtime::builder().multi_loop().worker_threads(2).build();
      rt.block_on(rt.spawn_on(0, body));
    }
    eddy::detail::edge_watch::allow(true);
  }
}

future<> echo(tcp_stream s) {
  std::array<std::byte, 64> buf;
  while (const auto n = co_await s.read(buf)) co_await s.write_all(std::span(buf).first(n));
}

future<std::size_t> count_bytes(tcp_stream s, std::size_t step) {
  std::vector<std::byte> part(step);
  std::size_t all = 0;
  while (const auto n = co_await s.read(part)) all += n;
  co_return all;
}

future<eddy::result<std::size_t>> read_until_it_fails(tcp_stream s) {
  std::array<std::byte, 64> part;
  std::size_t all = 0;
  while (const auto n = co_await eddy::or_return(s.read(part))) all += n;
  co_return all;
}

future<> write_blocks(tcp_stream s, std::size_t size, int blocks) {
  const std::string block(size, 'b');
  for (int i = 0; i < blocks; ++i) co_await s.write_all(block);
}

}  // namespace

TEST_CASE("bytes and the end that come together are both seen on another worker") {
  in_both_ways([]() -> future<> {
    for (int i = 0; i < 100; ++i) {
      auto [client, server] = co_await connected();
      const auto sent = client.try_write("bytes");
      CHECK(sent.value() == 5);
      client.shutdown_write().value();  // before the loop looks
      const auto n = co_await eddy::spawn_on(1, count_bytes(std::move(server), 64));
      CHECK(n == 5);
    }
  });
}

TEST_CASE("the end after a short read is seen on another worker") {
  in_both_ways([]() -> future<> {
    for (int i = 0; i < 100; ++i) {
      auto [client, server] = co_await connected();
      auto counting = eddy::spawn_on(1, count_bytes(std::move(server), 64));
      for (int k = 0; k < i % 4; ++k) {
        co_await client.write_all("bytes");
        co_await eddy::yield_now();
      }
      client.shutdown_write().value();
      const auto n = co_await std::move(counting);
      CHECK(n == std::size_t(5 * (i % 4)));
    }
  });
}

TEST_CASE("a reset is seen by who waits on another worker") {
  in_both_ways([]() -> future<> {
    for (int i = 0; i < 20; ++i) {
      auto [client, server] = co_await connected();
      auto reading = eddy::spawn_on(1, read_until_it_fails(std::move(server)));
      if (i % 2 != 0) co_await client.write_all("bytes");
      test::reset(std::move(client));
      const auto r = co_await std::move(reading);
      REQUIRE(!r.has_value());
      CHECK(r.error() == std::errc::connection_reset);
    }
  });
}

TEST_CASE("requests one at a time are answered from another worker") {
  in_both_ways([]() -> future<> {
    auto [client, server] = co_await connected();
    server.set_nodelay(true).value();  // it answers in parts
    auto serving = eddy::spawn_on(1, echo(std::move(server)));
    std::string buf(256, '\0');
    for (std::size_t i = 0; i < 500; ++i) {
      const std::string request(1 + i % 200, 'r');
      co_await client.write_all(request);
      std::size_t got = 0;
      while (got < request.size()) got += co_await client.read(buf);
      CHECK(got == request.size());
    }
    client.shutdown_write().value();
    co_await std::move(serving);
  });
}

TEST_CASE("a full socket is written on from another worker") {
  in_both_ways([]() -> future<> {
    auto [client, server] = co_await connected();
    auto writing = eddy::spawn_on(1, write_blocks(std::move(server), 1 << 20, 16));
    const auto n = co_await count_bytes(std::move(client), 5000);
    CHECK(n == std::size_t{16} << 20);
    co_await std::move(writing);
  });
}

TEST_CASE("streams are dropped on another worker while events arrive") {
  in_both_ways([]() -> future<> {
    for (int i = 0; i < 30; ++i) {
      std::vector<tcp_stream> clients;
      std::vector<eddy::join_handle<void>> gone;
      for (int k = 0; k < 10; ++k) {
        auto [client, server] = co_await connected();
        gone.push_back(eddy::spawn_on(1, [](tcp_stream s, int reads) -> future<> {
          std::array<std::byte, 1> one;
          for (int r = 0; r < reads; ++r) co_await s.read(one);
        }(std::move(server), k % 3)));
        clients.push_back(std::move(client));
        for (auto& c : clients) static_cast<void>(c.try_write("event"));
      }
      for (auto& g : gone) co_await std::move(g);
    }
  });
}

TEST_CASE("who waits on another worker when its stream's loop ends is woken or destroyed") {
  for (int i = 0; i < 20; ++i) {
    const test::leak_check leaks;
    auto rt = eddy::runtime::builder().multi_loop().worker_threads(2).build();
    std::vector<tcp_stream> clients;
    rt.block_on(rt.spawn_on(0, [](std::vector<tcp_stream>* keep) -> future<> {
      for (int k = 0; k < 5; ++k) {
        auto [client, server] = co_await connected();
        eddy::spawn_on(1, echo(std::move(server)));
        keep->push_back(std::move(client));
      }
    }(&clients)));
    for (auto& c : clients) static_cast<void>(c.try_write("event"));
    {
      const auto ended = std::move(rt);
    }
    clients.clear();
  }
}

TEST_CASE("a listener that is empty is waited for on another worker") {
  in_both_ways([]() -> future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    const auto at = listener.local_addr();
    const auto first = co_await tcp_stream::connect(at);
    co_await listener.accept();
    co_await eddy::spawn_on(1, [](tcp_listener l) -> future<> {
      test::mock_task task;
      auto none = l.accept();
      CHECK(!task.poll(none).is_ready());
      CHECK(!task.is_woken());  // not to be asked again and again
      co_return;
    }(std::move(listener)));
  });
}

#if defined(__linux__)
TEST_CASE("for edge-triggered streams what libuv watches does not change") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().multi_loop().worker_threads(2).build();
  rt.block_on(rt.spawn_on(0, []() -> future<> {
    auto [client, server] = co_await connected();
    const auto before = test::here().io().changes();
    auto serving = eddy::spawn_on(1, echo(std::move(server)));
    std::string buf(16, '\0');
    for (int i = 0; i < 20; ++i) {
      co_await client.write_all("x");
      const auto n = co_await client.read(buf);
      CHECK(n == 1);
    }
    CHECK(test::here().io().changes() == before);
    client.shutdown_write().value();
    co_await std::move(serving);
  }));
}
#endif
