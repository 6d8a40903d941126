#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <eddy/base/detail/memory.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/function.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/task.hpp>
#include <eddy/task/spawn.hpp>

#include "task/inbox.hpp"
#include "task/task_ids.hpp"
#include "task/task_slab.hpp"

// The scheduler of one loop: run queue, inbox, tasks. It knows no clock and no libuv; the runtime layer
// derives its loop from it.
//
// I1  One thread at a time is the owner: the one that drives the loop (this_thread().owner == id()). Run
//     queue, task states, `refs` and the slab of local tasks are the owner's, in plain memory. When nobody
//     drives, nobody is the owner, and everything goes by the inbox.
// I2  A task that is `scheduled` and not `running` is in the run queue, once. A task that has ended is in
//     no queue.
// I3  The scheduler's own reference keeps a task until it has ended; all other references are wakers and
//     the join handle.
// I4  Other threads reach a task by one compare-and-swap on its remote word. Who sets `queued` pushes it
//     on the inbox and touches it no more; `queued` keeps the scheduler alive until the pop, `in_flight_`
//     until the push has returned.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class pool_worker;

/// What this thread is to eddy.
struct thread_state {
  std::uint32_t owner = 0;       // id of the scheduler this thread drives; 0: none
  std::uint32_t pool = 0;        // id of the pool that one is a worker of; 0: none
  scheduler* driving = nullptr;  // the scheduler itself
  scheduler* current = nullptr;  // where spawn() and friends go: the driven one, or that of enter()
  task* running = nullptr;       // the task that is polled or destroyed here, or whose outcome is
};
// initial-exec: no call to find it, also in position-independent code, which the static library is too.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local thread_state this_thread_state;
inline thread_state& this_thread() noexcept { return this_thread_state; }

/// Makes `t` the task this thread is in.
class running_scope {
 public:
  explicit running_scope(task& t) noexcept : before_(std::exchange(this_thread().running, &t)) {}
  running_scope(const running_scope&) = delete;
  ~running_scope() { this_thread().running = before_; }

 private:
  task* const before_;
};

/// What a runtime's builder was given to be called for its tasks.
struct task_hooks {
  function<void(const task_meta&)> spawned;
  function<void(const task_meta&)> ended;
  function<void(const task_meta&)> before_poll;
  function<void(const task_meta&)> after_poll;
};

/// Something to be done by the owner; posted from any thread. `run` may free it. `closing`: the loop is
/// going away, and this is the last call.
struct remote_op {
  remote_op* next = nullptr;
  void (*run)(remote_op&, scheduler&, bool closing) noexcept = nullptr;
};

class scheduler {
 public:
  scheduler();
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;

