#pragma once

#include <uv.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <eddy/base/detail/list.hpp>
#include <eddy/base/detail/lock.hpp>
#include <eddy/base/function.hpp>
#include <eddy/config.hpp>
#include <eddy/runtime/detail/loop_timer.hpp>

#include "runtime/alarm.hpp"
#include "runtime/blocking_pool.hpp"
#include "runtime/reactor.hpp"
#include "runtime/relay.hpp"
#include "runtime/wheel.hpp"
#include "task/join_link.hpp"
#include "task/scheduler.hpp"

// One loop: the scheduler of core, driven by libuv. Owned (block_on turns it) or borrowed (a host turns
// its own uv_loop_t and eddy rides along in four handles).
//
// I1  Looks at libuv happen at batch boundaries only: all that one look has made ready is polled before
//     the next (docs/design.md, "The loop").
// I2  Libuv does not block while tasks are ready: a uv_run of ours that might is told to stop, and between the
//     turns of a host the idle handle is active exactly while there are some.
// I3  `asleep_` is set before libuv may block and the inbox is looked at after that: whoever posts in
//     between finds it set and sends the wake-up (scheduler.hpp).
// I4  Everything here but what is marked "any thread" belongs to the owner.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class task_pool;

struct loop_options {
  std::uint32_t event_interval = 0;   // polls between looks; 0: by time
  std::optional<std::uint64_t> seed;  // of the random numbers; none: from the clock
  bool start_paused = false;
  bool shuffle_ready = false;
  std::string name;
  std::uint32_t workers = 0;  // 0: current_thread
  std::uint32_t injection_interval = 61;
  std::string thread_name = "eddy-worker";
  blocking_options blocking;  // but for its hooks, which are these
  function<void()> on_thread_start;
  function<void()> on_thread_stop;
  bool stop_on_failure = false;
  std::shared_ptr<task_hooks> hooks;  // null: none
  function<void()> on_park;
  function<void()> on_unpark;
  function<void(const task_failure&)> on_failure;
};

class loop final : public scheduler {
 public:
  /// A loop of its own, or (host != null) one that rides on a host's. Fails with what the system says.
  static result<loop*> make(loop_options options, uv_loop_t* host);

  static loop& from(scheduler& s) noexcept { return static_cast<loop&>(s); }
  /// The loop behind a context; null under a mock task without a runtime.
  static loop* of(const context& cx) noexcept {
    return static_cast<loop*>(context_access::runtime(cx));
  }
  /// The loop this thread drives, or entered; null: none.
  static loop* current() noexcept { return static_cast<loop*>(this_thread().current); }

  // ---- clock and timers
  /// Monotonic nanoseconds; frozen while the clock is paused. Any thread.
  std::uint64_t now() const noexcept;
  /// The same, and the owner remembers it.
  std::uint64_t read_now() noexcept;
  /// So far from what the clock said last that a timer may go into the wheel without another reading. Wrong
  /// only where a task has gone on for longer than that without a look at the clock: the timer is a turn late.
  bool is_far(std::uint64_t deadline) const noexcept {
    constexpr std::uint64_t far = 1'000'000;
    return !paused_.load(std::memory_order_relaxed) && deadline > seen_ + far;
  }
  /// True when the last reading was not before `deadline`: it is over, without another reading.
  bool has_seen(std::uint64_t deadline) const noexcept { return deadline <= seen_; }
  bool is_paused() const noexcept { return paused_; }
  void pause() noexcept;
  void resume() noexcept;
  void advance(std::uint64_t ns) noexcept;
  /// Under a node_guard. Entries are loop_timers.
  wheel& timers() noexcept { return timers_; }
  std::size_t timer_count() const noexcept { return timers_.size(); }

  // ---- I/O
  uv_loop_t* native() noexcept { return uv_; }
  reactor& io() noexcept { return reactor_; }

  // ---- driving
  /// Throws misuse when `drive_until` may not be called here.
  void check_drivable() const;
  /// Turns an owned loop until the task behind `done` has ended; with `max_polls`, at most that many polls
  /// of tasks. Waits while another thread drives.
  void drive_until(join_link& done, std::uint64_t max_polls = UINT64_MAX);
  /// Ends everything: tasks, registrations, handles. An owned loop is closed when it returns; a borrowed one
  /// when its host has turned it once more, and `detached` is called then.
  void shut_down(function<void()> detached = {});
  bool is_borrowed() const noexcept { return borrowed_; }
  /// A worker of a pool: its tasks may be run, and dropped, by other threads.
  bool is_shared() const noexcept { return worker() != nullptr; }
  /// Any thread: something has changed that the loop must see before it sleeps on.
  void look_up() noexcept;
#if EDDY_POOL
  /// Before anything drives it: the loop becomes worker number `n` of `p`.
  void join_pool(std::shared_ptr<task_pool> p, std::uint32_t n);
  /// What a worker's thread does, until the pool stops: worker.cpp.
  void work() noexcept;
  /// Who drives it now.
  relay& drivers() noexcept { return relay_; }
  /// As `relay::take`, for this loop.
  void take_over() noexcept;
  /// This thread leaves the loop in the middle of a poll, and comes back for the rest of it.
  void leave(relay::absent& me) noexcept;
  void come_back(relay::absent& me) noexcept;
  /// That thread has ended: whoever shuts the loop down drives it.
  void leave_thread() noexcept;
  void share_blocking_threads(loop& other) noexcept { blocking_ = other.blocking_; }
#endif
  /// Loop thread of a borrowed loop, outside its turns: makes the caller the owner.
  bool on_host_thread() const noexcept;
  /// A socket's registration has been closed: a detach may be waiting for it.
  void finish_detach() noexcept;
  /// Borrowed loop, after its owner has changed something outside a turn.
  void settle() noexcept;
  /// The next number of the runtime's seeded generator.
  std::uint64_t random() noexcept;

