#include <eddy/net/stream_socket.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "net/socket.hpp"

namespace eddy::inline EDDY_ABI::net {

result<void> stream_socket::shutdown(shutdown_side side) noexcept {
  const int how = side == shutdown_side::read    ? SHUT_RD
                  : side == shutdown_side::write ? SHUT_WR
                                                 : SHUT_RDWR;
  if (::shutdown(io_.fd(), how) != 0) return error::system(errno, "shutdown");
  return {};
}

error stream_socket::take_error() noexcept {
  auto code = eddy::detail::get_option(io_.fd(), SOL_SOCKET, SO_ERROR, "take_error");
  if (!code) return std::move(code).error();
  return error::system(*code, "socket");
}

result<int> stream_socket::into_descriptor() && noexcept {
  return eddy::detail::give_away(std::exchange(io_, {}));
}

}  // namespace eddy::inline EDDY_ABI::net
