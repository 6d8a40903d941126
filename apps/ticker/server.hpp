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

/// Makes ticks and serves them to its clients until it is told to stop.
class server {
 public:
  /// Reads pairs and recording.
  static eddy::result<server> make(serve_options options);
  server(server&&) = default;

  /// Binds; the address it listens on, with the real port.
  eddy::future<eddy::result<eddy::net::socket_address>> start();
  /// That of the metrics, if they are wanted.
  std::optional<eddy::net::socket_address> metrics_address() const;
  /// Serves until `stop`; then nobody new comes in, and the clients are told, flushed and closed, within a
  /// deadline. The error is a listener's.
  eddy::future<eddy::result<void>> serve(eddy::sync::cancellation_token stop);

  const market& all() const noexcept { return *market_; }
  metrics& counts() noexcept { return *counts_; }

 private:
  server(serve_options options, std::vector<std::string> pairs, source from);

  eddy::future<> make_ticks();
  eddy::future<eddy::result<void>> accept_clients(eddy::sync::cancellation_token stop);

  serve_options options_;
  std::unique_ptr<market> market_;  // sessions refer to these two
  std::unique_ptr<metrics> counts_;
  source source_;
  std::optional<eddy::net::tcp_listener> listener_;
  std::optional<eddy::net::tcp_listener> metrics_listener_;
};

}  // namespace ticker
