// The builder, and connecting by name: whose addresses are tried side by side.
#include <eddy/net/tcp_socket.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "net/connect_race.hpp"
#include "net/connection.hpp"
#include "support/any_runtime.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

using namespace eddy::net;
using namespace std::chrono_literals;

namespace {

using addresses = std::vector<socket_address>;

eddy::runtime paused() { return eddy::runtime::builder().start_paused().build(); }

/// A resolver that is told what to say, and when.
class scripted : public resolver {
 public:
  explicit scripted(addresses answer, eddy::duration after = {})
      : answer_(std::move(answer)), after_(after) {}
  eddy::future<eddy::result<addresses>> resolve(std::string host, std::uint16_t port) override {
    asked.push_back(host + ' ' + std::to_string(port));
    return say(answer_, after_);
  }
  std::vector<std::string> asked;

 private:
  static eddy::future<eddy::result<addresses>> say(addresses answer, eddy::duration after) {
    if (after != eddy::duration()) co_await eddy::sleep(after);
    co_return answer;
  }
  addresses answer_;
  eddy::duration after_;
};

constexpr auto never = std::chrono::hours(24 * 365);

/// Where nobody answers: the backlog is full, and what else comes is ignored.
class silent_port {
 public:
  static eddy::future<silent_port> make() {
    auto socket = tcp_socket::v4().value();
    socket.bind(socket_address::loopback_v4(0)).value();
    silent_port made(std::move(socket).listen(0).value());
    for (bool full = false; !full;) {
      auto c = co_await eddy::attempt(eddy::timeout(50ms, tcp_stream::connect(made.address())));
      full = !c.has_value();
      if (!full) made.clients_.push_back(std::move(*c));
    }
    co_return made;
  }
  socket_address address() const { return listener_.local_addr(); }

 private:
  explicit silent_port(tcp_listener l) : listener_(std::move(l)) {}
  tcp_listener listener_;
  std::vector<tcp_stream> clients_;
};

/// A port of loopback that refuses: it is bound, and nobody listens.
struct closed_port {
  tcp_socket socket = tcp_socket::v4().value();
  closed_port() { socket.bind(socket_address::loopback_v4(0)).value(); }
  socket_address address() const { return socket.local_addr(); }
};

bool has_v6() {
  auto s = tcp_socket::v6();
  return s && s->bind(socket_address::loopback_v6(0)).has_value();
}

}  // namespace

TEST_CASE("a socket is bound, listens, and another connects from a port of its choice") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  for (const auto& where : {socket_address::loopback_v4(0), socket_address::loopback_v6(0)}) {
    if (where.is_v6() && !has_v6()) {
      MESSAGE("skipped: no IPv6 here");
      continue;
    }
    rt.block_on([](socket_address at) -> eddy::future<> {
      auto server = tcp_socket::for_address(at).value();
      server.set_reuse_address(true).value();
      server.bind(at).value();
      const auto place = server.local_addr();
      auto listener = std::move(server).listen(128).value();
      CHECK(listener.local_addr() == place);
      auto socket = tcp_socket::for_address(at).value();
      socket.bind(at).value();
      const auto from = socket.local_addr();
      CHECK(from.port() != 0);
      auto client = co_await std::move(socket).connect(place);
      auto [stream, peer] = co_await listener.accept();
      CHECK(peer == from);
      co_await stream.write_all("hello");
      std::string buf(8, '\0');
      const auto n = co_await client.read(buf);
      CHECK(n == 5);
    }(where));
  }
}

