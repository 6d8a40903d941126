// Futures are lazy, and the three ways to run one.

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

using namespace std::chrono_literals;

eddy::future<double> fetch_price(std::string symbol) {
  std::printf("asking for %s\n", symbol.c_str());
  co_await eddy::sleep(10ms);  // stands for an exchange that takes its time
  co_return symbol == "BTC" ? 50'000.0 : 3'000.0;
}

eddy::future<> async_main() {
  auto btc = fetch_price("BTC");
  std::printf("nothing has been asked yet\n");
  const double price = co_await std::move(btc);  // now it runs
  std::printf("BTC: %.2f\n", price);
}

int main() {
  // For main: the exit status, 1 with the failure printed if something was thrown.
  if (const int status = eddy::run(async_main()); status != 0) return status;

  // A runtime to keep; what block_on runs may return a value.
  eddy::runtime rt;
  std::printf("ETH: %.2f\n", rt.block_on(fetch_price("ETH")));

  // One made to order.
  auto named = eddy::runtime::builder().name("prices").rng_seed(1).build();
  std::printf("SOL: %.2f\n", named.block_on(fetch_price("SOL")));
}
