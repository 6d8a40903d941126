#pragma once

#include <unistd.h>

#include <utility>

#include <eddy/config.hpp>

namespace eddy::inline EDDY_ABI::detail {

/// A descriptor that is closed when this goes, unless it has been released.
class owned_fd {
 public:
  owned_fd() noexcept = default;
  explicit owned_fd(int fd) noexcept : fd_(fd) {}
  owned_fd(owned_fd&& other) noexcept : fd_(other.release()) {}
  owned_fd& operator=(owned_fd&& other) noexcept {
    owned_fd taken(std::move(other));
    std::swap(fd_, taken.fd_);
    return *this;
  }
  ~owned_fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

enum class pipe_kind : bool { blocking, non_blocking };
/// A pipe that no program started from here inherits: the end that is read, the end that is written; false: errno.
bool make_pipe(int (&ends)[2], pipe_kind kind) noexcept;

}  // namespace eddy::inline EDDY_ABI::detail