TEST_CASE("what is set on a socket can be read, and what cannot be set says so") {
  const test::leak_check leaks;
  for (const bool six : {false, true}) {
    if (six && !has_v6()) continue;
    auto s = six ? tcp_socket::v6().value() : tcp_socket::v4().value();
    CHECK(!s.reuse_address().value());
    s.set_reuse_address(true).value();
    CHECK(s.reuse_address().value());
    s.set_reuse_port(true).value();
    CHECK(s.reuse_port().value());
    CHECK(!s.nodelay().value());
    s.set_nodelay(true).value();
    CHECK(s.nodelay().value());
    CHECK(!s.keepalive().value());
    s.set_keepalive(true).value();
    CHECK(s.keepalive().value());
    s.set_keepalive(keepalive_options{.idle = 60s, .interval = 5s, .count = 3}).value();
    CHECK(s.linger().value() == std::nullopt);
    s.set_linger(10s).value();
    CHECK(s.linger().value() == 10s);
    s.set_linger(0s).value();
    CHECK(s.linger().value() == 0s);
    s.set_send_buffer_size(4096).value();
    CHECK(s.send_buffer_size().value() >= 4096);
    s.set_recv_buffer_size(4096).value();
    CHECK(s.recv_buffer_size().value() >= 4096);
    s.set_tos(96).value();
    CHECK(s.tos().value() == 96);
    CHECK(!s.take_error());
    CHECK(s.only_v6().has_value() == six);
    if (six) {
      s.set_only_v6(true).value();
      CHECK(s.only_v6().value());
    }
#ifdef __linux__
    CHECK(s.device().value().empty());
    CHECK(!s.bind_device("no-such-device").has_value());
    if (const auto bound = s.bind_device("lo"); bound)
      CHECK(s.device().value().starts_with("lo"));
    else
      MESSAGE("skipped: binding to a device: ", bound.error().message());
#endif
  }
}

TEST_CASE("the options of a socket are those of its connection") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    auto socket = tcp_socket::v4().value();
    socket.set_nodelay(true).value();
    socket.set_linger(3s).value();
    auto client = co_await std::move(socket).connect(listener.local_addr());
    CHECK(client.nodelay().value());
    CHECK(client.linger().value() == 3s);
#ifdef __linux__
    client.set_quickack(false).value();
    CHECK(!client.quickack().value());
#endif
  });
}

TEST_CASE("a socket that is not used closes, one that is given away does not") {
  const test::leak_check leaks;
  int kept = -1;
  {
    auto dropped = tcp_socket::v4().value();
    auto given = tcp_socket::v4().value();
    kept = std::move(given).into_descriptor();
  }
  auto again = tcp_socket::adopt(kept);
  CHECK(again.native_handle() == kept);
  CHECK(!again.bind(socket_address()).has_value());
  const auto refused =
      again.bind(socket_address::v4({192, 0, 2, 1}, 1));  // a documentation address: not ours
  REQUIRE(!refused.has_value());
  CHECK(refused.error().message().starts_with("bind 192.0.2.1:1: "));
  CHECK(std::move(again).listen().error() == eddy::errc::misuse);  // outside a runtime
  CHECK(!tcp_socket::for_address(socket_address()).has_value());
}

TEST_CASE("a resolver that is brought along is asked, but not for numbers") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    scripted names({socket_address::loopback_v4(7)});
    const auto found = co_await lookup_host("example.org:80", names);
    CHECK((found == addresses{socket_address::loopback_v4(7)}));
    const auto numeric = co_await lookup_host("127.0.0.1:81", names);
    CHECK((numeric == addresses{socket_address::loopback_v4(81)}));
    CHECK((names.asked == std::vector<std::string>{"example.org 80"}));
    scripted nothing(addresses{});
    const auto none = co_await eddy::attempt(lookup_host("example.org:80", nothing));
    REQUIRE(!none.has_value());
    CHECK(none.error().message() == "lookup example.org: unknown node or service");
  });
}

TEST_CASE("an answer that never comes is waited for as long as one likes, and dropped") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> eddy::future<> {
    scripted names({socket_address::loopback_v4(7)}, never);
    connect_options options;
    options.with = &names;
    const auto begin = eddy::clock::now();
    const auto r =
        co_await eddy::attempt(eddy::timeout(5s, tcp_stream::connect("example.org:80", options)));
    REQUIRE(!r.has_value());
    CHECK(r.error() == eddy::errc::elapsed);
    CHECK(eddy::clock::now() - begin == 5s);
    const auto l = co_await eddy::attempt(eddy::timeout(5s, lookup_host("example.org:80", names)));
    CHECK(!l.has_value());
    CHECK(names.asked.size() == 2);
  });
}

