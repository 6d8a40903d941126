#pragma once
// The system calls on sockets that differ between systems, and those that make one: each descriptor comes
// non-blocking and closed on exec, from the first moment where the system can do that.

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/net/address.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {
struct keepalive_options;
}}}  // namespace eddy::EDDY_ABI::net

namespace eddy { inline namespace EDDY_ABI { namespace detail {

#ifdef MSG_NOSIGNAL
inline constexpr int no_signal = MSG_NOSIGNAL;
#else
inline constexpr int no_signal = 0;  // there SO_NOSIGPIPE is set when the socket is made
#endif

/// An address in the system's form.
struct native_address {
  native_address() noexcept = default;
  template <class Address>
  explicit native_address(const Address& a) noexcept
      : size(static_cast<::socklen_t>(a.to_native(&storage))) {}
  ::sockaddr* get() noexcept { return reinterpret_cast<::sockaddr*>(&storage); }
  template <class Address>
  Address as() noexcept {
    return Address::from_native(get(), size);
  }

  ::sockaddr_storage storage;
  ::socklen_t size = sizeof storage;  // 0: the system has none
};

inline int family_of(const net::socket_address& a) noexcept {
  return a.is_v6() ? AF_INET6 : AF_INET;
}

/// A socket, or -1 (errno).
int open_socket(int family, int type) noexcept;
/// Two Unix sockets connected to each other; false: errno.
bool open_pair(int type, int (&fds)[2]) noexcept;
/// accept(2): a descriptor, or -1 (errno). `peer` gets the other end's address.
int accept_socket(int fd, native_address& peer) noexcept;
/// connect(2): 0, or an errno; EINPROGRESS when it goes on by itself.
int connect_socket(int fd, native_address to) noexcept;
/// bind(2): 0, or an errno.
int bind_socket(int fd, native_address at) noexcept;

native_address local_address(int fd) noexcept;
native_address peer_address(int fd) noexcept;

result<void> set_option(int fd, int level, int name, int value, const char* operation) noexcept;
result<int> get_option(int fd, int level, int name, const char* operation) noexcept;
result<bool> get_flag(int fd, int level, int name, const char* operation) noexcept;
/// What went wrong with the socket since this was last asked (SO_ERROR).
error take_error(int fd) noexcept;
/// SO_SNDBUF or SO_RCVBUF.
result<void> set_buffer_size(int fd, int name, std::size_t bytes, const char* operation) noexcept;
result<std::size_t> buffer_size(int fd, int name, const char* operation) noexcept;
/// SO_LINGER.
result<void> set_linger(int fd, std::optional<std::chrono::seconds> time) noexcept;
result<std::optional<std::chrono::seconds>> linger(int fd) noexcept;
/// Turns SO_KEEPALIVE on, with these times.
result<void> set_keepalive(int fd, const net::keepalive_options& options) noexcept;
/// The type of service of what an IP socket sends, or traffic class.
result<void> set_tos(int fd, int tos) noexcept;
result<int> tos(int fd) noexcept;
/// Ties a socket to a network interface, "" to none. Linux.
result<void> bind_device(int fd, std::string_view interface);
result<std::string> device(int fd);
/// Hops that what an IP socket sends may take.
result<void> set_hops(int fd, int hops) noexcept;
result<int> hops(int fd) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
