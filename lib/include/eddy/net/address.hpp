#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>

struct sockaddr;

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// An IPv4 or IPv6 address and a port; a value of 28 bytes, ordered and hashable. Made by default it is
/// empty: neither v4 nor v6.
class socket_address {
 public:
  constexpr socket_address() noexcept = default;

  /// Of four bytes in network order.
  static constexpr socket_address v4(std::array<std::uint8_t, 4> ip, std::uint16_t port) noexcept {
    socket_address a;
    for (std::size_t i = 0; i < 4; ++i) a.ip_[i] = ip[i];
    a.port_ = port;
    a.family_ = family::v4;
    return a;
  }
  /// `scope` is the index of the interface a link-local address belongs to.
  static constexpr socket_address v6(std::array<std::uint8_t, 16> ip, std::uint16_t port,
                                     std::uint32_t scope = 0) noexcept {
    socket_address a;
    a.ip_ = ip;
    a.scope_ = scope;
    a.port_ = port;
    a.family_ = family::v6;
    return a;
  }
  /// 127.0.0.1: this machine only.
  static constexpr socket_address loopback_v4(std::uint16_t port) noexcept {
    return v4({127, 0, 0, 1}, port);
  }
  /// ::1: this machine only.
  static constexpr socket_address loopback_v6(std::uint16_t port) noexcept {
    return v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, port);
  }
  /// Every interface: for listening.
  static constexpr socket_address any_v4(std::uint16_t port) noexcept { return v4({}, port); }
  /// The same for IPv6.
  static constexpr socket_address any_v6(std::uint16_t port) noexcept { return v6({}, port); }

  /// Reads "127.0.0.1:8080", "[::1]:8080" or "[fe80::1%eth0]:8080".
  /// Errors: anything else, a host name for instance, is EINVAL and names the text.
  static result<socket_address> parse(std::string_view text);
  /// The same with address and port apart; the address without brackets.
  static result<socket_address> parse(std::string_view ip, std::uint16_t port);
  /// Empty when the system's address is of another family, or too short.
  static socket_address from_native(const ::sockaddr* native, std::size_t size) noexcept;
  /// Writes the system's form (a sockaddr_in or sockaddr_in6) to `out`, which has 28 bytes or more and is
  /// aligned to 4; the size of what was written, 0 for an empty address.
  std::size_t to_native(void* out) const noexcept;

  /// True for an IPv4 address.
  constexpr bool is_v4() const noexcept { return family_ == family::v4; }
  /// True for an IPv6 address.
  constexpr bool is_v6() const noexcept { return family_ == family::v6; }
  constexpr explicit operator bool() const noexcept { return family_ != family::none; }
  /// The port.
  constexpr std::uint16_t port() const noexcept { return port_; }
  /// Another port.
  constexpr void set_port(std::uint16_t port) noexcept { port_ = port; }
  /// The index of the interface a link-local address belongs to; 0: none.
  constexpr std::uint32_t scope() const noexcept { return scope_; }
  /// The address's bytes in network order; of a v4 address the first four.
  constexpr const std::array<std::uint8_t, 16>& ip() const noexcept { return ip_; }

  /// True for this machine's own: 127.0.0.0/8, ::1.
  bool is_loopback() const noexcept;
  /// True for 0.0.0.0 and ::, and when empty.
  bool is_unspecified() const noexcept;

  /// "127.0.0.1", "::1", "fe80::1%2"; "" when empty.
  std::string ip_string() const;
  /// What `parse` reads; "unknown address" when empty.
  std::string to_string() const;

  friend constexpr bool operator==(const socket_address&, const socket_address&) noexcept = default;
  friend constexpr auto operator<=>(const socket_address&,
                                    const socket_address&) noexcept = default;

 private:
  enum class family : std::uint8_t { none, v4, v6 };
  family family_ = family::none;
  std::uint16_t port_ = 0;
  std::array<std::uint8_t, 16> ip_{};
  std::uint32_t scope_ = 0;
  std::uint32_t flow_ = 0;
};
static_assert(sizeof(socket_address) == 28);

}}}  // namespace eddy::EDDY_ABI::net

template <>
struct std::hash<eddy::net::socket_address> {
  std::size_t operator()(const eddy::net::socket_address& a) const noexcept;
};
