#pragma once

#include <atomic>
#include <cstdint>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Ids of tasks, over all runtimes; 0 is nobody's. Only counts.
extern constinit std::atomic<std::uint64_t> last_task_id;
inline std::uint64_t next_task_id() noexcept {
  return last_task_id.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// The same for one thread: taken in blocks, so that it counts in plain memory.
class task_ids {
 public:
  std::uint64_t next() noexcept {
    constexpr std::uint64_t block = 256;
    if (left_ == 0) {
      last_ = last_task_id.fetch_add(block, std::memory_order_relaxed);
      left_ = block;
    }
    --left_;
    return ++last_;
  }

 private:
  std::uint64_t last_ = 0;
  std::uint64_t left_ = 0;
};

}}}  // namespace eddy::EDDY_ABI::detail
