// Every call to another program has a time limit, and tells "too late" from "failed".

#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

using namespace std::chrono_literals;

eddy::future<std::string> fetch(std::string from) {
  auto stream = co_await eddy::net::tcp_stream::connect(from);
  std::array<char, 256> buffer;
  const auto n = co_await stream.read(buffer);
  co_return std::string(buffer.data(), n);
}

eddy::future<> report(std::string from, std::chrono::milliseconds limit) {
  // One result covers the limit and fetch's own failures. Without attempt, both would be thrown.
  const auto page = co_await eddy::attempt(eddy::timeout(limit, fetch(from)));
  if (page)
    std::printf("got: %s\n", page->c_str());
  else if (page.error() == eddy::errc::elapsed)
    std::printf("too late\n");  // fetch has been destroyed, and its connection with it
  else if (page.error() == std::errc::connection_refused)
    std::printf("nobody there\n");
  else
    std::printf("failed: %s\n", page.error().message().c_str());
}

eddy::future<> answer_slowly(eddy::net::tcp_listener listener) {
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    co_await eddy::sleep(20ms);
    static_cast<void>(co_await eddy::attempt(stream.write_all("50000.00")));
  }
}

eddy::future<> async_main() {
  auto listener = co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
  const auto slow = listener.local_addr().to_string();
  eddy::spawn(answer_slowly(std::move(listener)));
  co_await report(slow, 5s);
  co_await report(slow, 1ms);
  co_await report("127.0.0.1:1", 5s);
}

int main() { return eddy::run(async_main()); }
