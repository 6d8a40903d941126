#pragma once

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include <eddy/base/error.hpp>

namespace test {

/// While it lives this process gets no new descriptor, or so many. The limit is on numbers, and others may be open
/// above the lowest free one: then it gets fewer.
class few_descriptors {
 public:
  explicit few_descriptors(::rlim_t most = 0) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const int lowest_free = ::dup(STDOUT_FILENO);
    REQUIRE(lowest_free >= 0);
    ::close(lowest_free);
    ::rlimit few = before_;
    few.rlim_cur = static_cast<::rlim_t>(lowest_free) + most;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  }
  few_descriptors(const few_descriptors&) = delete;
  ~few_descriptors() { CHECK(::setrlimit(RLIMIT_NOFILE, &before_) == 0); }

 private:
  ::rlimit before_{};
};

#if EDDY_EXCEPTIONS
/// Calls `build` with ever more descriptors, none at first and fewer than `most`, until it succeeds; how often it has
/// failed: each step of the building fails once.
template <class Build>
int failures_until_built(::rlim_t most, Build build) {
  // UBSan looks at an object of a type it has not met through a pipe, and there is none to be had below.
  try {
    eddy::error::system(EMFILE, "rehearsal").raise();
  } catch (const eddy::failure& e) {
    CHECK(e.code() == std::errc::too_many_files_open);
  }
  bool built = false;
  int failures = 0;
  for (::rlim_t more = 0; !built && more < most; ++more) {
    const few_descriptors limit(more);
    try {
      build();
      built = true;
    } catch (const eddy::failure& e) {
      CHECK(e.code() == std::errc::too_many_files_open);
      ++failures;
    }
  }
  CHECK(built);
  return failures;
}
#endif

}  // namespace test
