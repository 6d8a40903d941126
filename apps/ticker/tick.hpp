#pragma once

#include <cstddef>
#include <cstdint>

namespace ticker {

enum class side : std::uint8_t { buy, sell };

/// One trade at the exchange.
struct tick {
  std::size_t pair = 0;  // index into the list of pairs
  double price = 0;
  double size = 0;
  side what = side::buy;
};

/// The state of a pair after its latest tick.
struct quote {
  double last = 0;
  double bid = 0;
  double ask = 0;
  double volume = 0;        // since the start
  std::uint64_t ticks = 0;  // 0 before the first tick
  std::int64_t time = 0;    // of the last tick, microseconds since 1970
};

}  // namespace ticker
