#pragma once

#include <uv.h>

#include <cstdint>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Wakes the loop at a point in time. One file for each way: a timerfd on Linux (a few microseconds late),
/// libuv's timer elsewhere (rounded up to milliseconds).
///
/// Cost: `set` is a system call only when the new time is earlier than the one that is set; a time that is
/// no longer wanted is left to pass.
class alarm {
 public:
  using callback = void (*)(void* argument) noexcept;

  alarm() noexcept = default;
  alarm(const alarm&) = delete;
  ~alarm();

  /// 0 or a libuv error. `fired` is called on the loop's thread.
  int init(uv_loop_t* loop, callback fired, void* argument) noexcept;
  /// Fires not before `deadline` (monotonic nanoseconds), or at an earlier time that was set before.
  void set(std::uint64_t deadline) noexcept;
  /// libuv has closed the handle: gives the descriptor back. Handles of the runtime may keep this for long.
  void closed() noexcept;
  uv_handle_t* handle() noexcept { return reinterpret_cast<uv_handle_t*>(&handle_); }

 private:
#if defined(__linux__)
  static void on_event(uv_poll_t* h, int, int) noexcept;
  uv_poll_t handle_;
  int fd_ = -1;
#else
  static void on_event(uv_timer_t* h) noexcept;
  uv_timer_t handle_;
#endif
  callback fired_ = nullptr;
  void* argument_ = nullptr;
  std::uint64_t set_ = UINT64_MAX;
};

/// Monotonic nanoseconds, read now.
std::uint64_t monotonic_now() noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
