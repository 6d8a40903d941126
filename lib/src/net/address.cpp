#include <eddy/net/address.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <eddy/base/error.hpp>

#include "base/has_zero.hpp"
#include "net/host_port.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

result<host_port> split_host_port(std::string_view text, const char* operation) {
  const auto wrong = [&] { return error::system(EINVAL, operation, text); };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  host_port parts;
  parts.host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  const char* const end = digits.data() + digits.size();
  const auto r = std::from_chars(digits.data(), end, parts.port);
  if (digits.empty() || r.ec != std::errc() || r.ptr != end) return wrong();
  if (parts.host.size() > 2 && parts.host.front() == '[' && parts.host.back() == ']')
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  else if (parts.host.empty() || parts.host.find_first_of(":[]") != std::string_view::npos)
    return wrong();  // an IPv6 address without brackets: where would the port begin?
  return parts;
}

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace net {

namespace {

constexpr std::size_t longest_ip = 64;  // with an interface's name

error no_address(std::string_view text) noexcept {
  return error::system(EINVAL, "parse address", text);
}

// The interface behind '%': its index, or its name. 0: there is none such.
std::uint32_t read_scope(const char* text) noexcept {
  std::uint32_t index = 0;
  const char* const end = text + std::strlen(text);
  if (const auto r = std::from_chars(text, end, index); r.ec == std::errc() && r.ptr == end)
    return index;
  return if_nametoindex(text);
}

}  // namespace

result<socket_address> socket_address::parse(std::string_view text) {
  const auto parts = detail::split_host_port(text, "parse address");
  if (!parts) return parts.error();
  auto made = parse(parts->host, parts->port);
  const bool brackets = text.front() == '[';
  if (!made || made->is_v6() != brackets) return no_address(text);
  return made;
}

result<socket_address> socket_address::parse(std::string_view ip, std::uint16_t port) {
  char text[longest_ip];
  if (ip.size() >= sizeof text || eddy::detail::has_zero(ip)) return no_address(ip);
  std::copy(ip.begin(), ip.end(), text);
  text[ip.size()] = '\0';
  socket_address a;
  a.port_ = port;
  if (inet_pton(AF_INET, text, a.ip_.data()) == 1) {
    a.family_ = family::v4;
    return a;
  }
  if (char* const percent = std::strchr(text, '%'); percent != nullptr) {
    *percent = '\0';
    a.scope_ = read_scope(percent + 1);
    if (a.scope_ == 0) return no_address(ip);
  }
  if (inet_pton(AF_INET6, text, a.ip_.data()) != 1) return no_address(ip);
  a.family_ = family::v6;
  return a;
}

socket_address socket_address::from_native(const ::sockaddr* native, std::size_t size) noexcept {
  socket_address a;
  sa_family_t kind{};
  if (native == nullptr || size < offsetof(::sockaddr, sa_data)) return a;
  std::memcpy(&kind, reinterpret_cast<const char*>(native) + offsetof(::sockaddr, sa_family),
              sizeof kind);
  if (kind == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in in;
    std::memcpy(&in, native, sizeof in);
    std::memcpy(a.ip_.data(), &in.sin_addr, 4);
    a.port_ = ntohs(in.sin_port);
    a.family_ = family::v4;
  } else if (kind == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in;
    std::memcpy(&in, native, sizeof in);
    std::memcpy(a.ip_.data(), &in.sin6_addr, 16);
    a.port_ = ntohs(in.sin6_port);
    a.scope_ = in.sin6_scope_id;
    a.flow_ = in.sin6_flowinfo;
    a.family_ = family::v6;
  }
  return a;
}

std::size_t socket_address::to_native(void* out) const noexcept {
  switch (family_) {
    case family::none:
      break;
    case family::v4: {
      sockaddr_in in{};
      in.sin_family = AF_INET;
      in.sin_port = htons(port_);
      std::memcpy(&in.sin_addr, ip_.data(), 4);
      std::memcpy(out, &in, sizeof in);
      return sizeof in;
    }
    case family::v6: {
      sockaddr_in6 in{};
      in.sin6_family = AF_INET6;
      in.sin6_port = htons(port_);
      in.sin6_scope_id = scope_;
      in.sin6_flowinfo = flow_;
      std::memcpy(&in.sin6_addr, ip_.data(), 16);
      std::memcpy(out, &in, sizeof in);
      return sizeof in;
    }
  }
  return 0;
}

bool socket_address::is_loopback() const noexcept {
  if (is_v4()) return ip_[0] == 127;
  return is_v6() && ip_ == loopback_v6(0).ip_;
}

bool socket_address::is_unspecified() const noexcept {
  return std::all_of(ip_.begin(), ip_.end(), [](std::uint8_t b) { return b == 0; });
}

std::string socket_address::ip_string() const {
  char text[INET6_ADDRSTRLEN];
  if (family_ == family::none) return {};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, ip_.data(), text, sizeof text);
  std::string made = text;
  if (scope_ != 0) made += '%' + std::to_string(scope_);
  return made;
}

std::string socket_address::to_string() const {
  if (family_ == family::none) return "unknown address";
  const auto port = ':' + std::to_string(port_);
  return is_v4() ? ip_string() + port : '[' + ip_string() + ']' + port;
}

}}}  // namespace eddy::EDDY_ABI::net

std::size_t std::hash<eddy::net::socket_address>::operator()(
    const eddy::net::socket_address& a) const noexcept {
  // FNV-1a (Fowler, Noll, Vo) over what distinguishes addresses.
  std::uint64_t h = 0xcbf29ce484222325U;
  const auto add = [&h](std::uint64_t value) { h = (h ^ value) * 0x100000001b3U; };
  for (const auto b : a.ip()) add(b);
  add(a.port());
  add(a.scope());
  return static_cast<std::size_t>(h);
}
