#pragma once

#include <cstdint>
#include <source_location>
#include <string>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/runtime/runtime.hpp>
#include <eddy/testing/leak_check.hpp>
#include <eddy/testing/report.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace test {

namespace detail {

/// Turns `rt` for at most `polls` polls of tasks; whether the task behind `link` has ended.
bool run_polls(runtime& rt, eddy::detail::join_link& link, std::uint64_t polls);
runtime paused_runtime();

}  // namespace detail

/// Runs the scenario `make()`, which returns a `future<>`, again and again, and drops its runtime after 0, 1, 2 ...
/// polls of tasks, until it gets to its end. After each, frames and descriptors are as many as before: what can be
/// cancelled anywhere leaves nothing anywhere. Returns the number of cut points, so that a test can say that there
/// were some. The clock is paused and advances by itself.
///
/// Errors: what the scenario throws when it is not cut comes out; one that is not over after `most` polls is a
/// failed check.
template <class Make>
std::uint64_t cut_points(Make make, std::uint64_t most = 2000,
                         std::source_location at = std::source_location::current()) {
  for (std::uint64_t cut = 0; cut < most; ++cut) {
    const leak_check leaks("cut after " + std::to_string(cut) + " polls", at);
    runtime rt = detail::paused_runtime();
    auto h = rt.spawn(make);
    if (!detail::run_polls(rt, *eddy::detail::join_access::link(h), cut)) continue;
    rt.block_on(std::move(h));
    return cut;
  }
  fail_and_end("the scenario did not end after " + std::to_string(most) + " polls", at);
}

}}}  // namespace eddy::EDDY_ABI::test
