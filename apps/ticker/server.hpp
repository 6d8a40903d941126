#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <eddy/eddy.hpp>

#include "market.hpp"
#include "metrics.hpp"
#include "options.hpp"
#include "session.hpp"
#include "source.hpp"

namespace ticker {

/// Makes ticks and serves them to its clients until `stop` is cancelled.
class server {
 public:
  /// Makes a server. Reads the pairs, or the recording.
  static eddy::result<server> make(serve_options options);
  server(server&&) = default;

  /// Binds. Returns the address it listens on, with the real port.
  eddy::future<eddy::result<eddy::net::socket_address>> start();
  /// Returns the address of the metrics, if the options ask for them.
  std::optional<eddy::net::socket_address> metrics_address() const;
  /// Serves until `stop` is cancelled. Then it accepts no new clients, and tells, flushes and
  /// closes those it has, within a deadline. Errors: those of the listener.
  eddy::future<eddy::result<void>> serve(eddy::sync::cancellation_token stop);

  const market& all() const noexcept { return *market_; }
  metrics& counts() noexcept { return *counts_; }

 private:
  server(serve_options options, std::vector<std::string> pairs, source from);

  eddy::future<> make_ticks();
  eddy::future<eddy::result<void>> accept_clients(eddy::sync::cancellation_token stop);

  serve_options options_;
  std::unique_ptr<market> market_;  // the sessions refer to the market and the counts
  std::unique_ptr<metrics> counts_;
  source source_;
  std::optional<eddy::net::tcp_listener> listener_;
  std::optional<eddy::net::tcp_listener> metrics_listener_;
};

}  // namespace ticker
