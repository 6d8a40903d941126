#pragma once

#include <cstdint>
#include <string>

#include <eddy/config.hpp>
#include <eddy/fs/job.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace fs {

/// Gives `from` the name `to`. What had that name is replaced, atomically; both must be on one file system.
job<void> rename(std::string from, std::string to);
/// Copies the bytes and the permissions of a file, and says how many bytes. What `to` had is replaced.
///
/// Errors: what was copied before a failure stays.
job<std::uint64_t> copy(std::string from, std::string to);
/// Takes a file's name away, or a symbolic link.
job<void> remove_file(std::string path);
/// The path from the root, without symbolic links, "." and "..".
job<std::string> canonicalize(std::string path);

/// Gives a file another name.
job<void> hard_link(std::string original, std::string link);
/// Makes `link` stand for `original`, which need not exist.
job<void> symlink(std::string original, std::string link);
/// What a symbolic link stands for, as it is written in it.
job<std::string> read_link(std::string path);

}}}  // namespace eddy::EDDY_ABI::fs
