#pragma once

#include <chrono>
#include <cstdint>

#include <eddy/eddy.hpp>
#include <eddy/testing/clock.hpp>

#include "runtime/loop.hpp"

namespace eddy { inline namespace EDDY_ABI {

/// What tests may know of a runtime that its users may not.
struct runtime_access {
  static detail::loop& loop(runtime& rt) noexcept {
    return detail::loop::from(detail::runtime_access::of(rt));
  }

  /// Runs `rt` for at most `polls` polls of tasks. True when the task behind `h` (made by `rt.spawn` outside
  /// the loop) has ended.
  template <class T>
  static bool run_polls(runtime& rt, const join_handle<T>& h, std::uint64_t polls) {
    auto& link = *detail::join_access::link(h);
    loop(rt).drive_until(link, polls);
    return link.is_filled();
  }
};

}}  // namespace eddy::EDDY_ABI

namespace test {

/// The loop of the task that is running; for the paused clock.
inline eddy::detail::loop& here() { return *eddy::detail::loop::current(); }

using eddy::test::advance;

/// Polls of tasks so far on the running loop.
inline std::uint64_t polls() { return here().polls; }

}  // namespace test
