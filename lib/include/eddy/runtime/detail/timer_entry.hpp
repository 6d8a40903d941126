#pragma once
// What a timer keeps in its own storage to be in a wheel.

#include <cstdint>

#include <eddy/base/detail/list.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// An entry of a timer wheel; a leaf that waits for a time derives from it or holds one.
///
/// `deadline` is in nanoseconds of the runtime's monotonic clock and does not change while the
/// entry is linked.
///
/// Lifetime: taken out of the wheel, or out of the list of expired entries, before it is destroyed.
struct timer_entry : list_node {
  std::uint64_t deadline = 0;
};
static_assert(sizeof(timer_entry) == 24);

}}}  // namespace eddy::EDDY_ABI::detail
