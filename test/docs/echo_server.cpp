#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

// [guide:echo]
eddy::future<> echo(eddy::net::tcp_stream s) {  // one task per connection
  std::array<std::byte, 4096> buf;
  while (auto n = co_await s.read(buf)) co_await s.write_all(std::span(buf).first(n));
}  // 0: the peer has ended its side
eddy::future<> serve(std::string where) {
  auto listener = co_await eddy::net::tcp_listener::bind(where);
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    eddy::spawn(echo(std::move(stream)));
  }
}
int main(int argc, char** argv) { return eddy::run(serve(argc > 1 ? argv[1] : "127.0.0.1:8080")); }
// [/guide:echo]
