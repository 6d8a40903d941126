// [guide:hello]
#include <chrono>
#include <cstdio>
#include <string>

#include <eddy/eddy.hpp>

using namespace std::chrono_literals;

eddy::future<double> fetch_price(std::string symbol) {  // lazy: runs when awaited or spawned
  co_await eddy::sleep(100ms);
  co_return symbol.empty() ? 0.0 : 42.0;
}

eddy::future<> async_main() {
  auto price = eddy::spawn(fetch_price("BTC"));  // runs concurrently; dropping `price` detaches it
  std::printf("asked\n");
  std::printf("%.2f\n", co_await price);  // rethrows what the task threw
}

int main() { return eddy::run(async_main()); }
// [/guide:hello]
