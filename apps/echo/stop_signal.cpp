#include "stop_signal.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace echo {

namespace {

// A signal handler may do little, so it writes to one end of a socket pair and the loop reads the
// other. (A thread that waits in sigwait would also work, but a second thread makes every system
// call of the C library more expensive.)
int write_end = -1;
volatile std::sig_atomic_t stopping = 0;

extern "C" void on_signal(int number) {
  if (stopping != 0) _exit(128 + number);
  stopping = 1;
  const int before = errno;
  static_cast<void>(::write(write_end, "", 1));
  errno = before;
}

eddy::future<> first_byte(eddy::net::tcp_stream pair) {
  static_cast<void>(co_await eddy::attempt(pair.readable()));
}

}  // namespace

eddy::result<eddy::future<>> stop_signal() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return eddy::error::system(errno, "socketpair");
  write_end = ends[0];
  auto pair = eddy::net::tcp_stream::adopt(ends[1]);
  if (!pair) return std::move(pair).error();
  struct sigaction action{};
  action.sa_handler = &on_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
  return first_byte(*std::move(pair));
}

}  // namespace echo
