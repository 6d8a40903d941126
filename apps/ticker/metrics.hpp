#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "market.hpp"

namespace ticker {

/// What the sessions count. Only numbers: nothing is ordered by them.
struct metrics {
  std::atomic<std::uint64_t> clients{0};
  std::atomic<std::uint64_t> clients_total{0};
  std::atomic<std::uint64_t> missed{0};   // messages that clients were too slow for
  std::atomic<std::uint64_t> dropped{0};  // clients that were too slow for too long
  std::atomic<std::uint64_t> turns{0};    // of the loop: it has slept so often
};

/// "name value" lines. On the loop's thread.
std::string to_text(const metrics& counts, const market& all);

/// Answers every connection with one HTTP/1.0 response of these lines. Ends only by failing.
eddy::future<eddy::result<void>> serve_metrics(eddy::net::tcp_listener listener,
                                               const metrics& counts, const market& all);

}  // namespace ticker
