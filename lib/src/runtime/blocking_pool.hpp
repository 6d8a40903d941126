#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <eddy/base/detail/lock.hpp>
#include <eddy/base/detail/memory.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/function.hpp>
#include <eddy/config.hpp>
#include <eddy/task/spawn_blocking.hpp>

#include "runtime/parker.hpp"

// Threads for work that blocks: name resolution, files, the user's own. Not libuv's four: a job stuck there
// keeps exit() from returning.
//
// I1  Threads are detached and hold the pool by a shared_ptr, so nobody waits for a stuck one: not the end of
//     the runtime, not exit().
// I2  A job's block belongs to the pool from submit on and is freed by `finish`, run or not.
// I3  After close() no job is taken. Those in the queue are finished unrun, but the mandatory ones: the threads
//     run these before they end, and nobody waits for it.
// I4  A job goes to a sleeping thread while there is one, and that one alone is woken, with the job in its hand:
//     the queue is empty while a thread sleeps. The thread that slept last is woken first; its caches are warm,
//     and the others may end.
// I5  An `extra` job goes first, and raises the limit of threads by one while it is there: so it never waits for
//     other jobs, which may wait for it.
// I6  A worker's block is the pool's, and is used again by another thread but not freed: unpark may touch it when
//     the thread that slept on it is gone.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct blocking_options {
  std::size_t max_threads = 512;
  std::chrono::nanoseconds keep_alive = std::chrono::seconds(10);
  std::size_t stack_size = 0;  // 0: the system's
  std::string thread_name = "eddy-blocking";
  function<void()> on_thread_start;  // by any of them, also several at once
  function<void()> on_thread_stop;
};

class blocking_pool : public std::enable_shared_from_this<blocking_pool> {
 public:
  explicit blocking_pool(blocking_options options) : options_(std::move(options)) {}
  blocking_pool(const blocking_pool&) = delete;
  ~blocking_pool();
  /// Takes the job. An error when no thread could be made and none is there: the job was finished unrun.
  error submit(blocking_job& job) noexcept;
  void close() noexcept;
  /// After close(): waits until the last thread has ended, but not longer than that. False: some still run.
  bool wait(std::chrono::nanoseconds limit) noexcept;

 private:
  /// What a thread sleeps on.
  struct worker {
    worker* below = nullptr;  // the next in asleep_ or spare_
    parker place;
    blocking_job* job = nullptr;  // what it is woken for; null: to end
    void wake(blocking_job* with) noexcept;
  };

  void work() noexcept;
  void take_jobs() noexcept;
  void thread_ended() noexcept;
  void run_jobs(worker& self) noexcept;
  blocking_job* sleep(worker& self) noexcept;
  bool forget(worker& self) noexcept;
  void enqueue(blocking_job& job) noexcept;
  std::size_t limit() const noexcept { return options_.max_threads + extra_; }
  bool start_thread() noexcept;

  blocking_options options_;
  std::mutex ended_mutex_;
  std::condition_variable ended_;
  std::size_t alive_ = 0;  // threads that have not ended; under ended_mutex_
  // Short sections: whoever meets another one spins rather than sleeps.
  basic_lock<shared_memory> lock_;
  blocking_job* first_ = nullptr;
  blocking_job* last_ = nullptr;
  worker* asleep_ = nullptr;  // the one that went to sleep last
  worker* spare_ = nullptr;   // without a thread
  std::size_t threads_ = 0;
  std::size_t extra_ = 0;  // jobs of that kind which have not ended
  bool closed_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
