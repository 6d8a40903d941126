#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace test {

/// A folder for sockets, removed with what is in it.
class unix_folder {
 public:
  unix_folder() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  unix_folder(const unix_folder&) = delete;
  ~unix_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_ = "/tmp/eddy-XXXXXX";
};

}  // namespace test
