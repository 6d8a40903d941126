#include <eddy/base/detail/descriptor.hpp>

#include <fcntl.h>
#include <unistd.h>

#include "base/make_pipe.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

void descriptor::close() noexcept { ::close(fd_); }

bool make_pipe(int (&ends)[2], pipe_kind kind) noexcept {
  const bool waits = kind == pipe_kind::blocking;
#ifdef __linux__
  return ::pipe2(ends, O_CLOEXEC | (waits ? 0 : O_NONBLOCK)) == 0;
#else
  if (::pipe(ends) != 0) return false;
  for (const int end : ends) {
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
    if (!waits) ::fcntl(end, F_SETFL, O_NONBLOCK);
  }
  return true;
#endif
}

}}}  // namespace eddy::EDDY_ABI::detail
