#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include <eddy/config.hpp>

// Moving bytes between descriptors and memory, for the jobs of this folder. On blocking threads.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// One call moves no more: some systems refuse what does not fit an int.
inline constexpr std::size_t most_bytes = 0x7ffff000;

/// read(2), again after a signal.
::ssize_t read_some(int fd, void* to, std::size_t size) noexcept;
/// All of it, or an errno; then some of it may be written.
int write_everything(int fd, const void* from, std::size_t size) noexcept;
int write_everything_at(int fd, const void* from, std::size_t size, std::int64_t offset) noexcept;
/// As much as there is; -1 and errno.
::ssize_t read_at(int fd, void* to, std::size_t size, std::int64_t offset) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
