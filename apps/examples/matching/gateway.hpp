#pragma once

#include <eddy/eddy.hpp>

#include "engine.hpp"

namespace matching {

/// Takes commands from TCP clients until `stop` is cancelled. A command is a line: "buy PRICE
/// SIZE", "sell PRICE SIZE" or "cancel ID". The answers come in the order of the commands:
/// "accepted ID FILLED", "cancelled ID OPEN" or "no order ID"; any other line is answered with
/// "error: ..." at once. Returns when every client has ended; accepted commands are answered first.
/// Errors: those of the listener.
eddy::future<eddy::result<void>> serve_clients(eddy::net::tcp_listener listener,
                                               mpsc::sender<request> requests,
                                               eddy::sync::cancellation_token stop);

}  // namespace matching
