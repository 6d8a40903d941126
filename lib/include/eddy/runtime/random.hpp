#pragma once

#include <cstdint>

#include <eddy/config.hpp>
#include <eddy/core/context.hpp>

namespace eddy::inline EDDY_ABI::detail {

/// A number below `n`, of the seeded generator of the runtime that polls; 0 where there is no runtime.
std::uint32_t draw(const context& cx, std::uint32_t n) noexcept;

}  // namespace eddy::inline EDDY_ABI::detail
