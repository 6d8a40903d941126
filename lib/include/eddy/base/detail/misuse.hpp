#pragma once

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// The caller broke a rule and can be told: throws `std::logic_error("eddy: " + what)`. Without
/// exceptions prints that line to stderr and aborts.
[[noreturn]] void misuse(const char* what);

/// The caller broke a rule where nobody can catch (a destructor, a callback of the loop): prints
/// "eddy: what" and aborts.
[[noreturn]] void fatal(const char* what) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
