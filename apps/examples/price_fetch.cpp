// A future is lazy. This program shows three ways to run one.

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

using namespace std::chrono_literals;

eddy::future<double> fetch_price(std::string symbol) {
  std::printf("asking for %s\n", symbol.c_str());
  co_await eddy::sleep(10ms);  // stands for a slow exchange
  co_return symbol == "BTC" ? 50'000.0 : 3'000.0;
}

eddy::future<> async_main() {
  auto btc = fetch_price("BTC");
  std::printf("nothing has been asked yet\n");
  const double price = co_await std::move(btc);  // now it runs
  std::printf("BTC: %.2f\n", price);
}

int main() {
  // `run` is for main: it returns the exit status, or prints the failure and returns 1.
  if (const int status = eddy::run(async_main()); status != 0) return status;

  // A runtime to keep: block_on returns the future's value.
  eddy::runtime rt;
  std::printf("ETH: %.2f\n", rt.block_on(fetch_price("ETH")));

  // A configured runtime.
  auto named = eddy::runtime::builder().name("prices").rng_seed(1).build();
  std::printf("SOL: %.2f\n", named.block_on(fetch_price("SOL")));
}
