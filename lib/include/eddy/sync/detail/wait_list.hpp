#pragma once
// Those who wait for the same event, all woken by it: the receivers of a broadcast or watch channel, and the
// senders that wait for the last receiver to go. Passive: the lock is its owner's.
//
// I1  A place is linked only under the owner's lock; `waiting` belongs to the leaf that has the place, so a
//     leaf that never waited takes no lock when it goes.
// I2  A waker is dropped behind the lock: its target may die of it, and do anything.
// I3  Whoever wakes all takes the list over first: those who come while it is away from the lock wait for the
//     next event. A place leaves whichever list it is in.

#include <memory>
#include <utility>

#include <eddy/base/detail/list.hpp>
#include <eddy/base/detail/lock.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/wake_list.hpp>
#include <eddy/core/waker.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A leaf's place in a crowd. Nothing of it is made before the leaf waits.
class crowd_place {
 public:
  crowd_place() noexcept {}
  crowd_place(const crowd_place&) = delete;
  ~crowd_place() {}

  /// The leaf goes; `lock` is the crowd's.
  template <class Lock>
  void leave(Lock& lock) noexcept {
    if (waiting_) leave_locked(lock);
  }
  /// Under the lock: the leaf waits no more. Its waker goes into `old`, to be dropped behind the lock.
  void settle(waker& old) noexcept {
    if (!waiting_) return;
    if (entry_.linked()) entry_.unlink();
    old = std::move(entry_.who);
    std::destroy_at(&entry_);
    waiting_ = false;
  }

 private:
  friend class crowd;
  struct entry : list_node {
    waker who;
  };
  template <class Lock>
  [[gnu::noinline]] void leave_locked(Lock& lock) noexcept {
    waker old;
    const locked<Lock> held(lock);
    settle(old);
  }

  bool waiting_ = false;
  union {
    entry entry_;  // while `waiting_`
  };
};

class crowd {
 public:
  /// Under the lock: the next event wakes the target of `cx`. Whom it would have woken goes into `old`.
  void wait(crowd_place& p, context& cx, waker& old) noexcept {
    if (!p.waiting_) {
      std::construct_at(&p.entry_);
      p.waiting_ = true;
    }
    if (!cx.wakes_same(p.entry_.who)) {
      old = std::move(p.entry_.who);
      p.entry_.who = cx.get_waker();
    }
    if (!p.entry_.linked()) places_.push_back(p.entry_);
  }
  /// Under the lock, which is held when this returns, and is not at times when they are more than `wakes`
  /// holds.
  template <class Lock>
  void wake_all(locked<Lock>& held, Lock& lock, wake_list& wakes) noexcept {
    if (places_.empty()) return;
    list<crowd_place::entry> due;
    due.splice_back(places_);
    while (auto* const p = due.front()) {
      if (wakes.full()) {
        held.unlock();
        wakes.wake_all();
        held.relock(lock);
        continue;  // some may have left
      }
      p->unlink();
      wakes.add(std::move(p->who));
    }
  }

 private:
  list<crowd_place::entry> places_;
};

}}}  // namespace eddy::EDDY_ABI::detail