  // ---- any thread
  std::uint32_t id() const noexcept { return id_; }
  /// Its part in a pool; null for the loop of a current_thread runtime.
  pool_worker* worker() const noexcept {
#if EDDY_POOL
    return worker_.get();
#else
    return nullptr;
#endif
  }
  /// Makes the loop look up from its sleep, if it sleeps (or waits for its host).
  void kick() noexcept {
    if (asleep_.exchange(false, std::memory_order_seq_cst)) send_wake_up();
  }
  bool is_driven_here() const noexcept { return this_thread().owner == id_; }
  void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }
  /// Hands `op` to the owner. False (and `op` is the caller's again) when the loop has ended.
  bool post(remote_op& op) noexcept;
  void push_inbox(task& t) noexcept;
  /// Makes the owner look again at what has changed elsewhere; nothing when it has ended.
  void nudge() noexcept;
  /// A block for a task, from the owner's slab or, on another thread, from the one behind a lock; null when
  /// out of memory or closed. Not null on another thread: the scheduler stays until `end_foreign_start`.
  void* allocate_task(std::size_t bytes) noexcept {
    if (!is_driven_here()) return allocate_foreign(bytes);
    return refusing_.load(std::memory_order_relaxed) ? nullptr : local_.allocate(bytes);
  }
  void release_unused_task(void* block) noexcept;
  /// Makes a new task run. The link of its join handle; null on the owner's thread, unless it is `portable`.
  join_link* start(task& t, const char* name, const void* site, bool portable) noexcept {
    if (!is_driven_here()) return start_foreign(t, name, site);
    join_link* const link = portable ? attach_link(t) : nullptr;
    task_slab::info(&t) = task_info{ids_.next(), name, site};
    t.refs = 2;  // ours and the join handle's
    t.set(task_state::joinable | task_state::scheduled);
    ++live_;
    if (hooks != nullptr) [[unlikely]]
      tell(&task_hooks::spawned, t);
    push(t);
    return link;
  }
  void end_foreign_start() noexcept { in_flight_.fetch_sub(1, std::memory_order_release); }
  bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  /// It takes no new tasks.
  bool is_refusing() const noexcept { return refusing_.load(std::memory_order_acquire); }

  // ---- owner
  void push(task& t) noexcept {
    t.frames.link = nullptr;
    if (tail_ != nullptr)
      tail_->frames.link = &t;
    else
      head_ = &t;
    tail_ = &t;
    ++queued_;
    has_become_ready();
  }
  /// Something is ready that is not in this queue: a look at libuv must not block.
  void has_become_ready() noexcept {
    if (announce_) became_ready();
  }
  bool has_ready() const noexcept { return head_ != nullptr; }
  std::size_t ready_count() const noexcept { return queued_; }
  void wake_local(task& t) noexcept {
    const auto s = t.state.load(std::memory_order_relaxed);
    if ((s & (task_state::scheduled | task_state::done)) != 0) return;
    t.state.store(s | task_state::scheduled, std::memory_order_relaxed);
    if ((s & task_state::running) == 0) push(t);
  }
  void unref(task& t) noexcept {
    if (--t.refs <= 0) unref_slow(t);
  }
  /// Frees a task that has ended and given its outcome away, when the caller's is the last reference.
  bool free_if_last(task& t) noexcept {
    constexpr auto ended = task_state::done | task_state::has_value | task_state::has_failure;
    // Asked for on a wrong thread, it counts as taken and is still there.
    if ((t.state.load(std::memory_order_relaxed) & ended) != task_state::done) return false;
    if (t.refs != 1 || t.remote.load(std::memory_order_acquire) != 0 ||
        task_slab::home(&t) != &local_)
      return false;
    t.~task();
    task_slab::release(&t);
    return true;
  }
  /// Puts the ready tasks into random order; `draw(n)` is a number below n. Linear, allocates: for tests.
  template <class Draw>
  void permute_ready(Draw draw) {
    std::vector<task*> all;
    for (task* t = head_; t != nullptr; t = static_cast<task*>(t->frames.link)) all.push_back(t);
    for (std::size_t n = all.size(); n > 1; --n) std::swap(all[n - 1], all[draw(n)]);
    head_ = tail_ = nullptr;
    for (task* t : all) {
      t->frames.link = nullptr;
      if (tail_ != nullptr)
        tail_->frames.link = t;
      else
        head_ = t;
      tail_ = t;
    }
  }
  /// Polls one task. The queue is not empty.
  void run_one() noexcept {
    task& t = *head_;
    head_ = static_cast<task*>(t.frames.link);
    --queued_;
    if (head_ == nullptr) {
      tail_ = nullptr;
    } else {
      // A long queue is not in the cache: what the next poll touches first, and the task behind it.
      __builtin_prefetch(head_->frames.next.address());
      __builtin_prefetch(head_->frames.link);
    }
    run(t);
  }
  /// Takes over what other threads have asked for.
  void drain_inbox() noexcept;
  /// True when other threads have asked for something.
  bool inbox_filled() const noexcept {
    return inbox_.is_filled() || posted_.load(std::memory_order_seq_cst) != nullptr;
  }
  void abort_local(task& t) noexcept;
  /// Polls a task of the pool's, which this thread has.
  void run_movable(task& t) noexcept;
  /// Nobody will take the outcome: a value is destroyed, a failure reported.
  void drop_outcome(task& t) noexcept;
  /// Tells the hook, or prints.
  void report(const task_failure& failure) noexcept;
  /// Calls one of the hooks. Any thread.
  void tell(function<void(const task_meta&)> task_hooks::* which, task& t) noexcept;
  std::size_t live_tasks() const noexcept { return live_; }
  /// Calls `f(task&)` for every task that has not been freed.
  template <class F>
  void for_each_task(F&& f) {
    local_.for_each([&](void* block) { f(*static_cast<task*>(block)); });
    const std::lock_guard lock(shared_mutex_);
    shared_.for_each([&](void* block) { f(*static_cast<task*>(block)); });
  }
  /// Takes no new tasks any more: those that others have started are in the inbox when it returns.
  void refuse_starts() noexcept;
  /// Ends every task as an abort does, now; but for one that somebody is polling.
  void cancel_all() noexcept;
  /// Destroys every task, answers every request and hands what foreign wakers still hold over to them.
  void shut_down_tasks() noexcept;

  coop_budget budget;
  std::uint64_t polls = 0;  // task polls so far
  function<void(const task_failure&)> on_failure;
  task_hooks* hooks = nullptr;   // null: none; a branch a poll
  bool stop_on_failure = false;  // of a task that nobody awaits
  bool has_failed = false;       // such a one; then the loop ends its tasks

 protected:
  ~scheduler();

  virtual void send_wake_up() noexcept = 0;  // any thread
  virtual void became_ready() noexcept = 0;  // owner; only while `announce_` is set
  virtual void destroy() noexcept = 0;       // last reference

  // Set before the loop sleeps (then the inbox is looked at again), cleared by whoever wakes it: the one
  // that finds it set sends the one system call. Partner: kick().
  std::atomic<bool> asleep_{false};
  bool announce_ = false;  // the queue is empty and the loop must be told when it no longer is
