#pragma once

#include <eddy/eddy.hpp>

namespace echo {

/// Returns a future that is ready at the first SIGINT or SIGTERM; the second signal ends the
/// program at once. Call it once per process, inside a runtime.
eddy::result<eddy::future<>> stop_signal();

}  // namespace echo
