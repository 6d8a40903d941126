#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "market.hpp"

namespace ticker {

/// What the sessions count. These atomics are counters: they order nothing.
struct metrics {
  std::atomic<std::uint64_t> clients{0};
  std::atomic<std::uint64_t> clients_total{0};
  std::atomic<std::uint64_t> missed{0};   // messages that clients missed because they were too slow
  std::atomic<std::uint64_t> dropped{0};  // clients that were dropped because they were too slow
  std::atomic<std::uint64_t> turns{0};    // how often the loop has slept
};

/// Returns the metrics as "name value" lines. Threads: the loop's.
std::string to_text(const metrics& counts, const market& all);

/// Answers every connection with one HTTP/1.0 response of these lines. Returns only if accepting
/// fails.
eddy::future<eddy::result<void>> serve_metrics(eddy::net::tcp_listener listener,
                                               const metrics& counts, const market& all);

}  // namespace ticker
