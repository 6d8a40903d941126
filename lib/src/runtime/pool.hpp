#pragma once
// A runtime of several loops: each with a thread that drives it, and all with one task_pool.
//
// I1  The loops live as long as anybody holds a handle; their threads from `make` to `shut_down`.
// I2  The end: the threads return, this one destroys the movable tasks, then shuts down one loop after the other.
//     What a task destroyed there hands to another loop (a socket to close) that loop finds in its inbox.
// I3  A thread that is in a block_in_place returns when that is over. Until then its task cannot be destroyed; all
//     others have been, and none is started, since what it waits for may depend on them.

#include <pthread.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <eddy/base/function.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>

#include "runtime/blocking_pool.hpp"
#include "runtime/loop.hpp"
#include "task/task_pool.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class pool final : public task_pool {
 public:
  /// The first of its loops, which stands for the runtime.
  static result<loop*> make(loop_options options);
  static pool& of(scheduler& s) noexcept { return static_cast<pool&>(s.worker()->pool()); }

  explicit pool(loop_options&& options);

  /// Any thread but a worker's. Gives the loops back.
  void shut_down() noexcept;
  /// Any thread: the loop whose turn it is to take what may run anywhere but has to stay there, retained; null when
  /// the pool has ended.
  loop* take_next_loop() noexcept;
  /// The loop of a worker, likewise.
  loop* take_loop(std::size_t worker) noexcept;

 private:
  struct thread_start;
  error start_thread(loop& l) noexcept;
  void stop_threads() noexcept;
  void free_absent_threads() noexcept;
  void drop_loops() noexcept;
  void end() noexcept;
  static void run(thread_start start) noexcept;

  std::mutex loops_mutex_;  // for the end of the loops, and take_next_loop
  std::vector<loop*> loops_;
  std::vector<pthread_t> threads_;
  std::size_t turn_ = 0;
  std::string thread_name_;
  function<void()> on_thread_start_;
  function<void()> on_thread_stop_;
};

}}}  // namespace eddy::EDDY_ABI::detail
