#pragma once
// Where coroutine frames and other short-lived blocks of the library come from.

#include <cstddef>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A block of at least `bytes`, aligned to 64; null when out of memory.
///
/// Threads: any. Cost: some ten instructions up to 4096 bytes (classes of 64, free lists of this
/// thread, 64 KiB from the system when they run dry); larger blocks come from the global operator
/// new.
[[nodiscard]] void* frame_allocate(std::size_t bytes) noexcept;

/// Gives a block back; `bytes` is what was asked for.
///
/// Threads: any. Cost: as above on the thread that allocated; elsewhere two atomic operations, and
/// the block becomes usable when its thread next runs out. Blocks of a thread that has ended are
/// inherited by the next that starts.
void frame_release(void* p, std::size_t bytes) noexcept;

/// Blocks allocated and not released, over all threads. Exact when no other thread is allocating or
/// releasing.
[[nodiscard]] std::size_t live_frames() noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
