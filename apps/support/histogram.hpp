#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace support {

/// Counts latencies in buckets whose width is at most 1/32 of their value. Its size does not depend
/// on what is recorded.
class histogram {
 public:
  void record(std::uint64_t ns) noexcept {
    ++counts_[index_of(ns)];
    ++total_;
    max_ = std::max(max_, ns);
  }
  std::uint64_t total() const noexcept { return total_; }
  std::uint64_t max() const noexcept { return max_; }
  /// Returns, in nanoseconds, the value that `share` (0 to 1) of the records do not exceed, rounded
  /// up to its bucket.
  std::uint64_t percentile(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted) return std::min(upper_end(i), max_);
    }
    return max_;
  }

 private:
  static constexpr unsigned bits = 5;  // buckets per power of two: 32

  static std::size_t index_of(std::uint64_t v) noexcept {
    if (v < (1U << bits)) return static_cast<std::size_t>(v);
    const auto exponent = static_cast<unsigned>(std::bit_width(v)) - 1 - bits;
    return (std::size_t{exponent} << bits) + static_cast<std::size_t>(v >> exponent);
  }
  static std::uint64_t upper_end(std::size_t i) noexcept {
    if (i < (1U << bits)) return i;
    const auto exponent = (i >> bits) - 1;
    const auto mantissa = (i & ((1U << bits) - 1)) + (1U << bits);
    return ((std::uint64_t{mantissa} + 1) << exponent) - 1;
  }

  std::array<std::uint64_t, (64 - bits + 1) << bits> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace support
