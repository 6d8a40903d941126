#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/runtime_access.hpp"

namespace test {

/// Runs the scenario `make()` (a future<>) again and again, dropping its runtime after 0, 1, 2 … polls of tasks,
/// until it gets to its end; after each, nothing may be left. Returns the number of polls of the whole run, which is
/// the number of cut points. The clock is paused and advances by itself.
template <class Make>
std::uint64_t cut_points(Make make, std::uint64_t most = 2000) {
  for (std::uint64_t cut = 0; cut < most; ++cut) {
    CAPTURE(cut);
    const leak_check leaks;
    eddy::runtime rt = eddy::runtime::builder().start_paused().build();
    auto h = rt.spawn(make());
    if (!eddy::runtime_access::run_polls(rt, h, cut)) continue;
    rt.block_on(std::move(h));
    return cut;
  }
  FAIL("the scenario did not end");
  return most;
}

}  // namespace test
