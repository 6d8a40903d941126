#include "net/socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>

namespace eddy::inline EDDY_ABI::detail {

namespace {

using net::socket_address;

struct native_address {
  native_address() noexcept = default;
  explicit native_address(const socket_address& a) noexcept
      : size(static_cast<::socklen_t>(a.to_native(&storage))) {}
  ::sockaddr* get() noexcept { return reinterpret_cast<::sockaddr*>(&storage); }
  socket_address portable() noexcept { return socket_address::from_native(get(), size); }

  ::sockaddr_storage storage;
  ::socklen_t size = sizeof storage;
};

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

int open_tcp(const socket_address& address) noexcept {
  const int family = address.is_v6() ? AF_INET6 : AF_INET;
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
  return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
  return prepare(::socket(family, SOCK_STREAM, 0));
#endif
}

int accept_socket(int fd, socket_address& peer) noexcept {
  native_address from;
  int made = 0;
  do {
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
    made = ::accept4(fd, from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    made = prepare(::accept(fd, from.get(), &from.size));
#endif
  } while (made < 0 && errno == EINTR);
  if (made >= 0) peer = from.portable();
  return made;
}

int connect_socket(int fd, const socket_address& to) noexcept {
  native_address native(to);
  if (::connect(fd, native.get(), native.size) == 0) return 0;
  return errno == EINTR ? EINPROGRESS : errno;  // an interrupted one goes on by itself
}

int bind_socket(int fd, const socket_address& at) noexcept {
  native_address native(at);
  return ::bind(fd, native.get(), native.size) == 0 ? 0 : errno;
}

result<int> give_away(io_handle io) noexcept {
  const int copy = ::fcntl(io.fd(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return error::system(errno, "into_descriptor");
  return copy;
}

socket_address local_address(int fd) noexcept {
  native_address native;
  if (::getsockname(fd, native.get(), &native.size) != 0) return {};
  return native.portable();
}

socket_address peer_address(int fd) noexcept {
  native_address native;
  if (::getpeername(fd, native.get(), &native.size) != 0) return {};
  return native.portable();
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

}  // namespace eddy::inline EDDY_ABI::detail
