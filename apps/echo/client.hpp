#pragma once

#include <cstdint>
#include <string>

#include <eddy/eddy.hpp>

#include "../support/histogram.hpp"
#include "options.hpp"

namespace echo {

/// The totals over all connections.
struct report {
  support::histogram latency;  // in nanoseconds
  std::uint64_t requests = 0;
  double seconds = 0;
};

/// Opens the connections, keeps one request in flight on each, and checks every byte of the
/// answers. Returns when the time is up or all requests are done. The first failure ends the whole
/// run.
eddy::future<eddy::result<report>> run_client(client_options options);

/// Prints the report to standard output, as JSON if `options.json` is set.
void print_report(const report& r, const client_options& options);

}  // namespace echo
