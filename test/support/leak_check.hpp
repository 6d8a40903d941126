#pragma once

#include <dirent.h>
#include <doctest/doctest.h>

#include <cstddef>

#include <eddy/base/frame_pool.hpp>
#include <eddy/runtime/runtime.hpp>

namespace test {

inline int open_descriptors() {
  int n = 0;
  DIR* d = ::opendir("/proc/self/fd");
  if (d == nullptr) return 0;
  while (::readdir(d) != nullptr) ++n;
  ::closedir(d);
  return n - 3;  // ".", ".." and the directory itself
}

/// libuv opens a pipe for signals with the process's first loop and keeps it.
inline const bool first_loop_made = (eddy::runtime(), true);

/// At its end as many coroutine frames and descriptors are alive as at its beginning. Handles need no count: a
/// runtime that is dropped with a handle of its loop open ends the program.
class leak_check {
 public:
  leak_check() noexcept = default;
  leak_check(const leak_check&) = delete;
  ~leak_check() {
    CHECK(eddy::detail::live_frames() == frames_);
    CHECK(open_descriptors() == descriptors_);
  }

 private:
  std::size_t frames_ = eddy::detail::live_frames();
  int descriptors_ = open_descriptors();
};

}  // namespace test
