#pragma once

#include <cstdint>

#include <eddy/eddy.hpp>

#include "../support/histogram.hpp"
#include "options.hpp"

namespace ticker {

struct report {
  support::histogram latency;  // from tick to receipt
  std::uint64_t messages = 0;  // of ticks
  std::uint64_t lags = 0;      // messages that say that some were missed
  std::uint64_t missed = 0;
  double seconds = 0;
};

/// Connects the clients, subscribes each to its share of the server's pairs, and then measures. The first failure
/// ends it all.
eddy::future<eddy::result<report>> run_load(load_options options);

void print_report(const report& r, const load_options& options);

}  // namespace ticker
