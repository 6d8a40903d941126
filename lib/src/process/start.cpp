#include "process/start.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/make_pipe.hpp"

extern "C" char** environ;

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

// glibc has had chdir as an action since 2.29, and setsid as a flag since 2.26.
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 29)
#define EDDY_SPAWN_KNOWS_DIRECTORIES 1
#else
#define EDDY_SPAWN_KNOWS_DIRECTORIES 0
#endif

bool posix_spawn_can(const start_plan& p) noexcept {
  if (p.uid || p.gid || p.set_groups) return false;
  return EDDY_SPAWN_KNOWS_DIRECTORIES != 0 || (p.directory == nullptr && !p.new_session);
}

class spawn_settings {
 public:
  spawn_settings() noexcept {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  spawn_settings(const spawn_settings&) = delete;
  ~spawn_settings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  int fill(const start_plan& p) noexcept {
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes, &set);
    ::sigaddset(&set, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes, &set);
    if (p.group) {
      flags |= POSIX_SPAWN_SETPGROUP;
      ::posix_spawnattr_setpgroup(&attributes, *p.group);
    }
    int code = 0;
#if EDDY_SPAWN_KNOWS_DIRECTORIES
    if (p.new_session) flags |= POSIX_SPAWN_SETSID;
    if (p.directory != nullptr)
      code = ::posix_spawn_file_actions_addchdir_np(&actions, p.directory);
#endif
    for (int i = 0; i < 3 && code == 0; ++i)
      if (p.streams[i] >= 0) code = ::posix_spawn_file_actions_adddup2(&actions, p.streams[i], i);
    if (code == 0) code = ::posix_spawnattr_setflags(&attributes, static_cast<short>(flags));
    return code;
  }

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

// ---- in the forked child: async-signal-safe functions only

int become(const start_plan& p) noexcept {
  for (int i = 0; i < 3; ++i)
    if (p.streams[i] >= 0 && ::dup2(p.streams[i], i) < 0) return errno;
  if (p.set_groups) {
    if (::setgroups(p.group_count, p.groups) != 0) return errno;
  } else if (p.uid && ::geteuid() == 0 && ::setgroups(0, nullptr) != 0) {
    return errno;
  }
  if (p.gid && ::setgid(*p.gid) != 0) return errno;
  if (p.uid && ::setuid(*p.uid) != 0) return errno;
  if (p.directory != nullptr && ::chdir(p.directory) != 0) return errno;
  if (p.group && ::setpgid(0, *p.group) != 0) return errno;
  if (p.new_session && ::setsid() < 0) return errno;
  struct sigaction by_default = {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(SIGPIPE, &by_default, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  environ = const_cast<char**>(p.environment);
  ::execvp(p.program, p.arguments);
  return errno;
}

[[noreturn]] void be_child(const start_plan& p, int report_to) noexcept {
  const std::int32_t code = become(p);
  static_cast<void>(!::write(report_to, &code, sizeof code));
  ::_exit(127);
}

}  // namespace

started start_program(const start_plan& plan) noexcept {
  if (!posix_spawn_can(plan)) return start_by_fork(plan);
  spawn_settings settings;
  started made{settings.fill(plan), -1};
  if (made.code == 0)
    made.code = ::posix_spawnp(&made.pid, plan.program, &settings.actions, &settings.attributes,
                               plan.arguments, plan.environment);
  return made;
}

started start_by_fork(const start_plan& plan) noexcept {
  int ends[2];
  if (!make_pipe(ends, pipe_kind::blocking)) return {errno, -1};
  // No handler of this program's runs in the child.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const ::pid_t pid = ::fork();
  if (pid == 0) be_child(plan, ends[1]);
  int code = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(ends[1]);
  if (pid > 0) {
    // The end comes when the program runs, and has closed the pipe; a code before it says why it does not.
    std::int32_t failed = 0;
    ::ssize_t n = 0;
    do n = ::read(ends[0], &failed, sizeof failed);
    while (n < 0 && errno == EINTR);
    code = n == sizeof failed ? failed : 0;
    if (code != 0)
      while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
      }
  }
  ::close(ends[0]);
  return {code, pid};
}

}}}  // namespace eddy::EDDY_ABI::detail
