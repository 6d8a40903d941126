#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include <eddy/eddy.hpp>

#include "tick.hpp"

namespace ticker {

/// Ticks that are due at the same time.
using ticks = std::vector<tick>;

/// Prices that wander: the same seed, the same ticks.
class random_walk {
 public:
  /// `rate` ticks a second over all pairs.
  random_walk(std::size_t pairs, double rate, std::uint64_t seed);
  /// Waits until some are due, and gives them. Never ends.
  eddy::future<ticks> next();

 private:
  tick make();

  std::vector<double> prices_;
  double rate_;
  std::mt19937_64 random_;
  std::uint64_t made_ = 0;
  eddy::instant start_{};
};

/// What was recorded, at the distances in which it was, or `speed` times as fast.
class recording {
 public:
  /// Reads a file of lines: JSON {"time": SECONDS, "pair": "BTC/USD", "price": 1.5, "size": 2, "side": "sell"} or CSV
  /// "time,pair,price,size[,side]"; a first line that begins with "time" is a heading. Times never go back.
  /// Errors: the first line that is none of this, by its number.
  static eddy::result<recording> read(const std::string& path, double speed);
  /// The pairs in it, in the order in which they appear.
  const std::vector<std::string>& pairs() const noexcept { return pairs_; }
  /// Waits until some are due, and gives them; none: it is over.
  eddy::future<ticks> next();

 private:
  struct entry {
    double time;  // seconds since the first
    tick what;
  };
  explicit recording(double speed) : speed_(speed) {}

  std::vector<std::string> pairs_;
  std::vector<entry> entries_;
  double speed_;
  std::size_t next_ = 0;
  eddy::instant start_{};
};

using source = std::variant<random_walk, recording>;

}  // namespace ticker