  const std::string& name() const noexcept { return options_.name; }
  const std::shared_ptr<blocking_pool>& blocking() noexcept { return blocking_; }
  // In flight: while there are some a paused clock does not advance by itself.
  std::atomic<std::uint32_t> blocking_jobs{0};

 private:
  friend class node_guard;
  explicit loop(loop_options options);
  ~loop();
  error start(uv_loop_t* host) noexcept;

  void send_wake_up() noexcept override;
  void became_ready() noexcept override;
  void destroy() noexcept override;

  std::size_t least_batch() const noexcept;
  bool time_to_look(std::size_t polled) noexcept;
  /// Waits until this thread is the one that drives; false: the task behind `done` has ended.
  bool await_turn(join_link& done);
  void look() noexcept;
  void park() noexcept;
  void fire_timers(std::uint64_t now) noexcept;
  void fire_shared_timers(std::uint64_t now) noexcept;
  std::uint64_t next_deadline() noexcept;
  bool must_stay_awake() const noexcept;
  /// The runtime's time at a reading of the monotonic clock.
  std::uint64_t time_at(std::uint64_t monotonic) const noexcept;
  void host_turn(bool looked) noexcept;
  void shuffle() noexcept;
  bool may_jump() noexcept;
  void jump() noexcept;
  void close_handles() noexcept;
  void on_closed() noexcept;
  void on_alarm() noexcept;
  void abandon_start() noexcept;
#if EDDY_POOL
  void drive_worker() noexcept;
  struct stand_in final : blocking_job {
    explicit stand_in(loop& l) noexcept;
    static void come(blocking_job& job, bool run) noexcept;
    loop& where;
  };
#endif

  /// Wakes the threads that wait for their turn to drive, or for their task to end.
  class drive_waiter final : public wake_target {
   public:
    explicit drive_waiter(loop& l) noexcept : loop_(l) {}
    void wake() noexcept override {
      const std::lock_guard lock(loop_.drive_mutex_);
      loop_.drive_free_.notify_all();
    }
    void retain() noexcept override { loop_.scheduler::retain(); }
    void release() noexcept override { loop_.scheduler::release(); }

   private:
    loop& loop_;
  };

  loop_options options_;
  uv_loop_t* uv_ = nullptr;
  uv_loop_t own_;
  uv_async_t async_;
  uv_idle_t idle_;
  uv_check_t check_;
  alarm alarm_;
  reactor reactor_;
  basic_lock<shared_memory> nodes_;  // of a worker: its timers, and its sources' waiters
  wheel timers_;
  std::shared_ptr<blocking_pool> blocking_;
  function<void()> detached_;
  int open_handles_ = 0;
  bool borrowed_ = false;
  bool idle_active_ = false;
  bool keeping_alive_ = false;
  uv_thread_t host_thread_{};

  // clock
  // Written by the owner (paused_ last, release), read by whatever thread asks for the time: now().
  std::atomic<bool> paused_{false};
  std::atomic<std::uint64_t> paused_at_{0};
  // How far resume() found time ahead of the monotonic clock (wraps).
  std::atomic<std::uint64_t> skipped_{0};

  std::uint64_t seen_ = 0;  // the last reading

  // when to look (docs/design.md, "The loop")
  std::uint32_t polls_per_reading_ = 16;
  std::uint32_t polls_since_reading_ = 0;
  std::uint32_t polls_since_look_ = 0;
  std::uint64_t last_reading_ = 0;
  std::uint64_t last_look_ = 0;
  std::uint64_t look_cost_ = 500;  // ns, smoothed

  // who drives
  std::mutex drive_mutex_;
  std::condition_variable drive_free_;
  bool driven_ = false;
  std::atomic<bool> ending_{false};  // set under drive_mutex_; who drives stops for shut_down
  drive_waiter drive_waiter_;

  std::uint64_t random_ = 0;
#if EDDY_POOL
  relay relay_;
  stand_in stand_in_{*this};
#endif
};

/// Guards the nodes of leaves in a worker's wheel and lists of waiters, which other threads' tasks own. For any
/// other loop it does nothing.
class node_guard {
 public:
  explicit node_guard(loop& l) noexcept : loop_(l.is_shared() ? &l : nullptr) {
    if (loop_ != nullptr) loop_->nodes_.lock();
  }
  node_guard(const node_guard&) = delete;
  ~node_guard() {
    if (loop_ != nullptr) loop_->nodes_.unlock();
  }

 private:
  loop* const loop_;
};

/// Makes this thread the owner of `s` for a scope.
class owner_scope {
 public:
  explicit owner_scope(scheduler& s) noexcept : before_(this_thread()) {
    this_thread() = driving(s);
  }
  owner_scope(const owner_scope&) = delete;
  ~owner_scope() { this_thread() = before_; }

 private:
  thread_state before_;
};

}}}  // namespace eddy::EDDY_ABI::detail
