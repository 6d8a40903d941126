#pragma once

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// The value of what has nothing to say: it stands for `void` where a type is needed (a select
/// branch, a stored result).
struct unit {
  friend constexpr bool operator==(unit, unit) noexcept = default;
};

}}  // namespace eddy::EDDY_ABI
