#pragma once

#include <cstdint>

#include <eddy/eddy.hpp>

#include "../support/histogram.hpp"
#include "options.hpp"

namespace ticker {

/// The totals over all clients.
struct report {
  support::histogram latency;  // from tick to receipt, in nanoseconds
  std::uint64_t messages = 0;  // tick messages
  std::uint64_t lags = 0;      // lag messages
  std::uint64_t missed = 0;    // tick messages that the lag messages report as missed
  double seconds = 0;
};

/// Connects the clients, subscribes each to its share of the server's pairs, and then measures. The
/// first failure ends the whole run.
eddy::future<eddy::result<report>> run_load(load_options options);

/// Prints the report to standard output, as JSON if `options.json` is set.
void print_report(const report& r, const load_options& options);

}  // namespace ticker
