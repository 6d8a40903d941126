#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/runtime/spawn_blocking.hpp>

// Threads for work that blocks: name resolution, files, the user's own. Not libuv's four: a job stuck there
// keeps exit() from returning.
//
// I1  Threads are detached and hold the pool by a shared_ptr, so nobody waits for a stuck one: not the end of
//     the runtime, not exit().
// I2  A job's block belongs to the pool from submit on and is freed by `finish`, run or not.
// I3  After close() no job is started; those in the queue are finished unrun.

namespace eddy::inline EDDY_ABI::detail {

class blocking_pool : public std::enable_shared_from_this<blocking_pool> {
 public:
  static constexpr std::size_t most_threads = 512;
  static constexpr auto keep_alive = std::chrono::seconds(10);

  static std::shared_ptr<blocking_pool> make();
  /// Takes the job. An error when no thread could be made and none is there: the job was finished unrun.
  error submit(blocking_job& job) noexcept;
  void close() noexcept;

 private:
  void work() noexcept;
  bool start_thread() noexcept;

  std::mutex mutex_;
  std::condition_variable filled_;
  blocking_job* first_ = nullptr;
  blocking_job* last_ = nullptr;
  std::size_t queued_ = 0;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  bool closed_ = false;
};

}  // namespace eddy::inline EDDY_ABI::detail
