#pragma once

#include <eddy/eddy.hpp>

namespace echo {

/// Ready at the first SIGINT or SIGTERM; the second ends the program at once. Once in a process, inside a runtime.
eddy::result<eddy::future<>> stop_signal();

}  // namespace echo
