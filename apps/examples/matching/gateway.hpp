#pragma once

#include <eddy/eddy.hpp>

#include "engine.hpp"

namespace matching {

/// Takes orders from TCP clients until `stop`: a line "buy PRICE SIZE", "sell PRICE SIZE" or "cancel ID" each. Answers
/// in the order of the commands: "accepted ID FILLED", "cancelled ID OPEN" or "no order ID"; and "error: ..." at once
/// to what is no command. Ends when every client has ended: what has been accepted is answered first.
/// Errors: the listener's.
eddy::future<eddy::result<void>> serve_clients(eddy::net::tcp_listener listener,
                                               mpsc::sender<request> requests,
                                               eddy::sync::cancellation_token stop);

}  // namespace matching
