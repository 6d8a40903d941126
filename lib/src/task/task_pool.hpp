#pragma once
// What the workers of a pool share, and each worker's part: queues of the tasks that may move, and who sleeps.
// A worker is a loop with a thread of its own (runtime/pool.hpp); its local tasks are the scheduler's.
//
// I1  A task that is queued is in one worker's ring, or in the injection queue, or on its way into one, once.
// I2  A worker's ring, its counters and its slab belong to the thread that drives its loop; others take at the
//     ring's head.
// I3  Before a poll begins, a local task's too, and before an interrupted one goes on, everything in the worker's
//     ring has been announced, and it does not count as searching: if somebody sleeps and nobody searches, one is
//     called. A single task made ready during a poll is not announced at once, for its worker comes to it next; it may
//     be taken all the same. When polls have been long lately (`eager`) it is announced.
// I4  Everything one look at the loop has made ready is taken before the loop is looked at again, or is stolen
//     (`look_mark`).
//
// Which is next: every `injection_interval`th comes from the injection queue. Otherwise the newest, if it was
// spawned or woken by the poll before (its data is in the cache, and forks end before more are begun), but only
// `longest_streak` times in a row; then the oldest.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <eddy/base/detail/memory.hpp>
#include <eddy/base/function.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/task.hpp>
#include <eddy/task/spawn.hpp>

#include "task/idle_workers.hpp"
#include "task/pool_slab.hpp"
#include "task/pool_word.hpp"
#include "task/steal_queue.hpp"
#include "task/task_ids.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class scheduler;
class task_pool;

/// One worker's part. Threads: the one that drives its loop, but for what is marked.
class pool_worker {
 public:
  pool_worker(std::shared_ptr<task_pool> p, scheduler& s, std::uint32_t n) noexcept;
  pool_worker(const pool_worker&) = delete;
  ~pool_worker();

  task_pool& pool() const noexcept { return *pool_; }

  void* allocate(std::size_t bytes) noexcept { return slab_->allocate(bytes); }
  pool_slab* slab() const noexcept { return slab_; }
  void start(task& t, const char* name, const void* site) noexcept;
  /// A task that this thread has made queued.
  void push_woken(task& t) noexcept;
  void push_yielded(task& t) noexcept;
  /// The next of its own or injected tasks; null: none.
  task* next() noexcept;
  /// It has something to do: if nobody else searches, the next may be called.
  void end_search() noexcept {
    if (searching_) [[unlikely]]
      leave_search();
  }
  /// It goes on with something that may take long, a poll or the rest of one: others search, and come to what is
  /// ready here.
  void stand_aside() noexcept {
    end_search();
    if (ready.size() != 0) announce();
  }
  /// A task of somebody else's; null: none, or enough others search.
  task* search() noexcept;
  /// Half of the ready tasks of `victim`: all but one go into this ring.
  task* steal_from(pool_worker& victim) noexcept;
  /// Everything the last look has made ready has been taken: I4.
  bool look_is_used_up() const noexcept {
    return static_cast<std::int32_t>(ready.head() - look_mark_) >= 0;
  }
  void has_looked() noexcept { look_mark_ = ready.tail(); }
  /// It has been called; or `on_park` has made a task ready.
  bool must_stay_awake() const noexcept {
    return called.load(std::memory_order_seq_cst) || ready.size() != 0;
  }
  /// `sleep()` blocks until the loop is kicked or has something to do of its own. Not called when there is work.
  template <class Sleep>
  void sleep_unless_needed(Sleep sleep);

  const std::uint32_t number;
  scheduler& loop;

  // What is going on in this worker's present poll of a movable task.
  task* polling = nullptr;
  bool woke_itself = false;
  bool eager = false;  // I3

  /// Called from sleep, or for another reason to look up; partner: the check before the loop blocks. Any thread.
  std::atomic<bool> called{false};
  /// Tasks started less tasks ended here. Written by the owner; read when all workers have stopped.
  std::int64_t live = 0;
  steal_queue<shared_memory, task, 256> ready;

 private:
  friend class task_pool;
  static constexpr std::uint32_t longest_streak = 32;

  void push(task& t, std::uint32_t newest) noexcept;
  void put_next(task& t, std::uint32_t newest) noexcept;
  void overflow(task& t) noexcept;
  void announce() noexcept;
  void leave_search() noexcept;

