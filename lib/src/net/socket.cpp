#include "net/socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace eddy::inline EDDY_ABI::detail {

namespace {

#if !defined(SOCK_NONBLOCK) || !defined(SOCK_CLOEXEC)
int prepare(int fd) noexcept {
  if (fd < 0) return fd;
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
#ifdef SO_NOSIGPIPE
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  return fd;
}
#endif

}  // namespace

int open_socket(int family, int type) noexcept {
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
  return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
  return prepare(::socket(family, type, 0));
#endif
}

bool open_pair(int type, int (&fds)[2]) noexcept {
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
  return ::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0;
#else
  if (::socketpair(AF_UNIX, type, 0, fds) != 0) return false;
  prepare(fds[0]);
  prepare(fds[1]);
  return true;
#endif
}

int accept_socket(int fd, native_address& peer) noexcept {
  int made = 0;
  do {
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
    made = ::accept4(fd, peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    made = prepare(::accept(fd, peer.get(), &peer.size));
#endif
  } while (made < 0 && errno == EINTR);
  return made;
}

int connect_socket(int fd, native_address to) noexcept {
  if (::connect(fd, to.get(), to.size) == 0) return 0;
  return errno == EINTR ? EINPROGRESS : errno;  // an interrupted one goes on by itself
}

int bind_socket(int fd, native_address at) noexcept {
  return ::bind(fd, at.get(), at.size) == 0 ? 0 : errno;
}

native_address local_address(int fd) noexcept {
  native_address native;
  native.storage.ss_family = AF_UNSPEC;
  if (::getsockname(fd, native.get(), &native.size) != 0) native.size = 0;
  return native;
}

native_address peer_address(int fd) noexcept {
  native_address native;
  if (::getpeername(fd, native.get(), &native.size) != 0) native.size = 0;
  return native;
}

result<void> set_option(int fd, int level, int name, int value, const char* operation) noexcept {
  if (::setsockopt(fd, level, name, &value, sizeof value) != 0)
    return error::system(errno, operation);
  return {};
}

result<int> get_option(int fd, int level, int name, const char* operation) noexcept {
  int value = 0;
  ::socklen_t size = sizeof value;
  if (::getsockopt(fd, level, name, &value, &size) != 0) return error::system(errno, operation);
  return value;
}

result<bool> get_flag(int fd, int level, int name, const char* operation) noexcept {
  auto value = get_option(fd, level, name, operation);
  if (!value) return std::move(value).error();
  return *value != 0;
}

namespace {
struct option_place {
  int level;
  int name;
};
option_place hops_of(int fd) noexcept {
  if (local_address(fd).get()->sa_family == AF_INET6) return {IPPROTO_IPV6, IPV6_UNICAST_HOPS};
  return {IPPROTO_IP, IP_TTL};
}
}  // namespace

result<void> set_hops(int fd, int hops) noexcept {
  const auto at = hops_of(fd);
  return set_option(fd, at.level, at.name, hops, "set_ttl");
}
result<int> hops(int fd) noexcept {
  const auto at = hops_of(fd);
  return get_option(fd, at.level, at.name, "ttl");
}

}  // namespace eddy::inline EDDY_ABI::detail
