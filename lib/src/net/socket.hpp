#pragma once
// The system calls on sockets that differ between systems, and those that make one: each descriptor comes
// non-blocking and closed on exec, from the first moment where the system can do that.

#include <sys/socket.h>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/net/address.hpp>
#include <eddy/runtime/readiness.hpp>

namespace eddy::inline EDDY_ABI::detail {

#ifdef MSG_NOSIGNAL
inline constexpr int no_signal = MSG_NOSIGNAL;
#else
inline constexpr int no_signal = 0;  // there SO_NOSIGPIPE is set when the socket is made
#endif

/// A TCP socket of the family of `address`, or -1 (errno).
int open_tcp(const net::socket_address& address) noexcept;
/// accept(2): a descriptor, or -1 (errno). `peer` gets the other end's address.
int accept_socket(int fd, net::socket_address& peer) noexcept;
/// connect(2): 0, or an errno; EINPROGRESS when it goes on by itself.
int connect_socket(int fd, const net::socket_address& to) noexcept;
/// bind(2): 0, or an errno.
int bind_socket(int fd, const net::socket_address& at) noexcept;

/// Another number for what `io` refers to, which is closed: so its registration ends in its own time.
result<int> give_away(io_handle io) noexcept;

net::socket_address local_address(int fd) noexcept;
net::socket_address peer_address(int fd) noexcept;

result<void> set_option(int fd, int level, int name, int value, const char* operation) noexcept;
result<int> get_option(int fd, int level, int name, const char* operation) noexcept;

}  // namespace eddy::inline EDDY_ABI::detail
