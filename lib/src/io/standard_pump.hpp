#pragma once
// Reading and writing of a standard stream that cannot be watched: by a thread of its own, which is there from the
// first such operation on.
//
// I1  It reads only what somebody has asked for: what a child inherits is not read away beforehand.
// I2  A job owns its bytes. A read whose leaf is dropped while it runs, or before its bytes were fetched, stays in
//     `unclaimed_`, and the next read takes it over: no byte is lost. Also what was more than the next reader wanted.
// I3  A job that has not begun is taken back when its leaf is dropped. A write that has begun is written to its end.
// I4  Pumps are never destroyed and their threads detached: a read that never ends holds up nothing.
// I5  In a child made by fork the thread is gone: the pump begins anew there.
//
// Threads: leaves on any, the thread itself; everything is under the lock, but the system call. Wakers are woken and
// dropped outside of it.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/io/buffer.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct pump_job {
  explicit pump_job(bool is_read) noexcept : reads(is_read) {}

  enum class step : std::uint8_t { queued, running, done } at = step::queued;
  const bool reads;
  std::vector<char> bytes;
  std::size_t begin = 0;  // of what has not been fetched
  std::size_t end = 0;    // of what was read, or written
  int code = 0;
  waker who;
};

class standard_pump {
 public:
  using job_ptr = std::shared_ptr<pump_job>;

  static standard_pump& of(int fd) noexcept;  // 0, 1 or 2

  /// `job` belongs to the leaf and is empty before its first poll.
  polled<result<std::size_t>> poll_read(context& cx, job_ptr& job, io::buffer to) noexcept;
  polled<result<std::size_t>> poll_write(context& cx, job_ptr& job, io::const_buffer from) noexcept;
  void drop(const job_ptr& job) noexcept;

 private:
  explicit standard_pump(int fd) noexcept : fd_(fd) {}
  int enqueue(const job_ptr& job) noexcept;
  static bool wait_for(pump_job& job, context& cx, waker& before) noexcept;
  void work() noexcept;
  void run(pump_job& job) const noexcept;

  const int fd_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<job_ptr> queue_;
  std::deque<job_ptr> unclaimed_;  // I2
  bool has_thread_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
