#pragma once

#include <cstddef>
#include <cstdint>

namespace ticker {

enum class side : std::uint8_t { buy, sell };

/// One trade at the exchange: what everything here is made of.
struct tick {
  std::size_t pair = 0;  // place in the list of pairs
  double price = 0;
  double size = 0;
  side what = side::buy;
};

/// A pair as its ticks have left it.
struct quote {
  double last = 0;
  double bid = 0;
  double ask = 0;
  double volume = 0;        // since the start
  std::uint64_t ticks = 0;  // 0: nothing has happened yet
  std::int64_t time = 0;    // of the last tick, microseconds since 1970
};

}  // namespace ticker
