#pragma once

#include <cstdint>
#include <string>

#include <eddy/eddy.hpp>

#include "../support/histogram.hpp"
#include "options.hpp"

namespace echo {

struct report {
  support::histogram latency;
  std::uint64_t requests = 0;
  double seconds = 0;
};

/// Opens the connections and keeps one request under way on each; checks every byte that comes back.
/// Ends when the time is over or the requests are done; the first failure ends it all.
eddy::future<eddy::result<report>> run_client(client_options options);

void print_report(const report& r, const client_options& options);

}  // namespace echo
