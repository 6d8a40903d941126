#include <eddy/net/unix_datagram.hpp>

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <system_error>
#include <vector>

#include <eddy/eddy.hpp>

#include "net/unix_folder.hpp"
#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

using namespace eddy::net;
using test::unix_folder;

TEST_CASE("Unix datagrams go to a path and back to their sender") {
  const test::leak_check leaks;
  const unix_folder folder;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([](std::string a, std::string b) -> eddy::future<> {
    auto server = unix_datagram::bind(a).value();
    auto client = unix_datagram::bind(b).value();
    const auto to = unix_address::path(a).value();
    co_await client.send_to("question", to);
    std::array<char, 32> buf;
    auto [size, from] = co_await server.recv_from(buf);
    CHECK(size == 8);
    CHECK(from.as_path() == b);
    co_await server.send_to("answer", from);
    auto [back, who] = co_await client.recv_from(buf);
    CHECK(back == 6);
    CHECK(who == to);
  }(folder.file("a"), folder.file("b")));
}

TEST_CASE("an unbound Unix socket of datagrams connects and sends, without a name") {
  const test::leak_check leaks;
  const unix_folder folder;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([](std::string path) -> eddy::future<> {
    auto server = unix_datagram::bind(path).value();
    auto client = unix_datagram::unbound().value();
    client.connect(path).value();
    CHECK(client.peer_addr().as_path() == path);
    co_await client.send("x");
    std::array<char, 32> buf;
    auto [size, from] = co_await server.recv_from(buf);
    CHECK(size == 1);
    CHECK(from.is_unnamed());
  }(folder.file("s")));
}

TEST_CASE("a pair of Unix sockets of datagrams keeps their bounds, batches them, and ends") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto two = unix_datagram::pair().value();
    std::array<char, 32> buf;
    CHECK(two.second.try_recv(buf).error() == std::errc::resource_unavailable_try_again);
    co_await two.first.send("one");
    co_await two.first.send("three");
    const auto one = co_await two.second.recv(buf);
    CHECK(one == 3);
    const auto three = co_await two.second.recv(buf);
    CHECK(three == 5);
    const std::array<outgoing<unix_address>, 2> out{{{"a"}, {"bb"}}};
    const auto sent = co_await two.first.send_batch(out);
    CHECK(sent == 2);
    std::array<std::array<char, 8>, 4> space;
    std::array<incoming<unix_address>, 4> in{{{space[0]}, {space[1]}, {space[2]}, {space[3]}}};
    const auto got = co_await two.second.recv_batch(in);
    CHECK(got == 2);
    CHECK(in[1].size == 2);
    two.first.shutdown(shutdown_side::write).value();
    auto none = co_await eddy::attempt(two.first.send("more"));
    CHECK(none.error() == std::errc::broken_pipe);
  });
}

TEST_CASE("sending waits while the receiver is full, connected or not") {
  const test::leak_check leaks;
  const unix_folder folder;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([](std::string path) -> eddy::future<> {
    auto server = unix_datagram::bind(path).value();
    const auto to = unix_address::path(path).value();
    for (const bool connected : {true, false}) {
      auto client = unix_datagram::unbound().value();
      if (connected) client.connect(to).value();
      std::size_t sent = 0;
      while (connected ? client.try_send("x") : client.try_send_to("x", to)) ++sent;
      CHECK(sent > 0);
      auto last = eddy::spawn(
          [](unix_datagram* s, const unix_address* where, bool peer) -> eddy::future<> {
            if (peer)
              co_await s->send("last");
            else
              co_await s->send_to("last", *where);
          },
          &client, &to, connected);
      co_await eddy::yield_now();
      CHECK(!last.is_finished());
      std::array<char, 8> buf;
      std::size_t got = 0;
      for (std::size_t n = 0; n != 4; ++got) n = co_await server.recv(buf);
      CHECK(got == sent + 1);
      co_await last;
    }
  }(folder.file("s")));
}

TEST_CASE("a batch to a full receiver waits, and does not poll all the time") {
  const test::leak_check leaks;
  const unix_folder folder;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([](std::string path) -> eddy::future<> {
    auto server = unix_datagram::bind(path).value();
    const auto to = unix_address::path(path).value();
    auto client = unix_datagram::unbound().value();
    while (client.try_send_to("x", to)) {
    }
    const std::array<outgoing<unix_address>, 1> out{{{"x", to}}};
    const auto before = test::polls();
    auto late = co_await eddy::attempt(
        eddy::timeout(std::chrono::milliseconds(50), client.send_batch(out)));
    CHECK(late.error() == eddy::errc::elapsed);
    CHECK(test::polls() - before <= 120);  // about one a millisecond; thousands if it spins
    std::array<char, 8> buf;
    static_cast<void>(co_await server.recv(buf));
    const auto sent = co_await client.send_batch(out);
    CHECK(sent == 1);
  }(folder.file("s")));
}

TEST_CASE("failures of Unix sockets of datagrams name the address") {
  const test::leak_check leaks;
  const unix_folder folder;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([](std::string path) -> eddy::future<> {
    auto s = unix_datagram::unbound().value();
    const auto none = s.connect(path);
    CHECK(none.error() == std::errc::no_such_file_or_directory);
    CHECK(none.error().message().find(path) != std::string::npos);
    auto first = unix_datagram::bind(path).value();
    CHECK(unix_datagram::bind(path).error() == std::errc::address_in_use);
    co_return;
  }(folder.file("s")));
}
