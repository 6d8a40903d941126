// Runs a long computation in pieces on other threads, so that the loop stays free.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include <eddy/eddy.hpp>

/// Returns the profits and losses of a portfolio on `days` simulated days.
std::vector<double> simulate(std::uint32_t seed, int days) {
  std::mt19937 random(seed);
  std::vector<double> outcome;
  for (int day = 0; day < days; ++day) {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random()) / 4294967296.0;
    outcome.push_back(1000 * (sum - 6));  // nearly a normal distribution
  }
  return outcome;
}

/// Returns the loss that is not exceeded on 99 of 100 days.
eddy::future<double> value_at_risk(int days) {
  constexpr int pieces = 4;
  std::vector<eddy::join_handle<std::vector<double>>> running;
  for (std::uint32_t seed = 0; seed < pieces; ++seed)
    running.push_back(eddy::spawn_blocking(simulate, seed, days / pieces));

  std::vector<double> all;
  for (auto& piece : running) {
    const auto outcome = co_await piece;
    all.insert(all.end(), outcome.begin(), outcome.end());
  }
  const auto worst = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 100);
  std::nth_element(all.begin(), worst, all.end());
  co_return -*worst;
}

eddy::future<> async_main() {
  const double loss = co_await value_at_risk(100'000);
  std::printf("value at risk: %.0f\n", loss);
}

int main() { return eddy::run(async_main()); }
