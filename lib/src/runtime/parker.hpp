#pragma once

#include <chrono>

#ifdef __linux__
#include <atomic>
#include <cstdint>
#else
#include <condition_variable>
#include <mutex>
#endif

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Where one thread sleeps until another wakes it: parker_linux.cpp on the word itself, which takes one system
/// call a side and no lock (glibc's condition variables take three for the two); parker_portable.cpp elsewhere.
///
/// Threads: `park_for` by one, `unpark` by any. What was written before `unpark` is seen after `park_for`.
/// Lifetime: `unpark` may still touch it when the thread has gone on.
class parker {
 public:
  /// Sleeps until somebody has called `unpark`, since the last time it was true. False: the time was over.
  bool park_for(std::chrono::nanoseconds most) noexcept;
  void unpark() noexcept;

 private:
#ifdef __linux__
  // empty, a thread sleeps (or is about to), unparked. Partners: park_for and unpark.
  std::atomic<std::uint32_t> word_{0};
#else
  std::mutex mutex_;
  std::condition_variable woken_;
  bool unparked_ = false;
#endif
};

}}}  // namespace eddy::EDDY_ABI::detail
