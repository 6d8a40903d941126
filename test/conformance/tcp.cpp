// The behaviour that Tokio's tcp_*.rs, net_*.rs and io_driver*.rs test and no unit test here does.
#include <eddy/net/tcp_stream.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/io/copy.hpp>
#include <eddy/io/read.hpp>

#include "net/connection.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

using namespace eddy::net;
using test::connected;

namespace {

std::size_t read_all_there_is(tcp_stream& s) {
  std::string buf(1 << 20, '\0');
  std::size_t sum = 0;
  while (const auto n = s.try_read(buf)) sum += *n;
  return sum;
}

std::size_t fill(tcp_stream& s) {
  const std::string block(1 << 20, 'f');
  std::size_t sum = 0;
  while (const auto n = s.try_write(block)) sum += *n;
  return sum;
}

/// Counts how often an accept is polled.
class counted_accept {
 public:
  counted_accept(tcp_listener& l, int& polls) : accept_(l.accept()), polls_(&polls) {}
  auto poll(eddy::context& cx) noexcept {
    ++*polls_;
    return accept_.poll(cx);
  }

 private:
  decltype(std::declval<tcp_listener&>().accept()) accept_;
  int* polls_;
};

}  // namespace

TEST_CASE("an accept is polled when it begins and when a connection arrives, and no more") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    int polls = 0;
    int accepted = 0;
    auto server = eddy::spawn([](tcp_listener& l, int& p, int& a) -> eddy::future<> {
      for (;;) {
        counted_accept next(l, p);
        co_await std::move(next);
        ++a;
      }
    }(listener, polls, accepted));
    co_await eddy::yield_now();
    CHECK(polls == 1);
    auto client = co_await tcp_stream::connect(listener.local_addr());
    while (accepted == 0) co_await eddy::yield_now();
    CHECK(polls == 3);  // one poll for the connection, and one to wait for the next
    server.abort();
    static_cast<void>(co_await eddy::attempt(std::move(server)));
  });
}

TEST_CASE("one connection wakes all fifty waiting accepts") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    std::vector<test::mock_task> tasks(50);
    std::vector<decltype(listener.accept())> accepts;
    for (std::size_t i = 0; i < tasks.size(); ++i) accepts.push_back(listener.accept());
    for (std::size_t i = 0; i < tasks.size(); ++i) tasks[i].assert_pending(accepts[i]);
    auto client = co_await tcp_stream::connect(listener.local_addr());
    while (!tasks.front().is_woken()) co_await eddy::yield_now();
    for (const auto& t : tasks) CHECK(t.wakes() == 1);
    CHECK(tasks.front().assert_ready(accepts.front()).has_value());
    tasks.back().assert_pending(accepts.back());
  });
}

TEST_CASE("a connection that the peer has reset is readable and writable, and reports the reset") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    co_await server.write_all("hello world");
    co_await client.readable();
    std::string got(11, '\0');
    co_await eddy::io::read_exact(client, got);
    CHECK(got == "hello world");
    test::reset(std::move(server));
    co_await client.readable();
    co_await client.writable();
    const auto r = co_await eddy::attempt(client.read(got));
    REQUIRE(!r.has_value());
    CHECK(r.error() == std::errc::connection_reset);
  });
}

TEST_CASE("the halves of one stream copy a thousand messages back") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    constexpr int rounds = 1024;
    const std::string message = "foo bar baz";
    auto [client, server] = co_await connected();
    auto asking = eddy::spawn(
        [](tcp_stream s, std::string text) -> eddy::future<> {
          std::string answer(text.size(), '\0');
          for (int i = 0; i < rounds; ++i) {
            co_await s.write_all(text);
            co_await eddy::io::read_exact(s, answer);
            CHECK(answer == text);
          }
        },
        std::move(client), message);
    auto [in, out] = std::move(server).into_split();
    const auto copied = co_await eddy::io::copy(in, out);
    CHECK(copied == rounds * message.size());
    co_await asking;
  });
}

TEST_CASE("a stream can become a blocking descriptor, and a stream again") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    const int fd = std::move(server).into_descriptor().value();
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    co_await client.write_all("Hello world!");
    std::string got(12, '\0');
    CHECK(::recv(fd, got.data(), got.size(), MSG_WAITALL) == 12);
    CHECK(got == "Hello world!");
    auto again = tcp_stream::adopt(fd).value();
    co_await client.write_all("Hello again!");
    co_await eddy::io::read_exact(again, got);
    CHECK(got == "Hello again!");
  });
}

