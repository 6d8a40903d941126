#pragma once

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Runs `f(of)` on a thread that nobody waits for, not the exit of the program either, and that has every signal
/// blocked: those are for the threads the program knows of. 0 or an errno.
int start_detached(void (*f)(void* of), void* of) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