#if EDDY_POOL
  std::unique_ptr<pool_worker> worker_;  // set before any thread drives
#endif

 private:
  friend struct task_transitions;
  void run(task& t) noexcept;
  std::uint32_t end_root(task& t) noexcept;
  void cancel_movable(task& t) noexcept;
  void finish_movable(task& t, std::uint32_t how) noexcept;
  void cancel(task& t) noexcept;
  void finish(task& t, std::uint32_t how) noexcept;
  void unref_slow(task& t) noexcept;
  void free_task(task& t) noexcept;
  void take_remote(task& t) noexcept;
  std::vector<task*> all_tasks();
  void run_posted(bool closing) noexcept;
  void report(task& t, error e) noexcept;
  function<void(const task_failure&)>& failure_hook() noexcept;
  void* allocate_foreign(std::size_t bytes) noexcept;
  join_link* start_foreign(task& t, const char* name, const void* site) noexcept;
  static join_link* attach_link(task& t) noexcept;

  task_ids ids_;
  task* head_ = nullptr;
  task* tail_ = nullptr;
  std::size_t queued_ = 0;
  std::size_t live_ = 0;  // tasks that have not ended
  const std::uint32_t id_;

  basic_inbox<shared_memory, task> inbox_;
  std::atomic<remote_op*> posted_{nullptr};  // changed under post_mutex_, read without
  std::atomic<int> in_flight_{0};            // threads inside push_inbox or a foreign start (I4)
  std::atomic<bool> closed_{false};          // set under post_mutex_
  std::atomic<bool> refusing_{false};        // set before `closed_`; partner: allocate_foreign
  std::atomic<std::uint32_t> refs_{1};       // partners: retain, release
  std::mutex post_mutex_;
  task_slab local_;
  std::mutex shared_mutex_;
  task_slab shared_;  // for tasks made on other threads; under shared_mutex_
};

/// What this thread is while it drives `s`.
thread_state driving(scheduler& s) noexcept;

void print_failure(const task_failure& f) noexcept;

// What is special about a blocking_task: blocking_task.cpp.
void abort_blocking_task(task& t) noexcept;
void free_blocking_task(task& t) noexcept;
void report_blocking_task(task& t, error why) noexcept;

/// What task.hpp's and waker.hpp's inline parts ask of a task: task.cpp.
struct task_transitions {
  static scheduler& of(task& t) noexcept {
    return *static_cast<scheduler*>(task_slab::runtime(&t));
  }
  static void retain(task& t) noexcept;
  static void release(task& t) noexcept;
  static void wake(task& t) noexcept;
  static void wake_and_release(task& t) noexcept;
  static void abort(task& t) noexcept;
  /// One compare-and-swap: asks for `bits`, gives `minus` references back.
  static void foreign(task& t, std::int32_t bits, std::int32_t minus) noexcept;
  /// Takes out a failure that nobody awaited and prints it.
  static void print_unhandled(task& t) noexcept;
  /// What nobody took goes, and there is no runtime any more to hear of a failure.
  static void drop_orphan_outcome(task& t) noexcept;
  /// The task's last part: what nobody took goes, then the block.
  static void destroy_block(task& t) noexcept;
};

/// The same for a task of a pool: pool_task.cpp. Not there without the pool; nothing is movable then.
struct pool_task {
#if !EDDY_POOL
  static void retain(task&) noexcept {}
  static void release(task&) noexcept {}
  static void wake(task&, std::int32_t) noexcept {}
  static void abort(task&) noexcept {}
  static std::uint32_t poll_join(task&, context&) noexcept { return 0; }
  static void drop_join(task&, bool) noexcept {}
#else
  static void retain(task& t) noexcept;
  static void release(task& t) noexcept;
  /// Gives `refs` references back, too.
  static void wake(task& t, std::int32_t refs) noexcept;
  static void abort(task& t) noexcept;
  static std::uint32_t poll_join(task& t, context& cx) noexcept;
  static void drop_join(task& t, bool taken) noexcept;

 private:
  static void drop_late_outcome(task& t) noexcept;
#endif
};

}}}  // namespace eddy::EDDY_ABI::detail
