// A small HTTP/1.0 server that answers GET /price/BTC in JSON.

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/io/adapters.hpp>
#include <eddy/io/buf_reader.hpp>
#include <eddy/io/lines.hpp>

using namespace std::chrono_literals;

const std::map<std::string, double, std::less<>> prices{{"BTC", 50'000.0}, {"ETH", 3'000.0}};

std::string respond(std::string_view status, std::string_view json) {
  return "HTTP/1.0 " + std::string(status) +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(json.size()) +
         "\r\n\r\n" + std::string(json);
}

std::string answer(std::string_view request) {
  constexpr std::string_view get = "GET /price/";
  if (!request.starts_with(get))
    return respond("400 Bad Request", R"({"error": "GET /price/SYMBOL"})");
  auto symbol = request.substr(get.size());
  symbol = symbol.substr(0, symbol.find(' '));
  const auto found = prices.find(symbol);
  if (found == prices.end()) return respond("404 Not Found", R"({"error": "no such symbol"})");
  return respond("200 OK", R"({"symbol": ")" + found->first + R"(", "price": )" +
                               std::to_string(found->second) + "}");
}

eddy::future<> serve_client(eddy::net::tcp_stream stream) {
  eddy::io::lines head(eddy::io::buf_reader(eddy::io::take<eddy::net::tcp_stream&>(stream, 8192)));
  const auto request = co_await head.next();
  if (!request) co_return;
  for (;;) {  // skips the headers
    const auto header = co_await head.next();
    if (!header || header->empty()) break;
  }
  const auto response = answer(*request);
  co_await stream.write_all(response);
}

eddy::future<> serve(std::string address) {
  auto listener = co_await eddy::net::tcp_listener::bind(address);
  std::printf("listening on %s\n", listener.local_addr().to_string().c_str());
  std::fflush(stdout);
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    eddy::spawn([s = std::move(stream)]() mutable -> eddy::future<> {
      // Drops a client that has sent no request after five seconds, or whose connection fails.
      static_cast<void>(co_await eddy::attempt(eddy::timeout(5s, serve_client(std::move(s)))));
    });
  }
}

int main(int argc, char** argv) { return eddy::run(serve(argc > 1 ? argv[1] : "127.0.0.1:8080")); }
