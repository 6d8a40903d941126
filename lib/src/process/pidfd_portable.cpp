// Where there are no pidfds.

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

#include "process/pidfd.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

int open_pidfd(::pid_t) noexcept { return -1; }

collected collect_child(::pid_t pid, int) noexcept {
  int status = 0;
  ::pid_t got = 0;
  do got = ::waitpid(pid, &status, WNOHANG);
  while (got < 0 && errno == EINTR);
  if (got == 0) return {collected::state::runs};
  if (got < 0) return {collected::state::lost};
  return {collected::state::ended, status};
}

int send_to_child(::pid_t pid, int, int number) noexcept {
  return ::kill(pid, number) == 0 ? 0 : errno;
}

}}}  // namespace eddy::EDDY_ABI::detail
