#pragma once

#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

class [[nodiscard]] yield_leaf {
 public:
  polled<> poll(context& cx) noexcept {
    if (yielded_) return ready;
    yielded_ = true;
    cx.wake();
    return pending;
  }

 private:
  bool yielded_ = false;
};

}  // namespace detail

/// Lets others run: `co_await eddy::yield_now();` goes on behind everything that is ready now. The
/// loop's timers and I/O are looked at by time, so a task that only yields does not starve them.
///
/// Cancel safety: nothing is lost.
/// Cost: one pass through the run queue.
inline detail::yield_leaf yield_now() noexcept { return {}; }

}}  // namespace eddy::EDDY_ABI
