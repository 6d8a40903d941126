#include <eddy/net/udp_socket.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

using namespace eddy::net;

namespace {

udp_socket bound(const char* where = "127.0.0.1:0") {
  return udp_socket::bind(socket_address::parse(where).value()).value();
}
/// Two sockets, each connected to the other.
struct udp_pair {
  udp_socket a = bound();
  udp_socket b = bound();
  udp_pair() {
    a.connect(b.local_addr()).value();
    b.connect(a.local_addr()).value();
  }
};
std::string_view text(const std::array<char, 64>& buf, std::size_t n) { return {buf.data(), n}; }

}  // namespace

TEST_CASE("connected UDP sockets exchange datagrams, an empty one too") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    udp_pair two;
    CHECK(two.a.peer_addr() == two.b.local_addr());
    std::array<char, 64> buf;
    for (const std::string_view m : {"one", "", "three"}) {
      const auto sent = co_await two.a.send(m);
      CHECK(sent == m.size());
      const auto n = co_await two.b.recv(buf);
      CHECK(text(buf, n) == m);
    }
  });
}

TEST_CASE("a datagram says who sent it, and can be answered") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto server = bound();
    auto client = co_await udp_socket::bind("localhost:0");
    CHECK(!client.peer_addr());
    std::array<char, 64> buf;
    const auto sent = co_await client.send_to("question", server.local_addr());
    CHECK(sent == 8);
    auto [size, from] = co_await server.recv_from(buf);
    CHECK(text(buf, size) == "question");
    CHECK(from == client.local_addr());
    co_await server.send_to("answer", from);
    auto [back, who] = co_await client.recv_from(buf);
    CHECK(text(buf, back) == "answer");
    CHECK(who == server.local_addr());
  });
}

TEST_CASE("a receive waits for its datagram, and loses none when it is dropped") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    udp_pair two;
    std::array<char, 64> buf;
    {
      test::mock_task task;
      auto waiting = two.b.recv(buf);
      CHECK(!task.poll(waiting).is_ready());
      CHECK(task.references() == 1);
    }
    auto reader = eddy::spawn(
        [](udp_socket* s) -> eddy::future<std::string> {
          std::array<char, 64> to;
          const auto n = co_await s->recv(to);
          co_return std::string(to.data(), n);
        },
        &two.b);
    co_await eddy::yield_now();
    CHECK(!reader.is_finished());
    co_await two.a.send("late");
    const auto got = co_await reader;
    CHECK(got == "late");
  });
}

TEST_CASE("peeking leaves a datagram where it is, and tells its sender without a buffer") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto server = bound();
    auto client = bound();
    std::array<char, 64> buf;
    const auto nothing = server.try_peek(buf);
    CHECK(nothing.error() == std::errc::resource_unavailable_try_again);
    co_await client.send_to("look", server.local_addr());
    auto [size, from] = co_await server.peek_from(buf);
    CHECK(text(buf, size) == "look");
    CHECK(from == client.local_addr());
    auto [none, sender] = co_await server.peek_from(buffer());
    CHECK(none == 0);
    CHECK(sender == client.local_addr());
    const auto n = co_await server.peek(buf);
    CHECK(n == 4);
    const auto tried = server.try_peek_from(buf);
    CHECK(tried->size == 4);
    CHECK(tried->from == client.local_addr());
    const auto taken = server.try_recv_from(buf);
    CHECK(taken->size == 4);
    CHECK(server.try_recv(buf).error() == std::errc::resource_unavailable_try_again);
  });
}

TEST_CASE("a datagram longer than the buffer is cut off, and the next one is whole") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    udp_pair two;
    co_await two.a.send("0123456789");
    co_await two.a.send("next");
    std::array<char, 4> small;
    const auto n = co_await two.b.recv(small);
    CHECK(n == 4);
    std::array<char, 64> buf;
    const auto m = co_await two.b.recv(buf);
    CHECK(text(buf, m) == "next");
  });
}

TEST_CASE("batches send and receive several datagrams, and tell of a cut one") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto server = bound();
    auto client = bound();
    const std::array<std::string, 3> words{"a", "bb", "cccccccc"};
    std::vector<outgoing<socket_address>> out;
    for (const auto& w : words) out.push_back({w, server.local_addr()});
    const auto sent = co_await client.send_batch(out);
    CHECK(sent == 3);
    std::array<std::array<char, 4>, 40> space;
    std::vector<incoming<socket_address>> in;
    for (auto& s : space) in.push_back({s});
    const auto got = co_await server.recv_batch(in);
    REQUIRE(got == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(in[i].from == client.local_addr());
      CHECK(in[i].truncated == (i == 2));
      CHECK(std::string_view(space[i].data(), in[i].size) == words[i].substr(0, 4));
    }
    const auto empty = co_await server.recv_batch({});
    CHECK(empty == 0);
  });
}

