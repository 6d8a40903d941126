#include <eddy/net/unix_address.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <eddy/base/error.hpp>

#include "base/has_zero.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace net {

namespace {
constexpr std::size_t before_path = offsetof(sockaddr_un, sun_path);
static_assert(sizeof(sockaddr_un::sun_path) > unix_address::longest);
}  // namespace

result<unix_address> unix_address::make(kind k, std::string_view text) {
  if (text.size() > longest) return error::system(ENAMETOOLONG, "unix address", text);
  unix_address a;
  std::copy(text.begin(), text.end(), a.text_.begin());
  a.size_ = static_cast<std::uint8_t>(text.size());
  a.kind_ = k;
  return a;
}

result<unix_address> unix_address::path(std::string_view text) {
  if (text.empty() || eddy::detail::has_zero(text))
    return error::system(EINVAL, "unix address", text);
  return make(kind::path, text);
}

result<unix_address> unix_address::abstract(std::string_view name) {
#ifdef __linux__
  return make(kind::abstract, name);
#else
  return error::system(EOPNOTSUPP, "abstract unix address", name);
#endif
}

unix_address unix_address::from_native(const ::sockaddr* native, std::size_t size) noexcept {
  unix_address a;
  if (size <= before_path || native->sa_family != AF_UNIX) return a;
  const auto* const text = reinterpret_cast<const char*>(native) + before_path;
  std::size_t length = std::min(size - before_path, a.text_.size());
  if (text[0] == '\0') {
    a.kind_ = kind::abstract;
    --length;
    std::copy(text + 1, text + 1 + length, a.text_.begin());
  } else {
    a.kind_ = kind::path;
    length = ::strnlen(text, length);
    std::copy(text, text + length, a.text_.begin());
  }
  a.size_ = static_cast<std::uint8_t>(length);
  return a;
}

std::size_t unix_address::to_native(void* out) const noexcept {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  const std::size_t skip = kind_ == kind::abstract ? 1 : 0;
  std::copy_n(text_.begin(), size_, un.sun_path + skip);
  std::memcpy(out, &un, sizeof un);
  if (kind_ == kind::unnamed) return before_path;
  return before_path + size_ + 1;  // an abstract name's leading zero, a path's trailing one
}

std::optional<std::string_view> unix_address::as_path() const noexcept {
  if (kind_ != kind::path) return std::nullopt;
  return text();
}
std::optional<std::string_view> unix_address::as_abstract() const noexcept {
  if (kind_ != kind::abstract) return std::nullopt;
  return text();
}

std::string unix_address::to_string() const {
  switch (kind_) {
    case kind::path:
      return std::string(text());
    case kind::abstract:
      return '@' + std::string(text());
    case kind::unnamed:
      break;
  }
  return "unnamed";
}

}}}  // namespace eddy::EDDY_ABI::net
