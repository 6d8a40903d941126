#pragma once
// The system's form of a list of buffers.

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// As many as one call takes here, and the bytes in them.
struct vectors {
  static constexpr std::size_t most = 64;

  template <class Buffer>
  explicit vectors(std::span<const Buffer> buffers, std::size_t skip = 0) noexcept {
    for (const Buffer& b : buffers.first(std::min(buffers.size(), most))) {
      parts[count].iov_base = static_cast<char*>(const_cast<void*>(b.data())) + skip;
      parts[count].iov_len = b.size() - skip;
      bytes += parts[count++].iov_len;
      skip = 0;
    }
  }

  ::iovec parts[most];
  std::size_t count = 0;
  std::size_t bytes = 0;
};

}}}  // namespace eddy::EDDY_ABI::detail
