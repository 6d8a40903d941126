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

/// Makes ticks by a random walk. The same seed gives the same ticks.
class random_walk {
 public:
  /// Makes a walk with `rate` ticks per second, over all pairs together.
  random_walk(std::size_t pairs, double rate, std::uint64_t seed);
  /// Waits until ticks are due and returns them. Never ends.
  eddy::future<ticks> next();

 private:
  tick make();

  std::vector<double> prices_;
  double rate_;
  std::mt19937_64 random_;
  std::uint64_t made_ = 0;
  eddy::instant start_{};
};

/// Replays recorded ticks with their original timing, or `speed` times as fast.
class recording {
 public:
  /// Reads a file of lines: JSON {"time": SECONDS, "pair": "BTC/USD", "price": 1.5, "size": 2,
  /// "side": "sell"}, or CSV "time,pair,price,size[,side]". A first line that begins with "time" is
  /// a heading. Times must not go back.
  /// Errors: the number of the first invalid line, and what is wrong with it.
  static eddy::result<recording> read(const std::string& path, double speed);
  /// Returns the recording's pairs, in order of appearance.
  const std::vector<std::string>& pairs() const noexcept { return pairs_; }
  /// Waits until ticks are due and returns them; none at the end of the recording.
  eddy::future<ticks> next();

 private:
  struct entry {
    double time;  // in seconds since the first entry
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
