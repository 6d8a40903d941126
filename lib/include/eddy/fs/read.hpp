#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <eddy/config.hpp>
#include <eddy/fs/job.hpp>
#include <eddy/io/buffer.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {
fs::job<void> write_string(std::string path, std::string bytes);
}

namespace fs {

/// A whole file, in one job. Files whose size the system does not know (/proc) are read to their end.
job<std::vector<std::byte>> read(std::string path);
/// The same as a string of its bytes, whatever they are.
job<std::string> read_to_string(std::string path);
/// Makes `path` a file of these bytes, and nothing else of what was in it. Not atomic to other processes: write
/// another file and `rename` it for that.
///
/// Lifetime: the bytes are copied at the call; a string that is given away is not.
/// Errors: what was written before a failure stays: a full disk leaves the beginning.
job<void> write(std::string path, io::const_buffer bytes);
template <std::same_as<std::string> S>
job<void> write(std::string path, S&& bytes) {
  return eddy::detail::write_string(std::move(path), std::move(bytes));
}

}  // namespace fs

}}  // namespace eddy::EDDY_ABI
