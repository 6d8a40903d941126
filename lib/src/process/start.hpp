#pragma once
// Starting a program: everything is prepared as plain pointers, so that a forked child allocates nothing.

#include <sys/types.h>

#include <cstddef>
#include <optional>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct start_plan {
  const char* program;
  char* const* arguments;    // arg0 first, null last
  char* const* environment;  // null last
  const char* directory = nullptr;
  int streams[3] = {-1, -1, -1};  // descriptors from 3 on; -1: inherited
  std::optional<::pid_t> group;
  bool new_session = false;
  std::optional<::uid_t> uid;
  std::optional<::gid_t> gid;
  const ::gid_t* groups = nullptr;
  std::size_t group_count = 0;
  bool set_groups = false;
};

struct started {
  int code;  // 0 or an errno
  ::pid_t pid;
};

/// By posix_spawn where that can do it: it shares the memory until the program runs, and what its size is does not
/// matter. Another user, or a directory where posix_spawn knows none, takes a fork.
started start_program(const start_plan& plan) noexcept;
/// By fork and exec.
started start_by_fork(const start_plan& plan) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
