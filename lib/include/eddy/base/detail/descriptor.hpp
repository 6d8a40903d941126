#pragma once

#include <utility>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Owns a descriptor that no loop watches; closes it.
class descriptor {
 public:
  descriptor() noexcept = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(other.release()) {}
  descriptor& operator=(descriptor&& other) noexcept {
    descriptor taken(std::move(other));  // what was held is closed at once
    std::swap(fd_, taken.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0) close();
  }
  /// -1: none.
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  void close() noexcept;
  int fd_ = -1;
};

}}}  // namespace eddy::EDDY_ABI::detail
