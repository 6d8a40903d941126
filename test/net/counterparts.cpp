// Other people's programs at the other end, all descriptors used up, and peers that reset in the middle of each call.
#include <eddy/net/tcp_stream.hpp>

#include <doctest/doctest.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/io/read.hpp>
#include <eddy/net/pipe.hpp>
#include <eddy/net/udp_socket.hpp>
#include <eddy/net/unix_stream.hpp>

#include "net/connection.hpp"
#include "net/unix_folder.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

using namespace eddy::net;
using test::connected;

namespace {

bool has(const char* tool) {
  const bool there = std::system(("command -v " + std::string(tool) + " >/dev/null").c_str()) == 0;
  if (!there) MESSAGE("skipped: there is no ", tool, " here");
  return there;
}

/// A shell command that runs beside the test; what it prints.
class command {
 public:
  explicit command(std::string line)
      : thread_([this, text = std::move(line)] {
          FILE* const out = ::popen(text.c_str(), "r");
          std::array<char, 4096> buf;
          while (const auto n = std::fread(buf.data(), 1, buf.size(), out))
            printed_.append(buf.data(), n);
          status_ = ::pclose(out);
        }) {}
  command(const command&) = delete;
  ~command() {
    if (thread_.joinable()) thread_.join();
  }
  /// What it has printed, once it has ended. The loop turns meanwhile: what was dropped is closed.
  eddy::future<std::string> printed() {
    co_await eddy::spawn_blocking([](std::thread* t) { t->join(); }, &thread_);
    CHECK(status_ == 0);
    co_return printed_;
  }

 private:
  std::string printed_;
  int status_ = -1;
  std::thread thread_;
};

std::string port_of(const socket_address& a) { return std::to_string(a.port()); }

/// Sends back what comes until the end, then ends.
template <class Stream>
eddy::future<std::size_t> echo(Stream s) {
  std::string buf(4096, '\0');
  std::size_t sum = 0;
  while (const auto n = co_await s.read(buf)) {
    co_await s.write_all(std::span(buf).first(n));
    sum += n;
  }
  co_return sum;
}

}  // namespace

TEST_CASE("socat sends a megabyte and gets it back") {
  if (!has("socat")) return;
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    command client("head -c 1000000 /dev/zero | socat -t 30 - TCP:127.0.0.1:" +
                   port_of(listener.local_addr()) + " | wc -c");
    auto [stream, peer] = co_await listener.accept();
    const auto echoed = co_await echo(std::move(stream));
    CHECK(echoed == 1'000'000);
    const auto count = co_await client.printed();
    CHECK(std::atoi(count.c_str()) == 1'000'000);
  });
}

TEST_CASE("socat is connected to over a Unix socket") {
  if (!has("socat")) return;
  const test::leak_check leaks;
  const test::unix_folder folder;
  eddy::runtime rt;
  rt.block_on([](std::string path) -> eddy::future<> {
    auto listener = unix_listener::bind(path).value();
    command client("printf 'from socat' | socat -t 30 - UNIX-CONNECT:" + path);
    auto [stream, peer] = co_await listener.accept();
    const auto sum = co_await echo(std::move(stream));
    CHECK(sum == 10);
    {
      const auto answer = co_await client.printed();
      CHECK(answer == "from socat");
    }
  }(folder.file("socket")));
}

TEST_CASE("nc asks by TCP and by UDP") {
  if (!has("nc")) return;
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    command client("printf 'from nc' | nc -N 127.0.0.1 " + port_of(listener.local_addr()));
    auto [stream, peer] = co_await listener.accept();
    const auto sum = co_await echo(std::move(stream));
    CHECK(sum == 7);
    {
      const auto answer = co_await client.printed();
      CHECK(answer == "from nc");
    }
    auto socket = co_await udp_socket::bind("127.0.0.1:0");
    command sender("printf datagram | nc -u -w 1 127.0.0.1 " + port_of(socket.local_addr()));
    std::string buf(100, '\0');
    auto [size, from] = co_await socket.recv_from(buf);
    CHECK(buf.substr(0, size) == "datagram");
    co_await sender.printed();
  });
}

TEST_CASE("curl's telnet talks to an eddy server") {
  if (!has("curl")) return;
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    command client("printf 'hello\\n' | curl -s --max-time 30 telnet://127.0.0.1:" +
                   port_of(listener.local_addr()));
    auto [stream, peer] = co_await listener.accept();
    std::string line(6, '\0');
    co_await eddy::io::read_exact(stream, line);
    CHECK(line == "hello\n");
    co_await stream.write_all("and goodbye");
    stream.shutdown_write().value();
    {
      const auto gone = std::move(stream);
    }
    {
      const auto answer = co_await client.printed();
      CHECK(answer == "and goodbye");
    }
  });
}

TEST_CASE("a FIFO whose reader leaves, another program, is an error of the write") {
  const test::leak_check leaks;
  const test::unix_folder folder;
  const auto path = folder.file("fifo");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  eddy::runtime rt;
  rt.block_on([](std::string where) -> eddy::future<> {
    command reader("head -c 5 < " + where);
    std::optional<pipe_sender> sender;
    while (!sender) {  // until it has opened its end
      auto opened = pipe_sender::open(where);
      if (opened)
        sender = std::move(*opened);
      else
        co_await eddy::sleep(std::chrono::milliseconds(1));
    }
    const std::string big(1 << 20, 'f');
    const auto r = co_await eddy::attempt(sender->write_all(big));
    REQUIRE(!r.has_value());
    CHECK(r.error() == std::errc::broken_pipe);
    const auto taken = co_await reader.printed();
    CHECK(taken == "fffff");
  }(path));
}

