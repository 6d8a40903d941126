// Peers that reset, stop reading, read slowly, or send half of what they should.
#include <eddy/net/tcp_stream.hpp>

#include <doctest/doctest.h>

#include <string>

#include <eddy/eddy.hpp>

#include "net/connection.hpp"
#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

using namespace eddy::net;
using test::connected;
using test::read_to_end;

namespace {

bool means_reset(const eddy::error& e) {
  return e == std::errc::connection_reset || e == std::errc::broken_pipe;
}

}  // namespace

TEST_CASE("a half-open connection carries on in the other direction") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    client.shutdown_write().value();
    std::string buf(16, '\0');
    const auto end = co_await server.read(buf);
    CHECK(end == 0);
    for (int i = 0; i < 100; ++i) {
      co_await server.write_all("more");
      const auto n = co_await client.read(buf);
      CHECK(n == 4);
    }
    const auto refused = co_await eddy::attempt(client.write_all("x"));
    REQUIRE(!refused.has_value());
    CHECK(refused.error() == std::errc::broken_pipe);  // and no SIGPIPE, or we were not here
  });
}

TEST_CASE("a reset in the middle of a write under back-pressure is an error of the write") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    const std::string big(64 << 20, 'b');
    test::mock_task task;
    auto writing = client.write_all(big);
    CHECK(!task.poll(writing).is_ready());  // the peer never reads
    test::reset(std::move(server));
    const auto r = co_await eddy::attempt(writing);
    REQUIRE(!r.has_value());
    CHECK(means_reset(r.error()));
    CHECK(r.error().message().find("write: ") == 0);
    // From here on every operation says what is the matter, at once.
    std::string buf(16, '\0');
    const auto again = co_await eddy::attempt(client.write_all(big));
    CHECK(!again.has_value());
    const auto read = co_await eddy::attempt(client.read(buf));
    CHECK((!read.has_value() || *read == 0));
    CHECK(!client.try_write("x").has_value());
  });
}

TEST_CASE("a reset while waiting to read is an error of the read") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    std::string buf(16, '\0');
    test::mock_task task;
    auto reading = client.read(buf);
    CHECK(!task.poll(reading).is_ready());
    test::reset(std::move(server));
    const auto r = co_await eddy::attempt(reading);
    REQUIRE(!r.has_value());
    CHECK(r.error() == std::errc::connection_reset);
    CHECK(r.error().message() == "read: connection reset by peer");
  });
}

TEST_CASE("a write dropped under back-pressure has written a beginning, and nothing follows it") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    {
      // The buffer dies with the write: nothing may refer to it afterwards.
      const std::string big(16 << 20, 'b');
      test::mock_task task;
      auto writing = client.write_all(big);
      CHECK(!task.poll(writing).is_ready());
    }
    client.shutdown_write().value();
    const auto got = co_await read_to_end(server, 64 * 1024);
    CHECK(!got.empty());
    CHECK(got.size() < (16U << 20));
    CHECK((got == std::string(got.size(), 'b')));
  });
}

TEST_CASE("1 MB arrives whole through a reader that takes one byte at a time") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    std::string whole(1 << 20, '\0');
    for (std::size_t i = 0; i < whole.size(); ++i) whole[i] = static_cast<char>(i * 131 >> 3);
    auto writing = eddy::spawn(
        [](tcp_stream s, const std::string* all) -> eddy::future<> { co_await s.write_all(*all); },
        std::move(client), &whole);
    const auto got = co_await read_to_end(server, 1);
    CHECK((got == whole));
    co_await writing;
  });
}

TEST_CASE("two tasks read one stream: each byte goes to one of them, and none spins") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    const auto count = [](tcp_stream& s) -> eddy::future<std::size_t> {
      std::string byte(1, '\0');
      std::size_t sum = 0;
      while (const auto n = co_await s.read(byte)) sum += n;
      co_return sum;
    };
    auto a = eddy::spawn(count(server));
    auto b = eddy::spawn(count(server));
    co_await eddy::yield_now();
    for (int i = 0; i < 100; ++i) co_await client.write_all("ab");
    client.shutdown_write().value();
    const auto from_a = co_await a;
    const auto from_b = co_await b;
    CHECK(from_a + from_b == 200);

    // With nothing to read both wait: one byte wakes both, and one of them waits again.
    auto [client2, server2] = co_await connected();
    auto c = eddy::spawn(count(server2));
    auto d = eddy::spawn(count(server2));
    co_await eddy::yield_now();
    co_await client2.write_all("x");
    co_await eddy::sleep(std::chrono::milliseconds(1));
    const auto polls = test::polls();
    co_await eddy::sleep(std::chrono::milliseconds(1));
    CHECK(test::polls() == polls + 1);  // this task's own
    c.abort();
    d.abort();
    for (auto* h : {&c, &d}) {
      const auto outcome = co_await eddy::attempt(std::move(*h));
      CHECK(!outcome.has_value());
    }
  });
}

TEST_CASE("reading and writing one stream from two branches") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [client, server] = co_await connected();
    test::mock_task reader, writer;
    std::string buf(16, '\0');
    const std::string big(16 << 20, 'b');
    auto reading = client.read(buf);
    auto writing = client.write_all(big);
    CHECK(!reader.poll(reading).is_ready());
    CHECK(!writer.poll(writing).is_ready());
    CHECK(!writer.is_woken());
    co_await server.write_all("x");
    while (!reader.is_woken()) co_await eddy::yield_now();
    CHECK(!writer.is_woken());  // what can be read does not wake who writes
    CHECK(reader.take_wakes() == 1);
    CHECK(reader.poll(reading).is_ready());
    std::string part(1 << 20, '\0');
    while (!writer.is_woken()) {  // not by awaiting a read: nobody writes on, it may be the last
      static_cast<void>(server.try_read(part));
      co_await eddy::yield_now();
    }
    CHECK(!reader.is_woken());
  });
}
