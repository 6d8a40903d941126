#include "runtime/parker.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

constexpr std::uint32_t empty = 0;
constexpr std::uint32_t parked = 1;
constexpr std::uint32_t unparked = 2;

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
           const ::timespec* until) noexcept {
  static_assert(sizeof word == sizeof(std::uint32_t));
  return ::syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, until, nullptr,
                   FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

bool parker::park_for(std::chrono::nanoseconds most) noexcept {
  std::uint32_t seen = empty;
  if (word_.compare_exchange_strong(seen, parked, std::memory_order_acquire)) {
    ::timespec until;
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    const auto nanoseconds = until.tv_nsec + most.count();
    until.tv_sec += static_cast<::time_t>(nanoseconds / 1'000'000'000);
    until.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
    while (word_.load(std::memory_order_acquire) == parked) {
      if (futex(word_, FUTEX_WAIT_BITSET, parked, &until) == 0 || errno != ETIMEDOUT) continue;
      seen = parked;
      if (word_.compare_exchange_strong(seen, empty, std::memory_order_acquire)) return false;
    }
  }
  word_.store(empty, std::memory_order_relaxed);
  return true;
}

void parker::unpark() noexcept {
  if (word_.exchange(unparked, std::memory_order_release) == parked)
    futex(word_, FUTEX_WAKE, 1, nullptr);
}

}}}  // namespace eddy::EDDY_ABI::detail
