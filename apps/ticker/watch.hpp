#pragma once

#include <eddy/eddy.hpp>

#include "options.hpp"

namespace ticker {

/// Shows quotes as they arrive: on a terminal a table that is redrawn, elsewhere one line per
/// quote. If the server goes away, it reconnects after growing pauses. Returns only if the server
/// does not know one of the pairs.
eddy::future<eddy::result<void>> run_watch(watch_options options);

}  // namespace ticker
