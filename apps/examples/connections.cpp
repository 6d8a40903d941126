// A server with a task for each connection: tasks are cheap, a hundred thousand will do.

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
    if (*n == 0) co_return;  // the client has hung up
    const auto sent = co_await eddy::attempt(client.write_all(std::span(buffer).first(*n)));
    if (!sent) co_return;
  }
}  // the connection closes with its stream

eddy::future<> serve(std::string address) {
  auto listener = co_await eddy::net::tcp_listener::bind(address);
  std::printf("listening on %s\n", listener.local_addr().to_string().c_str());
  std::fflush(stdout);
  for (;;) {
    auto [client, peer] = co_await listener.accept();
    eddy::spawn(serve_client(std::move(client), peer));  // detached: it goes its own way
  }
}

int main(int argc, char** argv) { return eddy::run(serve(argc > 1 ? argv[1] : "127.0.0.1:8080")); }