TEST_CASE("5000 descriptors are used up, every call says so, and freed again all is well") {
  ::rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  if (before.rlim_max < 5000) {
    MESSAGE("skipped: this process may open ", before.rlim_max, " descriptors only");
    return;
  }
  ::rlimit limit = before;
  limit.rlim_cur = 5000;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  {
    const test::leak_check leaks;
    eddy::runtime rt;
    for (int round = 0; round < 2; ++round) {
      rt.block_on([]() -> eddy::future<> {
        auto listener = co_await tcp_listener::bind("127.0.0.1:0");
        std::vector<test::connection> open;
        for (;;) {
          auto client = co_await eddy::attempt(tcp_stream::connect(listener.local_addr()));
          if (!client) {
            CHECK(client.error() == std::errc::too_many_files_open);
            break;
          }
          auto accepted = listener.try_accept();
          while (!accepted && accepted.error() == std::errc::resource_unavailable_try_again) {
            co_await eddy::yield_now();
            accepted = listener.try_accept();
          }
          if (!accepted) {
            CHECK(accepted.error() == std::errc::too_many_files_open);
            break;
          }
          open.push_back({std::move(*client), std::move(accepted->stream)});
        }
        CHECK(open.size() > 2400);
        std::vector<udp_socket> rest;
        for (;;) {  // the last one or two
          auto socket = udp_socket::bind(socket_address::loopback_v4(0));
          if (!socket) {
            CHECK(socket.error() == std::errc::too_many_files_open);
            break;
          }
          rest.push_back(std::move(*socket));
        }
        CHECK(pipe().error() == std::errc::too_many_files_open);
        CHECK(unix_stream::pair().error() == std::errc::too_many_files_open);
        CHECK(std::move(open.back().client).into_descriptor().error() ==
              std::errc::too_many_files_open);
        // Those that are open still work.
        co_await open.front().client.write_all("x");
        std::string buf(4, '\0');
        const auto n = co_await open.front().server.read(buf);
        CHECK(n == 1);
        open.clear();
        rest.clear();
        auto client = co_await tcp_stream::connect(listener.local_addr());
        auto again = co_await listener.accept();
        while (again.peer != client.local_addr()) again = co_await listener.accept();
        co_await client.write_all("y");
        const auto m = co_await again.stream.read(buf);
        CHECK(m == 1);
      });
    }
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
}

namespace {

const std::string big(64 << 20, 'b');

bool is_end(const eddy::error& e) {
  return e == std::errc::connection_reset || e == std::errc::broken_pipe ||
         e == std::errc::not_connected;
}

/// What was awaited when the peer reset, and is polled again: an error, or (what reads) the end of the stream.
template <class Leaf>
eddy::future<> meets_reset(std::string name, std::function<Leaf(tcp_stream&)> begin) {
  auto [client, server] = co_await connected();
  while (client.try_write(big)) {  // so that writing has to wait
  }
  auto leaf = begin(client);
  test::mock_task task;
  task.assert_pending(leaf);
  test::reset(std::move(server));
  const auto r = co_await eddy::attempt(leaf);
  INFO(name);
  if (!r) CHECK(is_end(r.error()));
  auto after = begin(client);
  CHECK(task.poll(after).is_ready());  // and all that follows is told at once
}

template <class Begin>
void meet_reset(eddy::runtime& rt, std::string name, Begin begin) {
  using leaf = std::invoke_result_t<Begin&, tcp_stream&>;
  rt.block_on(meets_reset<leaf>(std::move(name), begin));
}

}  // namespace

TEST_CASE("a peer that resets in the middle of a call ends it, whichever call it is") {
  const test::leak_check leaks;
  eddy::runtime rt;
  static std::string room(16, '\0');
  static const std::array<buffer, 2> in{buffer(room), buffer(room)};
  static const std::array<const_buffer, 2> out{const_buffer(big), const_buffer(big)};
  meet_reset(rt, "read", [](tcp_stream& s) { return s.read(room); });
  meet_reset(rt, "read_vectored", [](tcp_stream& s) { return s.read_vectored(in); });
  meet_reset(rt, "peek", [](tcp_stream& s) { return s.peek(room); });
  meet_reset(rt, "readable", [](tcp_stream& s) { return s.readable(); });
  meet_reset(rt, "write", [](tcp_stream& s) { return s.write(big); });
  meet_reset(rt, "write_vectored", [](tcp_stream& s) { return s.write_vectored(out); });
  meet_reset(rt, "write_all", [](tcp_stream& s) { return s.write_all(big); });
  meet_reset(rt, "write_all_vectored", [](tcp_stream& s) { return s.write_all_vectored(out); });
  meet_reset(rt, "writable", [](tcp_stream& s) { return s.writable(); });
  rt.block_on([]() -> eddy::future<> {  // what does not wait
    auto [client, server] = co_await connected();
    test::reset(std::move(server));
    co_await client.readable();
    const auto r = client.try_read(room);
    REQUIRE(!r.has_value());
    CHECK(r.error() == std::errc::connection_reset);
    CHECK(is_end(client.try_write("x").error()));
    CHECK(is_end(client.shutdown_write().error()));
    CHECK(!client.peer_addr());
    CHECK(!client.take_error());
  });
  rt.block_on([]() -> eddy::future<> {  // before it was accepted
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    {
      auto gone = co_await tcp_stream::connect(listener.local_addr());
      test::reset(std::move(gone));
    }
    co_await eddy::sleep(std::chrono::milliseconds(1));
    auto client = co_await tcp_stream::connect(listener.local_addr());
    auto next = co_await listener.accept();
    if (next.peer != client.local_addr())
      next = co_await listener.accept();  // Linux hands out both
    CHECK(next.peer == client.local_addr());
  });
}
