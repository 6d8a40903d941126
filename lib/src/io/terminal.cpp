// Raw mode, and the ways out of it.
//
// I1  `is_raw` is set after what `saved` needs is there, and taken by whoever restores: the last raw_mode, the exit of
//     the program, or a handler on its way to ending it (async-signal-safe: an exchange and tcsetattr).
// I2  A child made by fork shares the terminal and has not made it raw: it restores nothing.

#include <eddy/io/terminal.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>

#include "signal/registry.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace io {

namespace {

using eddy::detail::signal_registry;

constexpr int deadly[] = {SIGHUP,  SIGINT,  SIGQUIT,   SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                          SIGFPE,  SIGUSR1, SIGSEGV,   SIGUSR2, SIGPIPE, SIGALRM, SIGTERM,
                          SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGSYS};

struct raw_terminal {
  std::mutex mutex;  // of the next three; not in a handler
  unsigned users = 0;
  ::dev_t device = 0;
  bool prepared = false;
  std::atomic<bool> is_raw{false};  // partner: itself, I1
  int fd = -1;                      // a duplicate
  ::pid_t process = -1;
  termios saved{};
};
raw_terminal& raw() noexcept {
  static raw_terminal& it = *new raw_terminal;  // exit handlers and signals come late
  return it;
}
constinit std::atomic<raw_terminal*> raw_for_handler{nullptr};  // partner: prepare

void restore() noexcept {
  auto* const r = raw_for_handler.load(std::memory_order_acquire);
  if (r == nullptr || r->process != ::getpid()) return;  // I2
  if (!r->is_raw.exchange(false, std::memory_order_acq_rel)) return;
  // In the background it would be stopped, unless SIGTTOU is blocked, as it is in eddy's handler.
  sigset_t ttou;
  sigset_t before;
  ::sigemptyset(&ttou);
  ::sigaddset(&ttou, SIGTTOU);
  ::pthread_sigmask(SIG_BLOCK, &ttou, &before);
  ::tcsetattr(r->fd, TCSANOW, &r->saved);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void prepare(raw_terminal& r) noexcept {
  if (std::exchange(r.prepared, true)) return;
  raw_for_handler.store(&r, std::memory_order_release);
  signal_registry::set_before_death(&restore);
  std::atexit([] { restore(); });
}

// 0 or an errno.
int begin(raw_terminal& r, int fd) noexcept {
  termios now;
  if (::tcgetattr(fd, &now) != 0) return errno;
  const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (own < 0) return errno;
  r.fd = own;
  r.process = ::getpid();
  r.saved = now;
  prepare(r);
  for (const int number : deadly) signal_registry::get().guard(number);
  r.is_raw.store(true, std::memory_order_release);
  ::cfmakeraw(&now);
  if (::tcsetattr(fd, TCSANOW, &now) == 0) return 0;
  return errno;
}

void end(raw_terminal& r) noexcept {
  restore();
  for (const int number : deadly) signal_registry::get().end_guard(number);
  ::close(std::exchange(r.fd, -1));
}

}  // namespace

bool is_terminal(int fd) noexcept { return ::isatty(fd) != 0; }

result<terminal_extent> terminal_size(int fd) noexcept {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return error::system(errno, "terminal_size");
  return terminal_extent{size.ws_col, size.ws_row};
}

result<raw_mode> raw_mode::enter(int fd) noexcept {
  struct stat what;
  if (::fstat(fd, &what) != 0) return error::system(errno, "raw_mode");
  auto& r = raw();
  const std::lock_guard lock(r.mutex);
  if (r.process != ::getpid()) r.users = 0;  // I2
  if (r.users != 0 && r.device != what.st_rdev) return error::system(EBUSY, "raw_mode");
  if (r.users == 0) {
    if (const int code = begin(r, fd); code != 0) {
      if (r.fd >= 0) end(r);
      return error::system(code, "raw_mode");
    }
    r.device = what.st_rdev;
  }
  ++r.users;
  return raw_mode();
}

raw_mode::~raw_mode() {
  if (!on_) return;
  auto& r = raw();
  const std::lock_guard lock(r.mutex);
  if (r.process == ::getpid() && --r.users == 0) end(r);
}

}}}  // namespace eddy::EDDY_ABI::io
