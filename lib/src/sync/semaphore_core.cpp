#include <eddy/sync/detail/semaphore_core.hpp>

#include <cerrno>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/sync/detail/lock_parts.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template class basic_permits<sync_memory>;

void too_many_permits() noexcept {
  fatal("more permits were given to a semaphore than it can hold (semaphore::max_permits)");
}

void polled_after_end() noexcept { fatal("the wait for a lock was polled after it had ended"); }

error would_block(const char* operation) noexcept { return error::system(EAGAIN, operation); }

std::uint32_t reader_count(std::size_t n) {
  if (n == 0) misuse("an rw_lock for 0 readers");
  if (n > permits::most) misuse("an rw_lock for more readers than rw_lock::most_readers");
  return static_cast<std::uint32_t>(n);
}

}}}  // namespace eddy::EDDY_ABI::detail