TEST_CASE("a connected socket sends a batch without addresses") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    udp_pair two;
    const std::array<outgoing<socket_address>, 2> out{{{"x"}, {"yy"}}};
    const auto sent = co_await two.a.send_batch(out);
    CHECK(sent == 2);
    std::array<char, 64> buf;
    std::size_t total = 0;
    for (int i = 0; i < 2; ++i) total += co_await two.b.recv(buf);
    CHECK(total == 3);
  });
}

TEST_CASE("what is sent to a closed port comes back as an error of the connected socket") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto socket = bound();
    socket_address nobody;
    {
      auto gone = bound();
      nobody = gone.local_addr();
    }
    co_await eddy::sleep(std::chrono::milliseconds(1));  // a turn of the loop closes it
    socket.connect(nobody).value();
    static_cast<void>(co_await eddy::attempt(socket.send("anybody?")));
    std::array<char, 64> buf;
    auto answer = co_await eddy::attempt(socket.recv(buf));
    REQUIRE(!answer);
    CHECK(answer.error() == std::errc::connection_refused);
  });
}

TEST_CASE("one task sends and another receives on the same UDP socket") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto shared = std::make_shared<udp_socket>(bound());
    auto echo = eddy::spawn(
        [](std::shared_ptr<udp_socket> s) -> eddy::future<> {
          std::array<char, 64> buf;
          auto [size, from] = co_await s->recv_from(buf);
          co_await s->send_to(std::string_view(buf.data(), size), from);
        },
        shared);
    auto client = bound();
    co_await client.send_to("there and back", shared->local_addr());
    std::array<char, 64> buf;
    auto [size, from] = co_await client.recv_from(buf);
    CHECK(text(buf, size) == "there and back");
    CHECK(from == shared->local_addr());
    co_await echo;
  });
}

TEST_CASE("readiness and the try_ functions make a UDP loop of one's own, also on another thread") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto server = bound();
    auto client = bound();
    std::array<char, 64> buf;
    for (int i = 0; i < 5; ++i) {
      co_await client.writable();
      CHECK(client.try_send_to("ping", server.local_addr()).value() == 4);
      for (;;) {
        co_await server.readable();
        auto got = server.try_recv_from(buf);
        if (!got && got.error() == std::errc::resource_unavailable_try_again) continue;
        CHECK(got->size == 4);
        CHECK(got->from == client.local_addr());
        break;
      }
    }
    client.connect(server.local_addr()).value();
    std::thread([&client] { CHECK(client.try_send("elsewhere").value() == 9); }).join();
    const auto n = co_await server.recv(buf);
    CHECK(text(buf, n) == "elsewhere");
  });
}

TEST_CASE(
    "who gets datagrams one at a time asks for none that is not there, and a flood is noticed") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto from = bound(), to = bound();
    const auto there = to.local_addr();
    std::string buf(16, '\0');
    test::mock_task task;
    int asked_in_vain = 0;  // readiness that was left for another call to find out
    const auto one_alone = [](udp_socket& a, udp_socket& b, socket_address where, std::string& text,
                              test::mock_task& t, int& vain) -> eddy::future<> {
      co_await a.send_to("alone", where);
      const auto n = co_await b.recv(text);
      CHECK(n == 5);
      auto more = b.readable();
      if (!t.poll(more)) co_return;
      ++vain;
      auto none = b.recv(text);
      t.assert_pending(none);
    };
    for (int i = 0; i < 8; ++i) co_await one_alone(from, to, there, buf, task, asked_in_vain);
    CHECK(asked_in_vain == 4);
    for (int i = 0; i < 40; ++i) co_await one_alone(from, to, there, buf, task, asked_in_vain);
    CHECK(asked_in_vain == 6);  // it makes sure now and then
    for (char c = 'a'; c <= 'z'; ++c) co_await from.send_to(std::string_view(&c, 1), there);
    std::string all;
    while (all.size() < 26) {
      const auto n = co_await to.recv(buf);
      all.append(buf, 0, n);
    }
    CHECK(all == "abcdefghijklmnopqrstuvwxyz");
    for (int i = 0; i < 2; ++i) co_await from.send_to("many", there);
    co_await to.readable();
    for (int i = 0; i < 2;
         ++i) {  // the flood was noticed: what is there is taken without a look between
      auto receiving = to.recv(buf);
      CHECK(task.poll(receiving).is_ready());
    }
  });
}

