#pragma once
// Several datagrams by one system call where there is such a call (batch_linux.cpp), one by one elsewhere
// (batch_portable.cpp).

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// One datagram, in the system's form.
struct message {
  static constexpr std::size_t most = 32;  // in one call

  ::iovec data;
  ::sockaddr_storage address;
  ::socklen_t address_size;  // 0: there is none
  std::size_t moved;         // by the call
  bool truncated;
};

/// How many there were at once, 1 at least; or -1 (errno).
int receive_messages(int fd, std::span<message> messages) noexcept;
int send_messages(int fd, std::span<message> messages) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
