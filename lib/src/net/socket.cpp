#include "net/socket.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include <eddy/net/tcp_stream.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

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

error take_error(int fd) noexcept {
  auto code = get_option(fd, SOL_SOCKET, SO_ERROR, "take_error");
  if (!code) return std::move(code).error();
  return error::system(*code, "socket");
}

result<bool> get_flag(int fd, int level, int name, const char* operation) noexcept {
  auto value = get_option(fd, level, name, operation);
  if (!value) return std::move(value).error();
  return *value != 0;
}

result<void> set_buffer_size(int fd, int name, std::size_t bytes, const char* operation) noexcept {
  constexpr std::size_t most = std::numeric_limits<int>::max();
  return set_option(fd, SOL_SOCKET, name, static_cast<int>(std::min(bytes, most)), operation);
}
result<std::size_t> buffer_size(int fd, int name, const char* operation) noexcept {
  auto value = get_option(fd, SOL_SOCKET, name, operation);
  if (!value) return std::move(value).error();
  return static_cast<std::size_t>(*value);
}

result<void> set_linger(int fd, std::optional<std::chrono::seconds> time) noexcept {
  ::linger l{};
  l.l_onoff = time ? 1 : 0;
  l.l_linger = time ? static_cast<decltype(l.l_linger)>(time->count()) : 0;
  if (::setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l) != 0)
    return error::system(errno, "set_linger");
  return {};
}
result<std::optional<std::chrono::seconds>> linger(int fd) noexcept {
  ::linger l{};
  ::socklen_t size = sizeof l;
  if (::getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &size) != 0)
    return error::system(errno, "linger");
  std::optional<std::chrono::seconds> time;
  if (l.l_onoff != 0) time = std::chrono::seconds(l.l_linger);
  return time;
}

result<void> set_keepalive(int fd, const net::keepalive_options& options) noexcept {
#ifdef TCP_KEEPIDLE
  constexpr int idle = TCP_KEEPIDLE;
#else
  constexpr int idle = TCP_KEEPALIVE;
#endif
  const struct {
    int name;
    std::chrono::seconds::rep value;
  } parts[] = {{idle, options.idle.count()},
               {TCP_KEEPINTVL, options.interval.count()},
               {TCP_KEEPCNT, options.count}};
  for (const auto& part : parts) {
    if (part.value == 0) continue;
    auto set =
        set_option(fd, IPPROTO_TCP, part.name, static_cast<int>(part.value), "set_keepalive");
    if (!set) return set;
  }
  return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "set_keepalive");
}

namespace {

struct option_place {
  int level;
  int name;
};

bool is_v6(int fd) noexcept { return local_address(fd).get()->sa_family == AF_INET6; }

option_place hops_of(int fd) noexcept {
  if (is_v6(fd)) return {IPPROTO_IPV6, IPV6_UNICAST_HOPS};
  return {IPPROTO_IP, IP_TTL};
}
option_place tos_of(int fd) noexcept {
  if (is_v6(fd)) return {IPPROTO_IPV6, IPV6_TCLASS};
  return {IPPROTO_IP, IP_TOS};
}

}  // namespace

result<void> set_tos(int fd, int tos) noexcept {
  const auto at = tos_of(fd);
  return set_option(fd, at.level, at.name, tos, "set_tos");
}
result<int> tos(int fd) noexcept {
  const auto at = tos_of(fd);
  return get_option(fd, at.level, at.name, "tos");
}

#ifdef SO_BINDTODEVICE
result<void> bind_device(int fd, std::string_view interface) {
  if (::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.data(),
                   static_cast<::socklen_t>(interface.size())) != 0)
    return error::system(errno, "bind_device", interface);
  return {};
}
result<std::string> device(int fd) {
  char name[IFNAMSIZ] = "";
  ::socklen_t size = sizeof name;
  if (::getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size) != 0)
    return error::system(errno, "device");
  return std::string(name);
}
#else
result<void> bind_device(int, std::string_view interface) {
  return error::system(EOPNOTSUPP, "bind_device", interface);
}
result<std::string> device(int) { return error::system(EOPNOTSUPP, "device"); }
#endif

result<void> set_hops(int fd, int hops) noexcept {
  const auto at = hops_of(fd);
  return set_option(fd, at.level, at.name, hops, "set_ttl");
}
result<int> hops(int fd) noexcept {
  const auto at = hops_of(fd);
  return get_option(fd, at.level, at.name, "ttl");
}

}}}  // namespace eddy::EDDY_ABI::detail
