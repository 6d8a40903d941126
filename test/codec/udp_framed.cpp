#include <eddy/codec/udp_framed.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include <eddy/codec/bytes.hpp>
#include <eddy/codec/length_delimited.hpp>
#include <eddy/codec/lines.hpp>
#include <eddy/eddy.hpp>
#include <eddy/net/udp_socket.hpp>
#include <eddy/stream.hpp>

#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

namespace codec = eddy::codec;
namespace net = eddy::net;
using eddy::attempt;
using eddy::errc;
using eddy::future;

static_assert(eddy::stream<codec::udp_framed<net::udp_socket, codec::lines>>);

namespace {

future<net::udp_socket> bound() { co_return co_await net::udp_socket::bind("127.0.0.1:0"); }

template <class F>
void run(F f) {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on(f());
}

}  // namespace

TEST_CASE("frames go in datagrams and come with their sender, empty ones too") {
  run([]() -> future<> {
    codec::udp_framed a(co_await bound(), codec::bytes());
    codec::udp_framed b(co_await bound(), codec::bytes());
    const auto from = a.inner().local_addr();
    const auto to = b.inner().local_addr();
    co_await a.send("4567", to);
    const auto got = co_await b.next();
    CHECK(got->first == "4567");
    CHECK(got->second == from);
    auto socket = std::move(b).into_inner();
    co_await a.send("", to);
    std::array<char, 8> buf;
    const auto [size, sender] = co_await socket.recv_from(buf);
    CHECK(size == 0);
    CHECK(sender == from);
  });
}

TEST_CASE("a datagram may hold several frames, and several share a socket") {
  run([]() -> future<> {
    auto socket = co_await bound();
    const auto here = socket.local_addr();
    codec::udp_framed<net::udp_socket&, codec::bytes> out(socket, codec::bytes());
    codec::udp_framed<net::udp_socket&, codec::lines> in(socket, codec::lines());
    co_await out.send("1\r\n2\r\n3\r\n", here);
    co_await out.send("4\r\n5\r\n6", here);
    for (const char* want : {"1", "2", "3", "4", "5", "6"}) {
      const auto got = co_await in.next();
      CHECK(got->first == want);
      CHECK(got->second == here);
    }
  });
}

TEST_CASE("a datagram that cannot be decoded is a failure, and the next one is read") {
  run([]() -> future<> {
    auto socket = co_await bound();
    const auto here = socket.local_addr();
    codec::udp_framed<net::udp_socket&, codec::bytes> out(socket, codec::bytes());
    codec::udp_framed<net::udp_socket&, codec::length_delimited> in(socket,
                                                                    codec::length_delimited());
    co_await out.send(std::string("\0\0\0\x05half", 8), here);
    co_await in.send("whole", here);
    auto half = co_await attempt(in.next());
    CHECK(half.error() == errc::unexpected_end);
    const auto whole = co_await in.next();
    CHECK(whole->first == "whole");
    codec::udp_framed<net::udp_socket&, codec::lines> lines(socket, codec::lines(4));
    co_await out.send("one\ntoo long\ntwo\ntoo long", here);
    co_await out.send("three\nfour", here);
    std::string all;
    while (all.find("four") == std::string::npos) {
      auto line = co_await attempt(lines.next());
      all += line ? (*line)->first + ' ' : "- ";
    }
    CHECK(all == "one - two - - four ");
    auto refused = co_await attempt(in.send(std::string(70000, 'x'), here));
    CHECK(refused.error() == std::errc::message_size);  // the system's
    co_await in.send("after", here);
    const auto after = co_await in.next();
    CHECK(after->first == "after");
  });
}

TEST_CASE("a dropped next takes nothing, and a move goes on") {
  run([]() -> future<> {
    auto socket = co_await bound();
    const auto here = socket.local_addr();
    codec::udp_framed<net::udp_socket&, codec::bytes> in(socket, codec::bytes());
    {
      auto waiting = eddy::select(in.next(), eddy::yield_now());
      const auto r = co_await waiting;
      CHECK(r.index() == 1);
    }
    auto moved = std::move(in);
    co_await moved.send("late", here);
    const auto got = co_await moved.next();
    CHECK(got->first == "late");
  });
}

TEST_CASE("frames in datagrams can be cut off at every step") {
  const auto cuts = test::cut_points([]() -> future<> {
    codec::udp_framed a(co_await bound(), codec::lines());
    const auto here = a.inner().local_addr();
    for (int i = 0; i < 3; ++i) {
      co_await a.send("ping", here);
      const auto got = co_await a.next();
      CHECK(got->first == "ping");
      co_await eddy::yield_now();
    }
  });
  CHECK(cuts >= 3);
}
