#include <eddy/net/unix_stream.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <eddy/eddy.hpp>

#include "net/unix_folder.hpp"
#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

using namespace eddy::net;
using test::unix_folder;

namespace {

template <class Stream>
eddy::future<std::string> read_all(Stream& s) {
  std::string all, part(4096, '\0');
  for (;;) {
    const auto n = co_await s.read(part);
    if (n == 0) co_return all;
    all.append(part, 0, n);
  }
}

eddy::future<> greet(unix_address at) {
  auto listener = unix_listener::bind(at).value();
  CHECK(listener.local_addr() == at);
  auto client = co_await unix_stream::connect(at);
  auto [server, peer] = co_await listener.accept();
  CHECK(peer.is_unnamed());
  CHECK(client.peer_addr() == at);
  CHECK(server.local_addr() == at);
  co_await client.write_all("hello");
  client.shutdown_write().value();
  const auto got = co_await read_all(server);
  CHECK(got == "hello");
  co_await server.write_all("and back");
  server.shutdown_write().value();
  const auto back = co_await read_all(client);
  CHECK(back == "and back");
}

}  // namespace

TEST_CASE("a Unix stream connects by path and by abstract name, and carries bytes both ways") {
  const test::leak_check leaks;
  const unix_folder folder;
  eddy::runtime rt = test::make_runtime();
  rt.block_on(greet(unix_address::path(folder.file("s")).value()));
#ifdef __linux__
  rt.block_on(greet(unix_address::abstract("eddy-test-" + std::to_string(::getpid())).value()));
#endif
}

TEST_CASE("accept waits for a connection, and a dropped one loses none") {
  const test::leak_check leaks;
  const unix_folder folder;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([](std::string path) -> eddy::future<> {
    auto listener = unix_listener::bind(path).value();
    CHECK(listener.try_accept().error() == std::errc::resource_unavailable_try_again);
    {
      test::mock_task task;
      auto waiting = listener.accept();
      CHECK(!task.poll(waiting).is_ready());
    }
    auto client = co_await unix_stream::connect(path);
    auto [server, peer] = co_await listener.accept();
    auto second = co_await unix_stream::connect(path);
    CHECK(listener.try_accept().has_value());
  }(folder.file("s")));
}

TEST_CASE("a pair is connected, knows its peer's process, and splits") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto two = unix_stream::pair().value();
    const auto who = two.first.peer_cred().value();
    CHECK(who.uid() == ::geteuid());
    CHECK(who.gid() == ::getegid());
#ifdef __linux__
    CHECK(who.pid() == ::getpid());
#endif
    CHECK(two.first.local_addr().is_unnamed());
    CHECK(two.first.peer_addr().is_unnamed());
    auto [reader, writer] = std::move(two.first).into_split();
    co_await writer.write_all("half");
    writer.shutdown().value();
    const auto got = co_await read_all(two.second);
    CHECK(got == "half");
    auto whole = reunite(std::move(reader), std::move(writer)).value();
    co_await two.second.write_all("whole");
    std::array<char, 16> buf;
    const auto n = co_await whole.read(buf);
    CHECK(n == 5);
  });
}

TEST_CASE("a write to a Unix stream whose peer is gone is an error, not a signal") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto two = unix_stream::pair().value();
    {
      const auto gone = std::move(two.second);
    }
    co_await eddy::sleep(std::chrono::milliseconds(1));  // a turn of the loop closes it
    auto sent = co_await eddy::attempt(two.first.write_all("anybody?"));
    CHECK(sent.error() == std::errc::broken_pipe);
    std::array<char, 16> buf;
    const auto n = co_await two.first.read(buf);
    CHECK(n == 0);
  });
}

TEST_CASE("a large transfer fills the Unix socket's buffers and goes on") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto two = unix_stream::pair().value();
    const std::string much(1 << 20, 'u');
    auto writing =
        eddy::spawn([](unix_stream s,
                       const std::string* what) -> eddy::future<> { co_await s.write_all(*what); },
                    std::move(two.first), &much);
    const auto got = co_await read_all(two.second);
    CHECK((got == much));
    co_await writing;
  });
}

TEST_CASE("connecting waits while the listener's backlog is full") {
  const test::leak_check leaks;
  const unix_folder folder;
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([](std::string path) -> eddy::future<> {
    auto listener = unix_listener::bind(path, 0).value();
    std::vector<unix_stream> clients;
    // As many as the backlog takes.
    for (;;) {
      auto made = co_await eddy::attempt(
          eddy::timeout(std::chrono::milliseconds(5), unix_stream::connect(path)));
      if (!made) break;
      clients.push_back(std::move(*made));
    }
    CHECK(!clients.empty());
    auto late = eddy::spawn(
        [](std::string to) -> eddy::future<> { co_await unix_stream::connect(std::move(to)); },
        path);
    co_await eddy::yield_now();
    CHECK(!late.is_finished());
    auto [one, peer] = co_await listener.accept();
    co_await late;
  }(folder.file("s")));
}

TEST_CASE("failures of Unix sockets name the address") {
  const test::leak_check leaks;
  const unix_folder folder;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([](std::string path) -> eddy::future<> {
    auto none = co_await eddy::attempt(unix_stream::connect(path));
    CHECK(none.error() == std::errc::no_such_file_or_directory);
    CHECK(none.error().message().find(path) != std::string::npos);
    auto listener = unix_listener::bind(path).value();
    auto again = unix_listener::bind(path);
    CHECK(again.error() == std::errc::address_in_use);
    CHECK(again.error().message().find(path) != std::string::npos);
    auto bad = co_await eddy::attempt(unix_stream::connect(std::string(200, 'x')));
    CHECK(bad.error() == std::errc::filename_too_long);
    auto empty = co_await eddy::attempt(unix_stream::connect(std::string()));
    CHECK(empty.error() == std::errc::invalid_argument);
  }(folder.file("s")));
}
