#pragma once

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/fs/metadata.hpp>

// Looking at files, for the jobs of this folder. On blocking threads.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// 0, or an errno.
int stat_path(const char* path, bool follow, fs::file_metadata& to) noexcept;
int stat_descriptor(int fd, fs::file_metadata& to) noexcept;
fs::file_kind kind_of_mode(std::uint32_t mode) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
