#include <eddy/net/tcp_stream.hpp>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include <eddy/eddy.hpp>

#include "net/connection.hpp"
#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

using namespace eddy::net;
using test::connected;
using test::read_to_end;

namespace {

eddy::future<> echo_once(std::string where) {
  auto [client, server] = co_await connected(where);
  co_await client.write_all("hello");
  std::array<char, 16> buf;
  const auto n = co_await server.read(buf);
  CHECK(std::string_view(buf.data(), n) == "hello");
  co_await server.write_all(std::span(buf).first(n));
  client.shutdown_write().value();
  for (int i = 0; i < 2; ++i) {  // the end stays the end
    const auto end = co_await server.read(buf);
    CHECK(end == 0);
  }
  server.shutdown_write().value();
  const auto back = co_await read_to_end(client);
  CHECK(back == "hello");
}

/// A port that is taken, and where nobody listens.
class bound_port {
 public:
  explicit bound_port(socket_address at = socket_address::loopback_v4(0))
      : fd_(::socket(at.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM, 0)) {
    ::sockaddr_storage native{};
    const auto size = static_cast<::socklen_t>(at.to_native(&native));
    bound_ = ::bind(fd_, reinterpret_cast<::sockaddr*>(&native), size) == 0;
  }
  bound_port(const bound_port&) = delete;
  ~bound_port() { ::close(fd_); }
  bool is_bound() const { return bound_; }
  socket_address address() const {
    ::sockaddr_storage native{};
    ::socklen_t size = sizeof native;
    ::getsockname(fd_, reinterpret_cast<::sockaddr*>(&native), &size);
    return socket_address::from_native(reinterpret_cast<::sockaddr*>(&native), size);
  }

 private:
  int fd_;
  bool bound_ = false;
};

bool has_v6() { return bound_port(socket_address::loopback_v6(0)).is_bound(); }

}  // namespace

TEST_CASE("bytes go both ways over IPv4 and IPv6, and end") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on(echo_once("127.0.0.1:0"));
  if (has_v6()) rt.block_on(echo_once("[::1]:0"));
}

TEST_CASE("addresses of both ends match") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    CHECK(client.local_addr() == server.peer_addr());
    CHECK(client.peer_addr() == server.local_addr());
    CHECK(client.peer_addr().port() != 0);
  });
}

TEST_CASE("connect says what it could not reach") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    const bound_port nobody_listens;
    const auto address = nobody_listens.address();
    const auto by_address = co_await eddy::attempt(tcp_stream::connect(address));
    REQUIRE(!by_address.has_value());
    CHECK(by_address.error() == std::errc::connection_refused);
    CHECK(by_address.error().message() ==
          "connect " + address.to_string() + ": connection refused");
    const auto by_text = co_await eddy::attempt(tcp_stream::connect(address.to_string()));
    REQUIRE(!by_text.has_value());
    CHECK(by_text.error().message() == by_address.error().message());
    const auto unknown = co_await eddy::attempt(tcp_stream::connect("no-such-host.invalid:1"));
    REQUIRE(!unknown.has_value());
    CHECK(unknown.error().message().find("lookup no-such-host.invalid: ") == 0);
    const auto empty = co_await eddy::attempt(tcp_stream::connect(socket_address()));
    REQUIRE(!empty.has_value());
    CHECK(empty.error() == std::errc::invalid_argument);
  });
}

TEST_CASE("connect by name tries the addresses in order") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    // localhost may be ::1 first, where nobody listens.
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    const auto name = "localhost:" + std::to_string(listener.local_addr().port());
    auto client = co_await tcp_stream::connect(name);
    CHECK(client.peer_addr() == listener.local_addr());
  });
}

TEST_CASE("a connect dropped on its way closes its socket") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    test::mock_task task;
    auto op = tcp_stream::connect(listener.local_addr());
    static_cast<void>(task.poll(op));
  });
}

TEST_CASE("read: ready at once, ready later, dropped while waiting") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    test::mock_task task;
    std::string buf(8, '\0');
    {
      auto dropped = server.read(buf);
      CHECK(!task.poll(dropped).is_ready());
      CHECK(task.references() == 1);
    }
    CHECK(task.references() == 0);
    auto later = server.read(buf);
    CHECK(!task.poll(later).is_ready());
    co_await client.write_all("abc");
    {
      const auto n = co_await later;
      CHECK(n == 3);
    }  // awaited by this task from here on
    CHECK(buf.substr(0, 3) == "abc");
    CHECK(task.take_wakes() == 0);

    co_await client.write_all("defg");
    co_await server.readable();
    auto at_once = server.read(buf);
    auto p = task.poll(at_once);
    REQUIRE(p.is_ready());
    CHECK(p->value() == 4);
  });
}

TEST_CASE("a read that was dropped while waiting has taken nothing") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    std::string buf(8, '\0');
    {
      test::mock_task task;
      auto dropped = server.read(buf);
      CHECK(!task.poll(dropped).is_ready());
      co_await client.write_all("kept");
      co_await server.readable();  // the event has come; the dropped read was woken and not polled
      CHECK(task.is_woken());
    }
    {
      const auto n = co_await server.read(buf);
      CHECK(n == 4);
    }
  });
}

