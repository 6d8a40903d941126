#pragma once

#include <eddy/eddy.hpp>

#include "options.hpp"

namespace ticker {

/// Shows quotes as they come: a table that is drawn anew on a terminal, a line each elsewhere. Connects again,
/// more and more slowly, when the server goes away. Ends only by being dropped, or when the server does not know
/// one of the pairs.
eddy::future<eddy::result<void>> run_watch(watch_options options);

}  // namespace ticker
