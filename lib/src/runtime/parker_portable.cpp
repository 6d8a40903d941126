#include "runtime/parker.hpp"

#include <utility>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

bool parker::park_for(std::chrono::nanoseconds most) noexcept {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, most, [this] { return unparked_; });
  return std::exchange(unparked_, false);
}

void parker::unpark() noexcept {
  {
    const std::lock_guard lock(mutex_);
    unparked_ = true;
  }
  woken_.notify_one();
}

}}}  // namespace eddy::EDDY_ABI::detail
