// A program of one page, as a newcomer writes it: `run` compares the time its compilation takes with Asio's
// counterpart (peers/asio_echo.cpp).

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include <eddy/eddy.hpp>

eddy::future<> echo(eddy::net::tcp_stream s) {
  std::array<std::byte, 4096> buffer;
  while (const std::size_t n = co_await s.read(buffer))
    co_await s.write_all(std::span(buffer).first(n));
}

eddy::future<> serve(std::string address) {
  auto listener = co_await eddy::net::tcp_listener::bind(address);
  for (;;) {
    auto [s, peer] = co_await listener.accept();
    s.set_nodelay(true).value();
    eddy::spawn(echo(std::move(s)));
  }
}

int main(int argc, char** argv) { return eddy::run(serve(argc > 1 ? argv[1] : "127.0.0.1:0")); }
