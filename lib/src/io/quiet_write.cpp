#include "io/quiet_write.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

::ssize_t write_with_sigpipe_blocked(int fd, const ::iovec* parts, int count) noexcept {
  sigset_t pipe_only;
  sigset_t before;
  sigset_t waiting;
  ::sigemptyset(&pipe_only);
  ::sigaddset(&pipe_only, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
  ::sigpending(&waiting);
  const ::ssize_t n = ::writev(fd, parts, count);
  const int code = errno;
  if (n < 0 && code == EPIPE && ::sigismember(&waiting, SIGPIPE) == 0) {
#ifdef __linux__
    const timespec now{};
    while (::sigtimedwait(&pipe_only, nullptr, &now) < 0 && errno == EINTR) {
    }
#else
    int taken = 0;
    ::sigpending(&waiting);
    if (::sigismember(&waiting, SIGPIPE) != 0) ::sigwait(&pipe_only, &taken);
#endif
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = code;
  return n;
}

::ssize_t write_quietly(int fd, const ::iovec* parts, int count) noexcept {
#ifdef __linux__
  constexpr int no_signal_flag = 0x100;     // RWF_NOSIGNAL, Linux 6.18
  static std::atomic<bool> has_flag{true};  // no partner: a hint
  if (has_flag.load(std::memory_order_relaxed)) {
    const ::ssize_t n = ::pwritev2(fd, parts, count, -1, no_signal_flag);
    if (n >= 0 || (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS)) return n;
    has_flag.store(false, std::memory_order_relaxed);
  }
#endif
  return write_with_sigpipe_blocked(fd, parts, count);
}

::ssize_t write_quietly(int fd, const void* data, std::size_t size) noexcept {
  const ::iovec part{const_cast<void*>(data), size};
  return write_quietly(fd, &part, 1);
}

}}}  // namespace eddy::EDDY_ABI::detail
