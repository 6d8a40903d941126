#pragma once

#include <cstdint>
#include <utility>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace process {

/// What a standard stream of a child is.
class stdio {
 public:
  /// The same as this program's.
  static stdio inherit() noexcept { return stdio(how::inherit); }
  /// Nothing to read, and what is written is dropped: /dev/null.
  static stdio null() noexcept { return stdio(how::null); }
  /// A pipe; this program's end is in the child's `std_in`, `std_out` or `std_err`.
  static stdio piped() noexcept { return stdio(how::pipe); }
  /// A descriptor, which is taken over: the command closes it when it goes.
  static stdio from_descriptor(int fd) noexcept { return stdio(how::descriptor, fd); }

  stdio(stdio&& other) noexcept : how_(other.how_), fd_(std::exchange(other.fd_, -1)) {}
  stdio& operator=(stdio&& other) noexcept {
    std::swap(how_, other.how_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~stdio();

 private:
  friend class command;
  enum class how : std::uint8_t { unset, inherit, null, pipe, descriptor };
  explicit stdio(how h, int fd = -1) noexcept : how_(h), fd_(fd) {}

  how how_;
  int fd_;
};

}}}  // namespace eddy::EDDY_ABI::process
