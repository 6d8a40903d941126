#pragma once

#include <utility>

#include <eddy/config.hpp>
#include <eddy/time/sleep.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A timer of an object that may be moved while it is not being polled, as streams may. A move ends the wait;
/// the next poll takes it up again, with the same deadline.
class movable_timer : public timer_leaf {
 public:
  movable_timer() noexcept : timer_leaf(0) {}
  movable_timer(movable_timer&& other) noexcept : timer_leaf(other.deadline()) { other.stop(); }
  movable_timer& operator=(movable_timer&&) = delete;
};

}}}  // namespace eddy::EDDY_ABI::detail