TEST_CASE("binding a taken port and sending too much fail with what and where") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto first = bound();
    auto second = udp_socket::bind(first.local_addr());
    REQUIRE(!second);
    CHECK(second.error() == std::errc::address_in_use);
    CHECK(second.error().message().find(first.local_addr().to_string()) != std::string::npos);
    CHECK(udp_socket::bind(socket_address()).error() == std::errc::invalid_argument);
    const std::string large(70'000, 'x');
    auto sent = co_await eddy::attempt(first.send_to(large, first.local_addr()));
    CHECK(sent.error() == std::errc::message_size);
    udp_options shared;
    shared.reuse_port = true;
    auto one = udp_socket::bind(socket_address::loopback_v4(0), shared).value();
    CHECK(udp_socket::bind(one.local_addr(), shared).has_value());
  });
}

TEST_CASE("options of a UDP socket can be set and read") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto s = bound();
    CHECK(!s.broadcast().value());
    s.set_broadcast(true).value();
    CHECK(s.broadcast().value());
    s.set_ttl(17).value();
    CHECK(s.ttl().value() == 17);
    s.set_multicast_ttl(3).value();
    CHECK(s.multicast_ttl().value() == 3);
    s.set_multicast_loop(false).value();
    CHECK(!s.multicast_loop().value());
    s.set_tos(96).value();
    CHECK(s.tos().value() == 96);
    s.set_send_buffer_size(8192).value();
    CHECK(s.send_buffer_size().value() >= 8192);
    s.set_recv_buffer_size(8192).value();
    CHECK(s.recv_buffer_size().value() >= 8192);
    CHECK(!s.bind_device("no-such-device").has_value());
#ifdef __linux__
    CHECK(s.device().value().empty());
#endif
    CHECK(!s.take_error());
    co_return;
  });
}

TEST_CASE("a datagram to a multicast group reaches who joined it") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto member = bound("0.0.0.0:0");
    const auto group = socket_address::v4({239, 255, 77, 1}, member.local_addr().port());
    const auto here = socket_address::loopback_v4(0);
    const auto joined = member.join_multicast_v4(group, here);
    if (!joined) {
      MESSAGE("skipped, no multicast here: " << joined.error().message());
      co_return;
    }
    auto sender = bound();
    auto sent = co_await eddy::attempt(sender.send_to("all of you", group));
    if (!sent) {
      MESSAGE("skipped, no multicast here: " << sent.error().message());
      co_return;
    }
    std::array<char, 64> buf;
    const auto n = co_await member.recv(buf);
    CHECK(text(buf, n) == "all of you");
    member.leave_multicast_v4(group, here).value();
    CHECK(member.leave_multicast_v4(group, here).error() == std::errc::address_not_available);
    CHECK(member.join_multicast_v4(socket_address::any_v6(0), here).error() ==
          std::errc::invalid_argument);
    CHECK(member.join_multicast_v6(group, 0).error() == std::errc::invalid_argument);
  });
}

TEST_CASE("a UDP socket is given away as a descriptor and taken over again") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    udp_pair two;
    const auto address = two.a.local_addr();
    const int fd = std::move(two.a).into_descriptor().value();
    auto again = udp_socket::adopt(fd).value();
    CHECK(again.local_addr() == address);
    co_await two.b.send("still there");
    std::array<char, 64> buf;
    const auto n = co_await again.recv(buf);
    CHECK(text(buf, n) == "still there");
  });
}

TEST_CASE("a UDP socket awaited on another runtime, or after its own has ended, is an error") {
  std::optional<udp_socket> socket;
  {
    eddy::runtime first = test::make_runtime();
    first.block_on([](std::optional<udp_socket>* s) -> eddy::future<> {
      s->emplace(bound());
      co_return;
    }(&socket));
    eddy::runtime second = test::make_runtime();
    second.block_on([](udp_socket* s) -> eddy::future<> {
      std::array<char, 64> buf;
      auto got = co_await eddy::attempt(s->recv(buf));
      CHECK(got.error() == eddy::errc::misuse);
    }(&*socket));
  }
  eddy::runtime third = test::make_runtime();
  third.block_on([](udp_socket* s) -> eddy::future<> {
    std::array<char, 64> buf;
    auto got = co_await eddy::attempt(s->recv_from(buf));
    CHECK(got.error() == eddy::errc::closed);
  }(&*socket));
}
