#pragma once

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <utility>

namespace test {

struct child_end {
  int code = -1;  // exit code; -1: ended by a signal
  int signal = 0;
  std::string text;  // its standard error
};

/// Runs `f` in a child process; if it returns, that is the child's exit code.
template <class F>
child_end in_child(F f) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  std::fflush(nullptr);  // or the child prints it once more at its exit
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::signal(SIGABRT, SIG_DFL);  // doctest's would print
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::alarm(30);
    ::_exit(f());
  }
  ::close(ends[1]);
  child_end end;
  std::array<char, 512> buffer{};
  for (;;) {
    const auto n = ::read(ends[0], buffer.data(), buffer.size());
    if (n <= 0) break;
    end.text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

}  // namespace test
