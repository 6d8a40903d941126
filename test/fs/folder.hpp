#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/testing/leak_check.hpp>

namespace test {

/// A folder for files, removed with what is in it.
class folder {
 public:
  folder() {
    const char* const at = std::getenv("TMPDIR");
    path_ = (at != nullptr ? std::string(at) : "/tmp") + "/eddy-fs-XXXXXX";
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  folder(const folder&) = delete;
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const noexcept { return path_; }
  std::string file(const std::string& name) const { return path_ + '/' + name; }
  /// A file with these bytes; its path.
  std::string with(const std::string& name, const std::string& bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
    return file(name);
  }

 private:
  std::string path_;
};

/// What is in a file, read without eddy.
inline std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// As leak_check, where blocking threads may still be about to let go of what they had.
class settled_leak_check {
 public:
  settled_leak_check()
      : frames_(eddy::detail::live_frames()), descriptors_(eddy::test::open_descriptors()) {}
  settled_leak_check(const settled_leak_check&) = delete;
  ~settled_leak_check() {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_clean() && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
  }

 private:
  bool is_clean() const {
    return eddy::detail::live_frames() == frames_ && eddy::test::open_descriptors() == descriptors_;
  }

  eddy::test::leak_check leaks_;  // looks when the rest has settled
  std::size_t frames_;
  int descriptors_;
};

}  // namespace test
