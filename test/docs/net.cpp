// The guide's snippets about TCP.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

// [guide:client]
eddy::future<std::string> ask(std::string where, std::string question) {
  auto stream = co_await eddy::net::tcp_stream::connect(where);  // "host:port", all addresses tried
  stream.set_nodelay(true).value();  // never waits, so it returns a result; value() throws
  co_await stream.write_all(question);
  stream.shutdown_write().value();  // the peer now reads the end of the stream
  std::string answer;
  std::array<char, 1024> buf;
  while (auto n = co_await stream.read(buf)) answer.append(buf.data(), n);
  co_return answer;
}  // the destructor closes the stream
// [/guide:client]

// [guide:split]
eddy::future<> send_lines(eddy::net::tcp_write_half out, int lines) {
  for (int i = 0; i < lines; ++i) co_await out.write_all("line\n");
}  // dropping the half shuts down the write side

eddy::future<std::size_t> both_ways(eddy::net::tcp_stream stream, int lines) {
  auto [in, out] = std::move(stream).into_split();
  auto sending = eddy::spawn(send_lines(std::move(out), lines));
  std::size_t got = 0;
  std::array<char, 1024> buf;
  while (auto n = co_await in.read(buf)) got += n;
  co_await sending;
  co_return got;
}
// [/guide:split]

eddy::future<> echo(eddy::net::tcp_stream s) {
  std::array<std::byte, 4096> buf;
  while (auto n = co_await s.read(buf)) co_await s.write_all(std::span(buf).first(n));
}

// [guide:idle]
eddy::future<> echo_idle(eddy::net::tcp_stream s, std::span<std::byte> shared) {
  for (;;) {
    co_await s.readable();  // needs no buffer while the peer is silent
    auto n = s.try_read(shared);
    if (!n && n.error() == std::errc::resource_unavailable_try_again) continue;
    if (n.value() == 0) co_return;  // value() throws if the read failed
    const std::vector<std::byte> data(shared.data(), shared.data() + *n);
    co_await s.write_all(data);  // meanwhile other tasks may use the shared buffer
  }
}
// [/guide:idle]

// [guide:graceful]
using connections = std::vector<eddy::join_handle<>>;

eddy::future<> accept_all(eddy::net::tcp_listener listener, std::shared_ptr<connections> open) {
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    std::erase_if(*open, [](const auto& c) { return c.is_finished(); });
    open->push_back(eddy::spawn(echo(std::move(stream))));
  }
}

/// Serves until `stop` is ready. Then it accepts no more; open connections have `grace` to end.
eddy::future<> serve(eddy::net::tcp_listener listener, eddy::future<> stop, eddy::duration grace) {
  auto open = std::make_shared<connections>();
  auto accepting = eddy::spawn(accept_all(std::move(listener), open));
  co_await std::move(stop);

  accepting.abort();  // the task owns the listener, so this closes it
  static_cast<void>(co_await eddy::attempt(accepting));
  const auto end = eddy::clock::now() + grace;
  for (auto& connection : *open) {
    auto left = end - eddy::clock::now();
    auto ended = co_await eddy::attempt(eddy::timeout(left, connection));
    if (!ended) connection.abort();  // out of time; does nothing if the connection had failed
  }
}
// [/guide:graceful]

eddy::future<eddy::net::tcp_listener> listen() {
  co_return co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
}

eddy::future<> client_and_server() {
  auto listener = co_await listen();
  const auto where = listener.local_addr().to_string();
  auto serving = eddy::spawn(accept_all(std::move(listener), std::make_shared<connections>()));
  auto answer = co_await ask(where, "how are you?");
  CHECK(answer == "how are you?");

  auto stream = co_await eddy::net::tcp_stream::connect(where);
  const auto bytes = co_await both_ways(std::move(stream), 1000);
  CHECK(bytes == 5000);
  serving.abort();
}

eddy::future<> idle_server() {
  auto listener = co_await listen();
  const auto where = listener.local_addr().to_string();
  std::vector<std::byte> shared(4096);
  auto asking = eddy::spawn(ask(where, std::string(100'000, 'x')));
  auto [stream, peer] = co_await listener.accept();
  co_await echo_idle(std::move(stream), shared);
  const auto answer = co_await asking;
  CHECK(answer.size() == 100'000);
}

eddy::future<> graceful_end() {
  auto listener = co_await listen();
  const auto where = listener.local_addr().to_string();
  eddy::promise<> stop;
  auto serving = eddy::spawn(serve(std::move(listener), stop.get_future(), 1h));

  auto client = co_await eddy::net::tcp_stream::connect(where);
  co_await client.write_all("one");
  std::array<char, 16> buf;
  auto n = co_await client.read(buf);
  CHECK(n == 3);

  stop.set_value();
  for (;;) {  // until the listener is closed
    auto another = co_await eddy::attempt(eddy::net::tcp_stream::connect(where));
    if (!another) break;
    co_await eddy::yield_now();
  }
  co_await client.write_all("two");  // an open connection is still served
  n = co_await client.read(buf);
  CHECK(n == 3);
  CHECK(!serving.is_finished());
  client.shutdown_write().value();
  co_await serving;
}

eddy::future<> end_without_patience() {
  auto listener = co_await listen();
  const auto where = listener.local_addr().to_string();
  eddy::promise<> stop;
  auto serving = eddy::spawn(serve(std::move(listener), stop.get_future(), 0ns));
  auto client = co_await eddy::net::tcp_stream::connect(where);
  co_await client.write_all("one");
  std::array<char, 16> buf;
  auto n = co_await client.read(buf);
  CHECK(n == 3);
  stop.set_value();
  co_await serving;
  auto end = co_await eddy::attempt(client.read(buf));
  CHECK((!end || *end == 0));
}

}  // namespace

TEST_CASE("the guide's client, its halves, and a server with one shared buffer work") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on(client_and_server());
  rt.block_on(idle_server());
}

TEST_CASE("a server that ends gives open connections the grace, and then aborts them") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on(graceful_end());
  rt.block_on(end_without_patience());
}
