#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>

struct sockaddr;

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// Where a Unix socket is: a path, an abstract name (Linux), or nowhere, as the client's end usually is.
/// A value of 112 bytes.
class unix_address {
 public:
  /// The longest path and the longest abstract name, in bytes; what Linux and the BSDs both have.
  static constexpr std::size_t longest = 103;

  /// Nowhere: unnamed.
  constexpr unix_address() noexcept = default;
  /// A place in the file system. Errors: an empty path, one that is too long or has a zero byte in it.
  static result<unix_address> path(std::string_view text);
  /// A name that is no file and goes with its last socket. Errors: too long; elsewhere than on Linux
  /// "operation not supported".
  static result<unix_address> abstract(std::string_view name);
  /// Unnamed when the system's address is of another family.
  static unix_address from_native(const ::sockaddr* native, std::size_t size) noexcept;
  /// Writes the system's form (a sockaddr_un) to `out`, which has 128 bytes and is aligned to 8; its size.
  std::size_t to_native(void* out) const noexcept;

  /// True for that of a socket that is not bound.
  bool is_unnamed() const noexcept { return kind_ == kind::unnamed; }
  /// The path, if it is one. Borrowed.
  std::optional<std::string_view> as_path() const noexcept;
  /// The abstract name, if it is one. Borrowed.
  std::optional<std::string_view> as_abstract() const noexcept;
  /// "/run/x.sock", "@name", or "unnamed".
  std::string to_string() const;

  friend bool operator==(const unix_address&, const unix_address&) noexcept = default;

 private:
  enum class kind : std::uint8_t { unnamed, path, abstract };
  static result<unix_address> make(kind k, std::string_view text);
  std::string_view text() const noexcept { return {text_.data(), size_}; }

  std::array<char, 108> text_{};
  std::uint8_t size_ = 0;
  kind kind_ = kind::unnamed;
};

}}}  // namespace eddy::EDDY_ABI::net
