#pragma once
// A child by its descriptor instead of its number, where the system has that: the number may be another's once
// somebody has collected the child, the descriptor is the child's for good, and it is readable from its end on.

#include <sys/types.h>

#include <cstdint>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A descriptor for a child that nobody has collected; -1: the system has none.
int open_pidfd(::pid_t pid) noexcept;

struct collected {
  enum class state : std::uint8_t {
    runs,
    ended,
    lost
  } what;          // lost: somebody else has collected it
  int status = 0;  // as waitpid says it
};
/// Collects a child if it has ended. `pidfd` may be -1.
collected collect_child(::pid_t pid, int pidfd) noexcept;

/// 0 or an errno.
int send_to_child(::pid_t pid, int pidfd, int number) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
