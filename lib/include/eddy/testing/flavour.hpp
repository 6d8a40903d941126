#pragma once

#include <span>

#include <eddy/config.hpp>
#include <eddy/core/future.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace test {

/// Which clock a runtime made for a test follows.
enum class test_clock { paused, real };

/// One way to run a test's coroutine: a kind of runtime.
struct flavour {
  const char* name;  ///< as a report names it
  /// Makes the runtime, runs `body()` on it to its end and drops the runtime. Throws what `body` threw.
  void (*run)(test_clock clock, future<> (*body)());
};

/// All that have this clock: one loop, turned by the test; the same with the ready tasks shuffled by `seed()`; a guest
/// on a loop that its host turns; and by the real clock a pool of one and a pool of four loops.
std::span<const flavour> flavours(test_clock clock) noexcept;

}}}  // namespace eddy::EDDY_ABI::test
