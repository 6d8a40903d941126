#pragma once

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// libuv's code for what getaddrinfo answered (EAI_...); of EAI_SYSTEM that of `errno_then`.
int uv_code_of_eai(int eai, int errno_then) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
