#pragma once

#include <string_view>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// The system reads a name up to its first zero byte: one inside would name something else.
inline bool has_zero(std::string_view name) noexcept {
  return name.find('\0') != std::string_view::npos;
}

}}}  // namespace eddy::EDDY_ABI::detail
