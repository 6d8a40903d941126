#include <eddy/net/tcp_split.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

#include "net/connection.hpp"
#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

using namespace eddy::net;
using test::connected;

TEST_CASE("two tasks use the halves at the same time") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    auto [reader, writer] = std::move(client).into_split();
    const std::string whole(1 << 20, 'w');
    // The server echoes; the client must read while it writes, or both fill up and stand still.
    auto echo = eddy::spawn(
        [](tcp_stream s) -> eddy::future<> {
          std::array<std::byte, 4096> buf;
          while (const auto n = co_await s.read(buf)) co_await s.write_all(std::span(buf).first(n));
        },
        std::move(server));
    auto writing =
        eddy::spawn([](tcp_write_half w,
                       const std::string* all) -> eddy::future<> { co_await w.write_all(*all); },
                    std::move(writer), &whole);  // dropping the half ends the write side
    std::string got, part(8192, '\0');
    while (const auto n = co_await reader.read(part)) got.append(part, 0, n);
    CHECK((got == whole));
    co_await writing;
    co_await echo;
  });
}

TEST_CASE("dropping the writer ends the stream for the peer, dropping the reader does not") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    auto halves = std::make_optional(std::move(client).into_split());
    std::string buf(16, '\0');
    {
      const auto gone = std::move(halves->writer);
    }
    const auto end = co_await server.read(buf);
    CHECK(end == 0);
    co_await server.write_all("still open");
    const auto n = co_await halves->reader.read(buf);
    CHECK(n == 10);

    auto [client2, server2] = co_await connected();
    auto other = std::make_optional(std::move(client2).into_split());
    {
      const auto gone = std::move(other->reader);
    }
    co_await other->writer.write_all("x");
    const auto one = co_await server2.read(buf);
    CHECK(one == 1);
    test::mock_task task;
    auto more = server2.read(buf);
    CHECK(!task.poll(more).is_ready());
  });
}

TEST_CASE("halves become the stream again, if they belong together") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    auto [cr, cw] = std::move(client).into_split();
    auto [sr, sw] = std::move(server).into_split();
    const auto mixed = reunite(std::move(cr), std::move(sw));
    REQUIRE(!mixed.has_value());
    CHECK(mixed.error() == eddy::errc::misuse);
    auto c = reunite(std::move(cr), std::move(cw));
    REQUIRE(c.has_value());
    co_await c->write_all("whole");  // its write side was not ended by the reunion
    std::string buf(16, '\0');
    const auto n = co_await sr.read(buf);
    CHECK(n == 5);
    CHECK(sr.peer_addr() == c->local_addr());
    CHECK(sw.local_addr() == c->peer_addr());
    CHECK(sw.shutdown().has_value());
    const auto end = co_await c->read(buf);
    CHECK(end == 0);
  });
}