TEST_CASE("families take turns, and the order of each stays") {
  const auto four = [](std::uint16_t p) { return socket_address::loopback_v4(p); };
  const auto six = [](std::uint16_t p) { return socket_address::loopback_v6(p); };
  using eddy::detail::take_turns;
  CHECK((take_turns({six(1), six(2), six(3), four(4), four(5)}) ==
         addresses{six(1), four(4), six(2), four(5), six(3)}));
  CHECK((take_turns({four(1), four(2), six(3)}) == addresses{four(1), six(3), four(2)}));
  CHECK((take_turns({six(1)}) == addresses{six(1)}));
}

TEST_CASE(
    "the next address is tried 250 ms later beside one that does not answer, and the first wins") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> eddy::future<> {
    const auto silent = co_await silent_port::make();
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    scripted names({silent.address(), silent.address(), listener.local_addr()});
    connect_options options;
    options.with = &names;
    auto begin = eddy::clock::now();
    auto client = co_await tcp_stream::connect("example.org:80", options);
    CHECK(client.peer_addr() == listener.local_addr());
    CHECK(eddy::clock::now() - begin >= 500ms);
    CHECK(eddy::clock::now() - begin < 750ms);
    options.attempt_delay = 10ms;
    begin = eddy::clock::now();
    client = co_await tcp_stream::connect("example.org:80", options);
    CHECK(eddy::clock::now() - begin >= 20ms);
    CHECK(eddy::clock::now() - begin < 30ms);
  });
}

TEST_CASE(
    "an address that refuses makes way for the next one at once, and the last failure is told") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> eddy::future<> {
    const closed_port first, second;
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    scripted names({first.address(), second.address(), listener.local_addr()});
    connect_options options;
    options.with = &names;
    const auto begin = eddy::clock::now();
    auto client = co_await tcp_stream::connect("example.org:80", options);
    CHECK(client.peer_addr() == listener.local_addr());
    CHECK(eddy::clock::now() - begin < 250ms);
    scripted refused({first.address(), second.address()});
    options.with = &refused;
    const auto r = co_await eddy::attempt(tcp_stream::connect("example.org:80", options));
    REQUIRE(!r.has_value());
    CHECK(r.error().message() ==
          "connect " + second.address().to_string() + ": connection refused");
  });
}

TEST_CASE("a failure does not end the race while another attempt may still win") {
  const test::leak_check leaks;
  auto rt = paused();
  rt.block_on([]() -> eddy::future<> {
    const auto silent = co_await silent_port::make();
    const closed_port refuses;
    scripted names({silent.address(), refuses.address()});
    connect_options options;
    options.with = &names;
    const auto r =
        co_await eddy::attempt(eddy::timeout(3s, tcp_stream::connect("example.org:80", options)));
    REQUIRE(!r.has_value());
    CHECK(r.error() == eddy::errc::elapsed);
  });
}

TEST_CASE("builder, lookup and race can be dropped at every point") {
  const auto polls = test::cut_points([]() -> eddy::future<> {
    const auto silent = co_await silent_port::make();
    const closed_port refuses;
    auto socket = tcp_socket::v4().value();
    socket.bind(socket_address::loopback_v4(0)).value();
    auto listener = std::move(socket).listen(8).value();
    auto other = tcp_socket::v4().value();
    auto plain = co_await std::move(other).connect(listener.local_addr());
    scripted names({silent.address(), refuses.address(), silent.address(), listener.local_addr()},
                   5ms);
    connect_options options;
    options.with = &names;
    auto client = co_await tcp_stream::connect("example.org:80", options);
    auto [stream, peer] = co_await listener.accept();
    CHECK(peer == plain.local_addr());
    scripted late({listener.local_addr()}, never);
    options.with = &late;
    const auto r =
        co_await eddy::attempt(eddy::timeout(5s, tcp_stream::connect("example.org:80", options)));
    CHECK(!r.has_value());
  });
  CHECK(polls > 8);
}
