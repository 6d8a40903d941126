#include "runtime/relay.hpp"

#include <utility>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

bool relay::enter(waiter& me) noexcept {
  if (!driven_) return driven_ = true;
  waiting_.push_back(me);
  wanted_.store(true, std::memory_order_seq_cst);
  return false;
}

void relay::await(waiter& me, std::unique_lock<std::mutex>& lock) noexcept {
  changed_.wait(lock, [&me] { return me.has_it; });
}

// True: somebody has it now.
bool relay::give_locked() noexcept {
  if (waiter* const next = waiting_.pop_front()) {
    next->has_it = true;
    wanted_.store(!waiting_.empty(), std::memory_order_seq_cst);
  } else {
    driven_ = false;
  }
  changed_.notify_all();
  return driven_;
}

void relay::give() noexcept {
  const std::lock_guard lock(mutex_);
  give_locked();
}

bool relay::answer() noexcept {
  const std::lock_guard lock(mutex_);
  called_ = false;
  return !std::exchange(driven_, true);
}

void relay::call_failed() noexcept {
  const std::lock_guard lock(mutex_);
  called_ = false;
}

bool relay::leave(absent& me) noexcept {
  const std::lock_guard lock(mutex_);
  absent_.push_back(me);
  return !give_locked() && !std::exchange(called_, true);
}

bool relay::is_absent_here() noexcept {
  const std::lock_guard lock(mutex_);
  for (const absent* each = absent_.front(); each != nullptr; each = absent_.after(*each))
    if (pthread_equal(each->thread, pthread_self()) != 0) return true;
  return false;
}

relay::missing relay::count_absent() noexcept {
  const std::lock_guard lock(mutex_);
  missing n;
  for (const absent* each = absent_.front(); each != nullptr; each = absent_.after(*each)) {
    ++n.all;
    n.movable += each->movable ? 1 : 0;
  }
  return n;
}

void relay::take_last() noexcept {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !driven_ && waiting_.empty() && absent_.empty(); });
  driven_ = true;
}

}}}  // namespace eddy::EDDY_ABI::detail
