// Streams and what they outlive: tasks, threads, runtimes, processes.
#include <eddy/net/tcp_stream.hpp>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/net/udp_socket.hpp>
#include <eddy/net/unix_stream.hpp>

#include "net/connection.hpp"
#include "support/any_runtime.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

using namespace eddy::net;
using test::connected;

TEST_CASE("a stream dropped on another thread is closed by its loop") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    std::thread([](tcp_stream) {}, std::move(server)).join();
    std::string buf(4, '\0');
    const auto end = co_await client.read(buf);
    CHECK(end == 0);
  });
}

TEST_CASE("a stream dropped on another thread wakes a loop that sleeps") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  std::thread other;
  rt.block_on([](std::thread& t) -> eddy::future<> {
    auto [client, server] = co_await connected();
    std::string buf(4, '\0');
    test::mock_task task;
    auto reading = client.read(buf);
    CHECK(!task.poll(reading).is_ready());
    t = std::thread([](tcp_stream) {}, std::move(server));
    const auto end = co_await reading;
    CHECK(end == 0);
  }(other));
  other.join();
}

TEST_CASE("a stream may outlive its runtime: it can be tried, not awaited") {
  const test::leak_check leaks;
  std::optional<test::connection> c;
  {
    eddy::runtime rt = test::make_runtime();
    c = rt.block_on(connected());
  }
  CHECK(c->client.try_write("hello").value() == 5);
  std::string buf(8, '\0');
  CHECK(c->server.try_read(buf).value() == 5);
  CHECK(!c->server.try_read(buf).has_value());
  CHECK(c->client.peer_addr() == c->server.local_addr());

  eddy::runtime other = test::make_runtime();
  other.block_on([](test::connection& streams) -> eddy::future<> {
    std::string part(8, '\0');
    co_await streams.client.write_all("there");  // what can be done at once is done
    const auto n = co_await streams.server.read(part);
    CHECK(n == 5);
    const auto none = co_await eddy::attempt(streams.server.read(part));
    REQUIRE(!none.has_value());
    CHECK(none.error() == eddy::errc::closed);
    const auto ready = co_await eddy::attempt(streams.server.readable());
    CHECK(!ready.has_value());
  }(*c));
  // One dropped here, one elsewhere; both after their loop.
  std::thread([](tcp_stream) {}, std::move(c->client)).join();
}

TEST_CASE(
    "a stream dropped between two block_on calls is closed by the next, or with the runtime") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  auto c = rt.block_on(connected());
  {
    const auto gone = std::move(c.server);
  }
  rt.block_on([](tcp_stream& s) -> eddy::future<> {
    std::string buf(4, '\0');
    const auto end = co_await s.read(buf);
    CHECK(end == 0);
  }(c.client));
}

TEST_CASE("tasks that wait for sockets die with their runtime") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    const auto reader = [](tcp_stream s) -> eddy::future<> {
      std::string buf(4, '\0');
      co_await s.read(buf);
    };
    eddy::spawn(reader, std::move(client));
    eddy::spawn(reader, std::move(server));
    eddy::spawn([]() -> eddy::future<> {
      auto listener = co_await tcp_listener::bind("127.0.0.1:0");
      co_await listener.accept();
    });
    co_await eddy::yield_now();
  });
}

TEST_CASE("a connection can be dropped at every point of its life") {
  const auto polls = test::cut_points([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    auto echo = eddy::spawn([](tcp_listener& l) -> eddy::future<> {
      auto [s, peer] = co_await l.accept();
      std::string buf(3, '\0');
      while (const auto n = co_await s.read(buf)) co_await s.write_all(std::span(buf).first(n));
    }(listener));
    auto client = co_await tcp_stream::connect(listener.local_addr().to_string());
    std::string buf(8, '\0');
    for (int i = 0; i < 3; ++i) {
      co_await client.write_all("hello");
      co_await client.read(buf);
    }
    client.shutdown_write().value();
    while (co_await client.read(buf) != 0) {
    }
    co_await echo;
  });
  CHECK(polls > 5);
}

TEST_CASE("what else is awaited on a socket can be dropped at every point") {
  const auto streams = test::cut_points([]() -> eddy::future<> {
    auto ends = unix_stream::pair().value();
    auto peer = eddy::spawn(
        [](unix_stream s) -> eddy::future<> {
          const std::string big(300'000, 'b');
          const std::array<const_buffer, 2> parts{const_buffer(big), const_buffer("end")};
          co_await s.write_all_vectored(parts);
          co_await s.write_vectored(parts);
          co_await s.writable();
        },
        std::move(ends.first));
    std::string buf(50'000, '\0');
    const std::array<buffer, 1> in{buffer(buf)};
    for (;;) {
      co_await ends.second.readable();
      co_await ends.second.peek(buf);
      const auto n = co_await ends.second.read_vectored(in);
      if (n == 0) break;
    }
    co_await peer;
  });
  CHECK(streams > 5);
  const auto datagrams = test::cut_points([]() -> eddy::future<> {
    auto one = co_await udp_socket::bind("127.0.0.1:0");
    auto two = co_await udp_socket::bind("127.0.0.1:0");
    const auto to = two.local_addr();
    auto answering = eddy::spawn(
        [](udp_socket s) -> eddy::future<> {
          std::string text(8, '\0');
          for (int i = 0; i < 3; ++i) {
            co_await s.readable();
            co_await s.peek_from(text);
            auto [size, from] = co_await s.recv_from(text);
            co_await s.send_to(std::span(text).first(size), from);
          }
        },
        std::move(two));
    one.connect(to).value();
    std::string text(8, '\0');
    std::array<incoming<socket_address>, 2> batch{incoming<socket_address>{buffer(text)},
                                                  incoming<socket_address>{buffer(text)}};
    for (int i = 0; i < 3; ++i) {
      co_await one.writable();
      co_await one.send("ping");
      if (i == 2)
        co_await one.recv_batch(batch);
      else
        co_await one.recv(text);
    }
    co_await answering;
  });
  CHECK(datagrams > 5);
}

TEST_CASE("a forked child only closes descriptors: the parent's registrations stay") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    std::string buf(8, '\0');
    test::mock_task task;
    auto reading = server.read(buf);
    CHECK(!task.poll(reading).is_ready());
    // Let libuv register it.
    co_await eddy::sleep(std::chrono::milliseconds(1));
    const auto pid = ::fork();
    if (pid == 0) {
      {
        const auto gone = std::move(server);
      }
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    CHECK(status == 0);
    co_await client.write_all("still");
    const auto n = co_await reading;
    CHECK(n == 5);
  });
}

TEST_CASE("sockets work on a loop that its host turns") {
  const test::leak_check leaks;
  ::uv_loop_t loop;
  ::uv_loop_init(&loop);
  int done = 0;
  std::optional<tcp_stream> kept;
  {
    auto attached = eddy::runtime::attach(&loop);
    auto h = attached.spawn(
        [](int* d, std::optional<tcp_stream>* keep) -> eddy::future<> {
          auto [client, server] = co_await connected();
          std::string buf(8, '\0');
          for (int i = 0; i < 100; ++i) {
            co_await client.write_all("ping");
            co_await server.read(buf);
            co_await server.write_all("pong");
            co_await client.read(buf);
            ++*d;
          }
          *keep = std::move(server);
        },
        &done, &kept);
    ::uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(done == 100);
    CHECK(h.is_finished());
    attached.detach();
  }
  ::uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(::uv_loop_close(&loop) == 0);
  kept.reset();
}
