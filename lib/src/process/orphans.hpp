#pragma once

#include <sys/types.h>

#include <cstddef>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Collects, when it ends, a child that nobody waits for any more. Takes `pidfd` (-1: none) over.
/// Threads: any. It is done by a thread of its own, which is there while there are such children and holds up
/// nothing: no runtime needs to be running.
void collect_orphan(::pid_t pid, int pidfd) noexcept;
/// How many there are; for tests.
std::size_t orphan_count() noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