TEST_CASE("shutdown_write works once, repeatedly and after a reset") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    client.shutdown_write().value();
    auto [in, out] = std::move(server).into_split();
    const auto copied = co_await eddy::io::copy(in, out);
    CHECK(copied == 0);
    out.shutdown().value();
    std::string buf(4, '\0');
    const auto end = co_await client.read(buf);
    CHECK(end == 0);
    for (int i = 0; i < 3; ++i) {
      const auto more =
          client.shutdown_write();  // both sides have ended: some systems report not_connected
      CHECK((more.has_value() || more.error() == std::errc::not_connected));
    }

    auto [second, peer] = co_await connected();
    for (int i = 0; i < 3; ++i) second.shutdown_write().value();
    auto [third, resets] = co_await connected();
    test::reset(std::move(resets));
    co_await third.readable();
    const auto late = third.shutdown_write();
    CHECK((late.has_value() || late.error() == std::errc::not_connected ||
           late.error() == std::errc::connection_reset));
  });
}

TEST_CASE("readable stays until a read finds no more data") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    test::mock_task task;
    {
      auto nothing = server.readable();
      task.assert_pending(nothing);
      co_await client.write_all("ping");
      co_await server.readable();
      CHECK(task.take_wakes() == 1);
      CHECK(task.assert_ready(nothing).has_value());
    }
    CHECK(read_all_there_is(server) == 4);
    auto empty = server.readable();
    task.assert_pending(empty);
    {
      const auto gone = std::move(client);
    }
    const auto end = co_await eddy::attempt(empty);
    CHECK(end.has_value());
    std::string buf(4, '\0');
    CHECK(server.try_read(buf).value() == 0);
  });
}

TEST_CASE("writable stays until a write finds no room, and returns with room or the peer's end") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    test::mock_task task;
    auto at_first = client.writable();
    CHECK(task.assert_ready(at_first).has_value());
    const auto written = fill(client);
    {
      auto full = client.writable();
      task.assert_pending(full);
      std::size_t sum = 0;
      while (sum < written) {
        co_await server.readable();
        sum += read_all_there_is(server);
      }
      CHECK(sum == written);
      const auto room = co_await eddy::attempt(full);
      CHECK(room.has_value());
      CHECK(client.try_write("x").value() == 1);
    }
    fill(client);
    auto full = client.writable();
    task.assert_pending(full);
    {
      const auto gone = std::move(server);  // unread bytes make this a reset
    }
    const auto told = co_await eddy::attempt(full);
    CHECK(told.has_value());
    CHECK(!client.try_write("x").has_value());
  });
}

TEST_CASE("operations that wait hold no buffer and are small") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    std::string large(4096, '\0');
    CHECK(sizeof(server.readable()) < 128);
    CHECK(sizeof(server.read(large)) < 128);
    CHECK(sizeof(tcp_stream::connect(socket_address())) < 128);
  });
}

TEST_CASE("a runtime's end wakes waiting accepts, and later ones fail") {
  const test::leak_check leaks;
  std::optional<eddy::runtime> rt(std::in_place);
  auto listener = rt->block_on([]() -> eddy::future<tcp_listener> {
    auto l = co_await tcp_listener::bind("127.0.0.1:0");
    co_return l;
  });
  test::mock_task task;
  auto waiting = listener.accept();
  rt->block_on([](auto& t, auto& a) -> eddy::future<> {
    t.assert_pending(a);
    co_return;
  }(task, waiting));
  rt.reset();
  CHECK(task.take_wakes() == 1);
  CHECK(task.assert_ready(waiting).error() == eddy::errc::closed);
  auto late = listener.accept();
  CHECK(task.assert_ready(late).error() == eddy::errc::closed);
}

TEST_CASE("an event for an accept whose task is gone is harmless") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    const auto where = listener.local_addr();
    auto task = eddy::spawn(
        [](tcp_listener l) -> eddy::future<> {
          for (;;) co_await l.accept();
        },
        std::move(listener));
    co_await eddy::yield_now();
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    ::sockaddr_storage native{};
    const auto size = static_cast<::socklen_t>(where.to_native(&native));
    CHECK(::connect(fd, reinterpret_cast<::sockaddr*>(&native), size) == 0);
    auto stream = tcp_stream::adopt(fd).value();
    task.abort();  // the task is woken and destroyed in the same turn
    static_cast<void>(co_await eddy::attempt(std::move(task)));
    std::string buf(4, '\0');
    const auto end = co_await eddy::attempt(stream.read(buf));
    CHECK((!end.has_value() || *end == 0));
  });
}
