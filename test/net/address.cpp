#include <eddy/net/address.hpp>

#include <doctest/doctest.h>
#include <netinet/in.h>

#include <string>
#include <unordered_set>

#include <eddy/base/error.hpp>

using eddy::net::socket_address;

TEST_CASE("an address is read and written") {
  for (const std::string text : {"127.0.0.1:8080", "0.0.0.0:0", "255.255.255.255:65535",
                                 "[::1]:8080", "[::]:0", "[2001:db8::7]:1", "[fe80::1%3]:9"}) {
    CAPTURE(text);
    const auto a = socket_address::parse(text);
    REQUIRE(a.has_value());
    CHECK(a->to_string() == text);
    CHECK(a->is_v6() == (text.front() == '['));
    CHECK(a->is_v4() != a->is_v6());
  }
  CHECK(socket_address::parse("127.0.0.1:8080")->port() == 8080);
  CHECK(socket_address::parse("[fe80::1%3]:9")->ip_string() == "fe80::1%3");
  CHECK(socket_address::parse("::1", 5).value() == socket_address::loopback_v6(5));
}

TEST_CASE("what is no numeric address with a port is refused and named") {
  for (const std::string text : {"",
                                 ":",
                                 "localhost:80",
                                 "127.0.0.1",
                                 "127.0.0.1:",
                                 ":80",
                                 "127.0.0.1:65536",
                                 "127.0.0.1:-1",
                                 "127.0.0.1:+1",
                                 "127.0.0.1:80x",
                                 "127.0.0.1: 80",
                                 "127.0.0:80",
                                 "::1:80",
                                 "[::1]",
                                 "[::1]80",
                                 "[127.0.0.1]:80",
                                 "[::1%]:80",
                                 "[::1%no-such-if]:80",
                                 "[]:80",
                                 "[::1:80",
                                 "1.2.3.4.5:80"}) {
    CAPTURE(text);
    const auto a = socket_address::parse(text);
    REQUIRE(!a.has_value());
    CHECK(a.error() == std::errc::invalid_argument);
    CHECK(a.error().message().find(text) != std::string::npos);
  }
  CHECK(!socket_address::parse(std::string("127.0.0.1\0:1", 12)).has_value());
  CHECK(!socket_address::parse(std::string(200, '1') + ":1").has_value());
}

TEST_CASE("an address goes to the system's form and back") {
  for (const auto a : {socket_address::v4({10, 1, 2, 3}, 4), socket_address::loopback_v6(6),
                       socket_address::v6({0xfe, 0x80, 1, 2, 3}, 77, 9)}) {
    ::sockaddr_storage native{};
    const auto size = a.to_native(&native);
    CHECK(size == (a.is_v4() ? sizeof(::sockaddr_in) : sizeof(::sockaddr_in6)));
    const auto* const p = reinterpret_cast<const ::sockaddr*>(&native);
    CHECK(socket_address::from_native(p, size) == a);
    CHECK(!socket_address::from_native(p, size - 1));
    CHECK(!socket_address::from_native(p, 1));
  }
  ::sockaddr_storage other{};
  other.ss_family = AF_UNIX;
  CHECK(!socket_address::from_native(reinterpret_cast<const ::sockaddr*>(&other), sizeof other));
  CHECK(!socket_address::from_native(nullptr, 0));
  CHECK(socket_address().to_native(&other) == 0);
}

TEST_CASE("addresses compare, hash and answer questions") {
  const auto a = socket_address::loopback_v4(1), b = socket_address::loopback_v4(2);
  CHECK(a < b);
  CHECK(a != b);
  CHECK(a < socket_address::loopback_v6(0));
  const std::unordered_set<socket_address> set{a, b, a};
  CHECK(set.size() == 2);
  CHECK(a.is_loopback());
  CHECK(socket_address::loopback_v6(1).is_loopback());
  CHECK(!socket_address::any_v4(1).is_loopback());
  CHECK(socket_address::any_v6(1).is_unspecified());
  CHECK(!socket_address());
  CHECK(socket_address().to_string() == "unknown address");
  auto c = a;
  c.set_port(2);
  CHECK(c == b);
}
