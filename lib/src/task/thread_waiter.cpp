#include <eddy/task/detail/thread_waiter.hpp>

#include <string>
#include <thread>

#include <eddy/base/detail/misuse.hpp>

#include "task/scheduler.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

thread_waiter::thread_waiter(const char* what) {
  if (this_thread().driving == nullptr) return;
  misuse(
      (std::string(what) + " would stop the loop that runs on this thread: await instead").c_str());
}

thread_waiter::~thread_waiter() {
  while (references_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
}

void thread_waiter::wake() noexcept {
  woken_.store(1, std::memory_order_release);
  woken_.notify_one();
}
void thread_waiter::retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
void thread_waiter::release() noexcept { references_.fetch_sub(1, std::memory_order_release); }

void thread_waiter::sleep() noexcept {
  woken_.wait(0, std::memory_order_acquire);
  static_cast<void>(woken_.exchange(0, std::memory_order_acquire));
}

}}}  // namespace eddy::EDDY_ABI::detail
