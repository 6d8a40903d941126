// Several requests at once: either all succeed, or the first failure ends the others.

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <eddy/eddy.hpp>

using namespace std::chrono_literals;

eddy::future<double> fetch(std::string symbol, double price, std::chrono::milliseconds takes) {
  co_await eddy::sleep(takes);
  if (price == 0) throw std::runtime_error(symbol + " is not traded");
  std::printf("%s came\n", symbol.c_str());
  co_return price;
}

eddy::future<> async_main() {
  auto [btc, eth] = co_await eddy::try_join(fetch("BTC", 50'000, 20ms), fetch("ETH", 3'000, 10ms));
  std::printf("BTC: %.0f, ETH: %.0f\n", btc, eth);

  try {
    co_await eddy::try_join(fetch("BTC", 50'000, 1h), fetch("XYZ", 0, 10ms));
  } catch (const std::exception& e) {
    std::printf("failed: %s\n", e.what());  // the request for BTC has been destroyed
  }

  // join runs all to their end; attempt lets each keep its own outcome.
  auto [sol, xyz] = co_await eddy::join(eddy::attempt(fetch("SOL", 150, 10ms)),
                                        eddy::attempt(fetch("XYZ", 0, 1ms)));
  std::printf("SOL: %.0f, XYZ: %s\n", sol.value_or(0),
              xyz ? "traded" : xyz.error().message().c_str());
}

int main() { return eddy::run(async_main()); }
