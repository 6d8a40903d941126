#include <eddy/net/unix_stream.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/time/sleep.hpp>

#include "net/socket.hpp"
#include "net/stream_listener.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace net {

using eddy::detail::native_address;
using eddy::detail::registration;

namespace {

using namespace std::chrono_literals;

// 0 and a stream, or what failed.
result<unix_stream> try_connect(const unix_address& to, int& code) {
  const int fd = eddy::detail::open_socket(AF_UNIX, SOCK_STREAM);
  code = fd < 0 ? errno : eddy::detail::connect_socket(fd, native_address(to));
  if (code == 0) return unix_stream::adopt(fd);
  if (fd >= 0) ::close(fd);
  return error::system(code, "connect", to.to_string());
}

future<result<unix_stream>> connect_patiently(unix_address to) {
  for (auto pause = 1ms;; pause = std::min(pause * 2, 100ms)) {
    int code = 0;
    auto made = try_connect(to, code);
    if (code != EAGAIN) co_return made;
    co_await sleep(pause);
  }
}

future<result<unix_stream>> connect_to_path(std::string path) {
  auto to = unix_address::path(path);
  if (!to)
    return [](error e) -> future<result<unix_stream>> { co_return e; }(std::move(to).error());
  return connect_patiently(*to);
}

}  // namespace

operation<unix_stream> unix_stream::connect(std::string path) {
  return operation<unix_stream>(connect_to_path(std::move(path)));
}
operation<unix_stream> unix_stream::connect(const unix_address& to) {
  return operation<unix_stream>(connect_patiently(to));
}

result<unix_stream_pair> unix_stream::pair() {
  int fds[2];
  if (!eddy::detail::open_pair(SOCK_STREAM, fds)) return error::system(errno, "pair");
  auto first = adopt(fds[0]);
  auto second = adopt(fds[1]);
  if (!first) return std::move(first).error();
  if (!second) return std::move(second).error();
  return unix_stream_pair{std::move(*first), std::move(*second)};
}

result<unix_stream> unix_stream::adopt(int fd) noexcept {
  auto made = registration::adopt(fd, "adopt");
  if (!made) return std::move(made).error();
  return unix_stream(std::move(*made));
}

unix_address unix_stream::local_addr() const noexcept {
  return eddy::detail::local_address(io_.fd()).as<unix_address>();
}
unix_address unix_stream::peer_addr() const noexcept {
  return eddy::detail::peer_address(io_.fd()).as<unix_address>();
}

result<peer_credentials> unix_stream::peer_cred() const noexcept {
#ifdef SO_PEERCRED
  ::ucred who{};
  ::socklen_t size = sizeof who;
  if (::getsockopt(io_.fd(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return error::system(errno, "peer_cred");
  return peer_credentials(who.uid, who.gid, who.pid);
#else
  ::uid_t user = 0;
  ::gid_t group = 0;
  if (::getpeereid(io_.fd(), &user, &group) != 0) return error::system(errno, "peer_cred");
  return peer_credentials(user, group, std::nullopt);
#endif
}

stream_halves<unix_stream> unix_stream::into_split() && {
  return split_detail::splitting<unix_stream>::split(std::move(*this));
}

// ---- listener

result<unix_listener> unix_listener::bind(const unix_address& at, int backlog) {
  const auto failed = [&at](int code) { return error::system(code, "bind", at.to_string()); };
  const int fd = eddy::detail::open_socket(AF_UNIX, SOCK_STREAM);
  if (fd < 0) return failed(errno);
  int code = eddy::detail::bind_socket(fd, native_address(at));
  if (code == 0 && ::listen(fd, backlog) != 0) code = errno;
  if (code != 0) {
    ::close(fd);
    return failed(code);
  }
  return adopt(fd);
}

result<unix_listener> unix_listener::bind(std::string_view path, int backlog) {
  auto at = unix_address::path(path);
  if (!at) return std::move(at).error();
  return bind(*at, backlog);
}

result<unix_listener> unix_listener::adopt(int fd) noexcept {
  auto made = registration::adopt(fd, "listen");
  if (!made) return std::move(made).error();
  return unix_listener(std::move(*made));
}

unix_address unix_listener::local_addr() const noexcept {
  return eddy::detail::local_address(io_.fd()).as<unix_address>();
}

template class stream_listener<unix_stream>;
template class stream_accept<unix_stream>;

}}}  // namespace eddy::EDDY_ABI::net