TEST_CASE("peek leaves the bytes") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    co_await client.write_all("abc");
    std::array<std::byte, 8> buf;
    for (int i = 0; i < 3; ++i) {
      const auto n = co_await server.peek(buf);
      CHECK(n == 3);
    }
    {
      const auto n = co_await server.read(buf);
      CHECK(n == 3);
    }
    test::mock_task task;
    auto more = server.peek(buf);
    CHECK(!task.poll(more).is_ready());
  });
}

TEST_CASE("try_read and try_write never wait") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    std::vector<unsigned char> buf(1024);
    const auto nothing = server.try_read(buf);
    REQUIRE(!nothing.has_value());
    CHECK(nothing.error() == std::errc::resource_unavailable_try_again);
    CHECK(client.try_write("xy").value() == 2);
    co_await server.readable();
    CHECK(server.try_read(buf).value() == 2);
    // Fill the connection: then there is no room, and reading makes some.
    const std::string block(64 * 1024, 'z');
    std::size_t sent = 0;
    for (;;) {
      const auto n = client.try_write(block);
      if (!n) {
        CHECK(n.error() == std::errc::resource_unavailable_try_again);
        break;
      }
      sent += *n;
    }
    test::mock_task task;
    auto room = client.writable();
    CHECK(!task.poll(room).is_ready());
    std::size_t got = 0;
    while (got < sent) {
      const auto n = co_await server.read(buf);
      got += n;
    }
    CHECK(got == sent);
    co_await room;
    CHECK(client.try_write("x").value() == 1);
  });
}

TEST_CASE("nothing to move is done at once") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    {
      const auto n = co_await server.read(buffer());
      CHECK(n == 0);
    }
    {
      const auto n = co_await server.write(const_buffer());
      CHECK(n == 0);
    }
    co_await server.write_all("");
    {
      const auto n = co_await server.read_vectored(std::span<const buffer>());
      CHECK(n == 0);
    }
    co_await server.write_all_vectored(std::span<const const_buffer>());
    CHECK(server.try_read(buffer()).value() == 0);
  });
}

TEST_CASE("vectored reads and writes keep the order") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    const std::string a = "one,", c = "three";
    const std::array<const_buffer, 4> out{const_buffer(a), const_buffer("two,"), const_buffer(),
                                          const_buffer(c)};
    {
      const auto n = co_await client.write_vectored(out);
      CHECK(n == 13);
    }
    std::string first(6, '\0'), second(100, '\0');
    const std::array<buffer, 3> in{buffer(first), buffer(), buffer(second)};
    {
      const auto n = co_await server.read_vectored(in);
      CHECK(n == 13);
    }
    CHECK(first + second.substr(0, 7) == "one,two,three");
  });
}

TEST_CASE("write_all_vectored writes hundreds of buffers, of any size, through a slow reader") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    std::vector<std::string> parts;
    std::string whole;
    for (std::size_t i = 0; i < 300; ++i) {
      parts.emplace_back(i * 97 % 30'000, static_cast<char>('a' + i % 26));
      whole += parts.back();
    }
    const std::vector<const_buffer> list(parts.begin(), parts.end());
    auto writer = eddy::spawn(
        [](tcp_stream s, std::span<const const_buffer> l) -> eddy::future<> {
          co_await s.write_all_vectored(l);
        },
        std::move(client), std::span<const const_buffer>(list));
    const auto got = co_await read_to_end(server, 1000);
    CHECK((got == whole));
    co_await writer;
  });
}

TEST_CASE("options are set and read back") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    using namespace std::chrono_literals;
    CHECK(!client.nodelay().value());
    client.set_nodelay(true).value();
    CHECK(client.nodelay().value());
    client.set_keepalive(keepalive_options{.idle = 60s, .interval = 5s, .count = 3}).value();
    CHECK(client.keepalive().value());
    client.set_keepalive(false).value();
    CHECK(!client.keepalive().value());
    CHECK(client.linger().value() == std::nullopt);
    client.set_linger(7s).value();
    CHECK(client.linger().value() == 7s);
    client.set_linger(std::nullopt).value();
    CHECK(client.linger().value() == std::nullopt);
    client.set_ttl(33).value();
    CHECK(client.ttl().value() == 33);
    CHECK(!client.take_error());
    CHECK(!client.set_ttl(1 << 20).has_value());
  });
}

TEST_CASE("a stream wants its own runtime") {
  const test::leak_check leaks;
  eddy::runtime one = test::make_runtime();
  auto both = one.block_on(connected());
  eddy::runtime other = test::make_runtime();
  other.block_on([](test::connection& c) -> eddy::future<> {
    std::string buf(4, '\0');
    const auto r = co_await eddy::attempt(c.client.read(buf));
    REQUIRE(!r.has_value());
    CHECK(r.error() == eddy::errc::misuse);
    const auto w = co_await eddy::attempt(c.client.readable());
    REQUIRE(!w.has_value());
    CHECK(w.error() == eddy::errc::misuse);
  }(both));
}

TEST_CASE("outside a runtime a socket is refused and closed") {
  const test::leak_check leaks;
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const auto s = tcp_stream::adopt(fd);
  REQUIRE(!s.has_value());
  CHECK(s.error() == eddy::errc::misuse);
  CHECK(::close(fd) == -1);
}
