#pragma once
// Who drives a worker's loop: one thread at a time, and while its tasks block in place not always the same.
//
//            take, answer                 give, and nobody waits
//    FREE ─────────────────► DRIVEN ─────────────────────────────► FREE
//                            ▲    │ give: the first who waits has it
//                            └────┘
//
// Threads that drive: the worker's own; stand-ins, which are blocking threads; who ends the pool. A thread that is in a
// `block_in_place` is *absent*: it has left the loop in the middle of a poll, which only it can end.
//
// I1  Whoever wants the loop waits in a queue, and has it when it is given. It is given between two polls
//     (loop::drive_worker), or by a thread that becomes absent. So an absent thread waits for the poll that is going
//     on when it comes back, and for nothing else: not for those that became absent after it.
// I2  A thread that leaves calls a stand-in if nobody waits and none is on its way. A stand-in that finds the loop taken
//     goes away, and so does one that has given it up: by then whoever has it drives on. The worker's own thread comes
//     back for it.
// I3  Everything that is plain in the loop goes from thread to thread by the mutex.
// I4  The end of the pool waits until nobody is absent (`take_last`). Meanwhile it destroys all tasks but those that are
//     being polled, because what an absent thread waits for may be one of them (pool::stop_threads).

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include <eddy/base/detail/list.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class relay {
 public:
  /// Who is absent. `movable`: in the poll of a task that may move.
  struct absent : list_node {
    pthread_t thread = pthread_self();
    bool movable = false;
  };

  /// Waits for the loop; `kick()` makes the one who sleeps in it look up.
  template <class Kick>
  void take(Kick kick) noexcept {
    waiter here;
    std::unique_lock lock(mutex_);
    if (!enter(here)) {
      lock.unlock();
      kick();
      lock.lock();
      await(here, lock);
    }
  }
  /// The stand-in has come. True: the loop is his.
  bool answer() noexcept;
  /// There will be no stand-in.
  void call_failed() noexcept;
  /// Between two polls: somebody waits.
  bool is_wanted() const noexcept { return wanted_.load(std::memory_order_seq_cst); }
  void give() noexcept;

  /// In a poll. True: nobody has the loop, and a stand-in is to be called.
  bool leave(absent& me) noexcept;
  template <class Kick>
  void come_back(absent& me, Kick kick) noexcept {
    take(kick);
    const std::lock_guard lock(mutex_);
    me.unlink();
  }

  // ---- the end of the pool, when it stops
  /// This thread is absent here.
  bool is_absent_here() noexcept;
  /// Once the loop has been taken: how many are absent, and how many of them in a movable task's poll.
  struct missing {
    std::size_t all = 0;
    std::size_t movable = 0;
  };
  missing count_absent() noexcept;
  /// Waits until nobody has the loop or will come back for it.
  void take_last() noexcept;
  /// Whoever drives: it is the one who ends the pool, and leaves the loop to nobody.
  bool ending = false;

 private:
  struct waiter : list_node {
    bool has_it = false;
  };
  bool enter(waiter& me) noexcept;
  void await(waiter& me, std::unique_lock<std::mutex>& lock) noexcept;
  bool give_locked() noexcept;

  std::mutex mutex_;
  std::condition_variable changed_;
  list<waiter> waiting_;
  list<absent> absent_;
  bool driven_ = false;
  bool called_ = false;  // a stand-in is on its way
  // Written under the mutex. Partners: loop::drive_worker, and loop::must_stay_awake before the loop sleeps.
  std::atomic<bool> wanted_{false};
};

}}}  // namespace eddy::EDDY_ABI::detail
