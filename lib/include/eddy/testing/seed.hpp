#pragma once

#include <cstdint>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace test {

/// The seed of this process's tests: what the environment variable EDDY_SEED says, else another one each time. A
/// test that fails prints it; `EDDY_SEED=n ./test` runs the same order again.
/// Threads: any.
std::uint64_t seed() noexcept;

}}}  // namespace eddy::EDDY_ABI::test
