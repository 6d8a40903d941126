#pragma once

#include <cstddef>
#include <source_location>
#include <string>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace test {

/// Descriptors this process has open; 0 where the system does not say.
int open_descriptors();

/// Between its beginning and its end nothing has come to stay: as many descriptors are open then as before, and no more
/// coroutine frames alive, or it is a failed check. It waits some seconds for what blocking threads and children still hold.
/// Handles of libuv need no count: a runtime that is dropped with one open ends the program. Declare it before the
/// runtime.
class leak_check {
 public:
  explicit leak_check(std::source_location at = std::source_location::current())
      : leak_check(std::string(), at) {}
  /// The same; a failed check says `when`.
  explicit leak_check(std::string when, std::source_location at = std::source_location::current());
  leak_check(const leak_check&) = delete;
  leak_check& operator=(const leak_check&) = delete;
  ~leak_check();

 private:
  std::string when_;
  std::source_location at_;
  int descriptors_;
  std::size_t frames_;
};

}}}  // namespace eddy::EDDY_ABI::test
