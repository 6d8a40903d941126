#include <eddy/sync/semaphore.hpp>

#include <eddy/base/detail/misuse.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

std::uint32_t permit_count(std::size_t n) {
  if (n > permits::most) misuse("more permits than semaphore::max_permits");
  return static_cast<std::uint32_t>(n);
}

error acquired_before() noexcept {
  return error(errc::misuse, "an acquire was polled after it had ended");
}

error no_permits(permit_answer why) noexcept {
  if (why == permit_answer::closed) return error(errc::closed, "semaphore");
  return would_block("try_acquire");
}

}}}  // namespace eddy::EDDY_ABI::detail
