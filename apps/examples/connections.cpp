// A server with one task per connection. Tasks are cheap: a hundred thousand of them are fine.

#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

eddy::future<> serve_client(eddy::net::tcp_stream client, eddy::net::socket_address peer) {
  std::array<std::byte, 1024> buffer;
  for (;;) {
    const auto n = co_await eddy::attempt(client.read(buffer));
    if (!n) {
      std::fprintf(stderr, "%s: %s\n", peer.to_string().c_str(), n.error().message().c_str());
      co_return;
    }
    if (*n == 0) co_return;  // the client has closed its side
    const auto sent = co_await eddy::attempt(client.write_all(std::span(buffer).first(*n)));
    if (!sent) co_return;
  }
}  // destroying the stream closes the connection

eddy::future<> serve(std::string address) {
  auto listener = co_await eddy::net::tcp_listener::bind(address);
  std::printf("listening on %s\n", listener.local_addr().to_string().c_str());
  std::fflush(stdout);
  for (;;) {
    auto [client, peer] = co_await listener.accept();
    eddy::spawn(serve_client(std::move(client), peer));  // detached: runs until the client is done
  }
}

int main(int argc, char** argv) { return eddy::run(serve(argc > 1 ? argv[1] : "127.0.0.1:8080")); }
