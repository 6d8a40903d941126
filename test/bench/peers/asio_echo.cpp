#include <asio.hpp>
#include <cstdlib>
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
awaitable<void> echo(tcp::socket s) {
  char d[4096];
  try {
    for (;;) {
      auto n = co_await s.async_read_some(asio::buffer(d), use_awaitable);
      co_await asio::async_write(s, asio::buffer(d, n), use_awaitable);
    }
  } catch (std::exception&) {
  }
}
awaitable<void> lis(unsigned short p) {
  auto ex = co_await asio::this_coro::executor;
  tcp::acceptor a(ex, {asio::ip::address_v4::loopback(), p});
  for (;;) {
    auto s = co_await a.async_accept(use_awaitable);
    s.set_option(tcp::no_delay(true));
    asio::co_spawn(ex, echo(std::move(s)), asio::detached);
  }
}
int main(int c, char** v) {
  asio::io_context io(1);
  asio::co_spawn(io, lis(atoi(v[1])), asio::detached);
  io.run();
}
