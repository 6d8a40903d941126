#pragma once

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

enum class pipe_kind : bool { blocking, non_blocking };
/// A pipe that no program started from here inherits: the end that is read, the end that is written; false: errno.
bool make_pipe(int (&ends)[2], pipe_kind kind) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
