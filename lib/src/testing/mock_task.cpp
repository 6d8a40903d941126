#include <eddy/testing/mock_task.hpp>

#include <chrono>
#include <thread>

namespace eddy { inline namespace EDDY_ABI { namespace test {

void mock_task::wait_for_wakers() noexcept {
  using clock = std::chrono::steady_clock;
  for (const auto end = clock::now() + std::chrono::seconds(1); references() != 0;) {
    if (clock::now() > end) return fail("a waker outlived its mock task");
    std::this_thread::yield();
  }
}

}}}  // namespace eddy::EDDY_ABI::test
