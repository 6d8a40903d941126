#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "process/pidfd.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

constexpr auto by_pidfd = static_cast<idtype_t>(3);  // P_PIDFD

// linux/pidfd.h of 6.15, of which older systems have no header.
struct pidfd_info {
  std::uint64_t mask;
  std::uint64_t cgroupid;
  std::uint32_t ids[11];
  std::int32_t exit_code;
};
static_assert(sizeof(pidfd_info) == 64);
constexpr std::uint64_t info_exit = 1U << 3;
constexpr unsigned long get_info = _IOWR(0xFF, 11, pidfd_info);

// The system remembers how a child ended that somebody else has collected, since 6.15.
collected ask_remembered(int pidfd) noexcept {
  pidfd_info info{};
  info.mask = info_exit;
  if (::ioctl(pidfd, get_info, &info) != 0 || (info.mask & info_exit) == 0)
    return {collected::state::lost};
  return {collected::state::ended, info.exit_code};
}

collected collect_by_number(::pid_t pid) noexcept {
  int status = 0;
  ::pid_t got = 0;
  do got = ::waitpid(pid, &status, WNOHANG);
  while (got < 0 && errno == EINTR);
  if (got == 0) return {collected::state::runs};
  if (got < 0) return {collected::state::lost};
  return {collected::state::ended, status};
}

}  // namespace

int open_pidfd(::pid_t pid) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));  // close-on-exec by itself
}

collected collect_child(::pid_t pid, int pidfd) noexcept {
  if (pidfd < 0) return collect_by_number(pid);
  siginfo_t info{};
  int rc = 0;
  do rc = ::waitid(by_pidfd, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG);
  while (rc != 0 && errno == EINTR);
  if (rc != 0) return ask_remembered(pidfd);
  if (info.si_pid == 0) return {collected::state::runs};
  const int status = info.si_status;
  switch (info.si_code) {
    case CLD_EXITED:
      return {collected::state::ended, (status & 0xff) << 8};
    case CLD_DUMPED:
      return {collected::state::ended, status | 0x80};
    default:
      return {collected::state::ended, status};
  }
}

int send_to_child(::pid_t pid, int pidfd, int number) noexcept {
  const long rc = pidfd >= 0 ? ::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0)
                             : ::kill(pid, number);
  return rc == 0 ? 0 : errno;
}

}}}  // namespace eddy::EDDY_ABI::detail
