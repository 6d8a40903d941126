#pragma once

#include <eddy/config.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/runtime/timer_entry.hpp>

namespace eddy::inline EDDY_ABI::detail {

/// A task's wait for a point in time; a node of the loop's wheel, woken when it is taken out.
struct loop_timer : timer_entry {
  waker who;
};

}  // namespace eddy::inline EDDY_ABI::detail
