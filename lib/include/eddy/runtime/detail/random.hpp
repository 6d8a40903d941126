#pragma once

#include <cstdint>

#include <eddy/config.hpp>
#include <eddy/core/context.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A number below `n`, of the seeded generator of the runtime that polls; 0 where there is no runtime.
std::uint32_t draw(const context& cx, std::uint32_t n) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
