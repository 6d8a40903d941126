// eddy-net-bench: what the part `net` of run measures.
//   copy PORT     takes connections and sends back what comes, in blocks of 64 kB
//   accept PORT   takes connections and closes them
//   udp ROUNDS    two sockets send each other a datagram, so many times
//   stolen PORT   sends back what comes, each task on another loop than its socket
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <eddy/eddy.hpp>
#include <eddy/net/udp_socket.hpp>

namespace {

using namespace eddy::net;

constexpr std::size_t block = 64 * 1024;

eddy::future<> copy(tcp_stream s) {
  const auto data = std::make_unique<std::array<std::byte, block>>();
  for (;;) {
    const auto n = co_await s.read(*data);
    if (n == 0) co_return;
    co_await s.write_all(std::span(*data).first(n));
  }
}

eddy::future<> serve_copies(std::uint16_t port) {
  auto listener = co_await tcp_listener::bind(socket_address::loopback_v4(port));
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    eddy::spawn(copy(std::move(stream)));
  }
}

eddy::future<> close_at_once(tcp_stream s) {
  static_cast<void>(s);
  co_return;
}

eddy::future<> serve_nothing(std::uint16_t port) {
  auto listener = co_await tcp_listener::bind(socket_address::loopback_v4(port));
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    eddy::spawn(close_at_once(std::move(stream)));
  }
}

eddy::future<> answer(udp_socket& s, int rounds) {
  std::array<std::byte, 64> buf;
  for (int i = 0; i < rounds; ++i) {
    const auto [size, from] = co_await s.recv_from(buf);
    co_await s.send_to(std::span(buf).first(size), from);
  }
}

eddy::future<> udp(int rounds) {
  auto first = co_await udp_socket::bind("127.0.0.1:0");
  auto second = co_await udp_socket::bind("127.0.0.1:0");
  const auto to = second.local_addr();
  auto answering = eddy::spawn(answer(second, rounds));
  std::array<std::byte, 64> buf{};
  for (int i = 0; i < rounds; ++i) {
    co_await first.send_to(buf, to);
    const auto [size, from] = co_await first.recv_from(buf);
    if (size != sizeof buf || from != to) std::abort();
  }
  co_await answering;
}

#if EDDY_POOL
eddy::future<> echo(tcp_stream s) {
  std::array<std::byte, 4096> data;
  while (const auto n = co_await s.read(data)) co_await s.write_all(std::span(data).first(n));
}

eddy::future<> serve_from_elsewhere(std::uint16_t port) {
  auto listener = co_await tcp_listener::bind(socket_address::loopback_v4(port));
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    static_cast<void>(stream.set_nodelay(true));
    eddy::spawn_on(1, echo, std::move(stream));
  }
}

int serve_stolen(std::uint16_t port) {
  auto pool = eddy::runtime::builder().multi_loop().worker_threads(2).build();
  auto serving = pool.spawn_on(0, serve_from_elsewhere, port);
  pool.block_on(std::move(serving));
  return 0;
}
#endif

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("eddy-net-bench copy PORT | accept PORT | udp ROUNDS | stolen PORT\n", stderr);
    return 2;
  }
  const std::string_view what = argv[1];
  const int number = std::atoi(argv[2]);
  if (what == "udp") return eddy::run(udp(number));
  const auto port = static_cast<std::uint16_t>(number);
#if EDDY_POOL
  if (what == "stolen") return serve_stolen(port);
#endif
  return eddy::run(what == "copy" ? serve_copies(port) : serve_nothing(port));
}
