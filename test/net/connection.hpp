#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include <eddy/core/attempt.hpp>
#include <eddy/core/future.hpp>
#include <eddy/net/tcp_listener.hpp>
#include <eddy/net/tcp_stream.hpp>

namespace test {

/// Both ends of a connection on loopback.
struct connection {
  eddy::net::tcp_stream client;
  eddy::net::tcp_stream server;
};

inline eddy::future<connection> connected(std::string where = "127.0.0.1:0") {
  auto listener = co_await eddy::net::tcp_listener::bind(where);
  auto client = co_await eddy::net::tcp_stream::connect(listener.local_addr());
  auto [server, peer] = co_await listener.accept();
  CHECK(peer == client.local_addr());
  connection both{std::move(client), std::move(server)};
  co_return both;
}

/// Everything up to the end of the stream.
inline eddy::future<std::string> read_to_end(eddy::net::tcp_stream& s, std::size_t step = 4096) {
  std::string all;
  std::string part(step, '\0');
  for (;;) {
    const auto n = co_await s.read(part);
    if (n == 0) co_return all;
    all.append(part, 0, n);
  }
}

/// The stream resets the connection when it is dropped.
inline void reset(eddy::net::tcp_stream s) { s.set_linger(std::chrono::seconds(0)).value(); }

}  // namespace test
