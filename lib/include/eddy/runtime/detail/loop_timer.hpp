#pragma once

#include <atomic>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/runtime/detail/timer_entry.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class loop;

/// A task's wait for a point in time; a node of the loop's wheel, woken when it is taken out.
struct loop_timer : timer_entry {
  waker who;
  /// In whose wheel it is; null: it has not begun to wait; `over()`: its time has come. In a pool the loop may
  /// write the last on another thread, and touches it no more after that (release; partner: its owner's loads).
  std::atomic<loop*> where{nullptr};

  static loop* over() noexcept { return reinterpret_cast<loop*>(1); }
  /// The loop has taken it out of the wheel: whom to wake.
  waker expire() noexcept {
    waker w = std::move(who);
    where.store(over(), std::memory_order_release);
    return w;
  }
};

}}}  // namespace eddy::EDDY_ABI::detail