  const std::shared_ptr<task_pool> pool_;
  pool_slab* const slab_;
  std::uint32_t newest_ =
      0;  // so many at the ring's tail may be taken newest first (fewer, if stolen)
  std::uint32_t streak_ = 0;  // taken so in a row
  std::uint32_t turns_ = 0;   // since the injection queue was asked
  std::uint32_t look_mark_ = 0;
  task_ids ids_;
  std::uint64_t random_;
  bool has_woken_ = false;  // in this poll
  bool searching_ = false;

 public:
  void begin_poll(task& t) noexcept {
    polling = &t;
    woke_itself = has_woken_ = false;
  }
  /// What there is to know of a poll that is interrupted: somebody else polls until it goes on.
  struct interrupted {
    task* polling;
    bool woke_itself;
    bool has_woken;
  };
  interrupted interrupt_poll() noexcept;
  void go_on(const interrupted& poll) noexcept {
    polling = poll.polling;
    woke_itself = poll.woke_itself;
    has_woken_ = poll.has_woken;
  }
};

class task_pool {
 public:
  task_pool(std::uint32_t workers, std::uint32_t injection_interval);
  task_pool(const task_pool&) = delete;
  ~task_pool();

  /// What a movable task's `owner` says.
  std::uint32_t id() const noexcept { return id_; }

  // ---- any thread
  /// A block for a task that is started from outside; null when out of memory, or when the pool has ended. Not
  /// null: the pool stays until `start` or `release_unused`.
  void* allocate(std::size_t bytes) noexcept;
  void start(task& t, const char* name, const void* site) noexcept;
  void release_unused(void* block) noexcept;
  /// Puts a queued task where some worker will find it.
  void inject(task& t) noexcept { inject(&t, &t, 1); }
  bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  bool is_stopping() const noexcept { return stopping_.load(std::memory_order_seq_cst); }
  const std::vector<pool_worker*>& workers() const noexcept { return workers_; }

  // ---- life
  /// In the order of their numbers, before any thread runs.
  void add(pool_worker& w) { workers_.push_back(&w); }
  /// The workers' threads are to return.
  void stop() noexcept;
  /// Nobody else drives a worker's loop; this thread drives that of worker `w`. Destroys every task, but for so many
  /// that are being polled by threads which have left their loops.
  void shut_down_tasks(pool_worker& w, std::int64_t but_for = 0) noexcept;
  /// All loops have ended. What still holds a task holds its block only.
  void orphan_tasks() noexcept;

  function<void(const task_failure&)> on_failure;

 private:
  friend class pool_worker;

  void inject(task* first, task* last, std::size_t n) noexcept;
  /// A share of the injection queue: one is returned, up to `most - 1` go into the ring.
  task* take_injected(pool_worker& w, std::size_t most) noexcept;
  bool has_injected() const noexcept { return injected_.load(std::memory_order_seq_cst) != 0; }
  bool has_work() const noexcept;
  void call_one() noexcept;
  void claim_idle_tasks(std::vector<task*>& claimed);

  const std::uint32_t id_;
  const std::uint32_t injection_interval_;
  std::vector<pool_worker*> workers_;  // not changed once threads run
  idle_workers<shared_memory> idle_;
  std::atomic<bool> stopping_{false};  // partners: stop, sleep_unless_needed
  std::atomic<bool> closed_{false};    // partner: allocate
  std::atomic<int> in_flight_{0};      // threads between allocate and the end of start

  std::mutex injection_mutex_;
  task* first_ = nullptr;  // linked by frames.link; under injection_mutex_
  task* last_ = nullptr;
  std::atomic<std::size_t> injected_{0};  // written under injection_mutex_, read without

  std::mutex outside_mutex_;
  pool_slab* const outside_;  // for tasks started from outside; under outside_mutex_
  std::atomic<std::int64_t> started_outside_{0};  // no partner: read at the end
};

template <class Sleep>
void pool_worker::sleep_unless_needed(Sleep sleep) {
  auto& idle = pool_->idle_;
  called.store(false, std::memory_order_seq_cst);
  idle.lie_down(number, searching_);
  searching_ = false;
  if (!pool_->has_work() && !pool_->is_stopping()) sleep();
  searching_ = idle.get_up(number);
}

inline void pool_worker::announce() noexcept {
  if (pool_->idle_.wants_one()) [[unlikely]]
    pool_->call_one();
}

inline void pool_worker::push(task& t, std::uint32_t newest) noexcept {
  if (!ready.push(t)) [[unlikely]]
    return overflow(t);
  newest_ = newest;
}

}}}  // namespace eddy::EDDY_ABI::detail
