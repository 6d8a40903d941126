// The task's states. All transitions of a loop's task are in this file (its end with its loop is in
// scheduler.cpp, tasks of a pool are in pool_task.cpp).
//
//                 start                     run_one
//    (block) ──────────────► SCHEDULED ─────────────► RUNNING ──── root has ended ───► DONE
//                             ▲     ▲                  │   │                            ▲
//                        wake │     │ pending, woken   │   │ pending                    │
//                             │     └──────────────────┘   ▼                            │
//                             └───────────────────────── WAITING                        │
//                                                                                       │
//    abort: sets `abort` and wakes; the next run_one (or the end of this poll) destroys ┘
//
// WAITING is no bit: neither scheduled nor running nor done. A wake while RUNNING only sets `scheduled`;
// the end of the poll queues the task. DONE is published with a release store, so that a join handle on
// another thread may ask; what it may touch after that is settled by the join link.
//
// References (scheduler.hpp I3): `refs` counts on the owner's thread with plain arithmetic, `remote`
// counts for all other threads. The sum is the truth; each alone may be negative. A task is freed by its
// owner when the sum is 0 and `queued` is clear. When the scheduler ends it moves `refs` into `remote`
// with `merged`, and whoever brings that to 0 frees the block.

#include <cstdio>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/core/detail/cell.hpp>
#include <eddy/task/spawn.hpp>

#include "core/site.hpp"
#include "task/join_link.hpp"
#include "task/scheduler.hpp"
#if EDDY_POOL
#include "task/task_pool.hpp"
#endif

namespace eddy { inline namespace EDDY_ABI { namespace detail {

constinit thread_local thread_state this_thread_state;
constinit std::atomic<std::uint64_t> last_task_id{0};

namespace {

using st = task_state;
using rm = task_remote;
static_assert(rm::unit == 1 << 6);  // what rm::net shifts by

bool is_here(const task& t) noexcept { return this_thread().owner == t.owner; }

task* as_task(target_word w) noexcept { return reinterpret_cast<task*>(w); }
wake_target* as_target(target_word w) noexcept {
  return reinterpret_cast<wake_target*>(w & ~target_word{1});
}

}  // namespace

// ---- references and wakes, from any thread

void task_transitions::retain(task& t) noexcept {
  if (is_here(t))
    ++t.refs;
  else if (t.is_movable())
    pool_task::retain(t);
  else
    t.remote.fetch_add(rm::unit, std::memory_order_relaxed);
}

void task_transitions::release(task& t) noexcept {
  if (is_here(t))
    this_thread().driving->unref(t);
  else if (t.is_movable())
    pool_task::release(t);
  else
    foreign(t, 0, rm::unit);
}

void task_transitions::wake(task& t) noexcept {
  if (is_here(t))
    this_thread().driving->wake_local(t);
  else if (t.is_movable())
    pool_task::wake(t, 0);
  else
    foreign(t, rm::wake, 0);
}

void task_transitions::wake_and_release(task& t) noexcept {
  if (is_here(t)) {
    auto& s = *this_thread().driving;
    s.wake_local(t);
    s.unref(t);
  } else if (t.is_movable()) {
    pool_task::wake(t, 1);
  } else {
    foreign(t, rm::wake, rm::unit);
  }
}

void task_transitions::abort(task& t) noexcept {
  if (is_here(t))
    this_thread().driving->abort_local(t);
  else if (t.is_movable())
    pool_task::abort(t);
  else if (t.owner == task::blocking)
    abort_blocking_task(t);
  else
    foreign(t, rm::abort, 0);
}

void task_transitions::foreign(task& t, std::int32_t bits, std::int32_t minus) noexcept {
  auto before = t.remote.load(std::memory_order_relaxed);
  std::int32_t after = 0;
  do {
    after = before - minus;
    if ((before & rm::merged) == 0) {
      after |= bits | rm::queued;
    } else if ((bits & rm::failed) != 0) {
      bits &= ~rm::failed;
      print_unhandled(t);  // now: our reference is all that keeps the block
    }
  } while (!t.remote.compare_exchange_weak(before, after, std::memory_order_acq_rel,
                                           std::memory_order_relaxed));
  if ((before & rm::merged) != 0) {
    if (minus != 0 && rm::net(after) == 0 && (after & rm::queued) == 0) destroy_block(t);
    return;
  }
  // Ours to push: `queued` keeps the scheduler alive until the pop.
  if ((before & rm::queued) == 0) of(t).push_inbox(t);
}

// The runtime is gone, and with it the hook.
void task_transitions::print_unhandled(task& t) noexcept {
#if EDDY_EXCEPTIONS
  const auto e = std::move(failure_of(t));
  failure_of(t).~exception_ptr();
  if (t.owner == task::blocking) return report_blocking_task(t, error::from_exception(e));
  const task_info& about = task_slab::info(&t);
  const auto name =
      about.name != nullptr ? std::string(about.name) : describe_function(t.frames.leaf);
  const auto site = describe_place(about.site);
  print_failure(task_failure{task_id{about.id}, name, site, error::from_exception(e)});
#else
  static_cast<void>(t);
#endif
}

void task_transitions::drop_orphan_outcome(task& t) noexcept {
  const running_scope here(t);
  if (t.is(st::has_value)) static_cast<extended_task&>(t).destroy(t, block_part::value);
  if (t.is(st::has_failure)) print_unhandled(t);
  t.clear(st::has_value | st::has_failure);
}

void task_transitions::destroy_block(task& t) noexcept {
  drop_orphan_outcome(t);
  if (t.joiner != 0) target_release(std::exchange(t.joiner, 0));
  if (t.owner == task::blocking) return free_blocking_task(t);
  t.~task();
  task_slab::release(&t);
}

void target_retain(target_word w) noexcept {
  is_task(w) ? task_transitions::retain(*as_task(w)) : as_target(w)->retain();
}
void target_release(target_word w) noexcept {
  is_task(w) ? task_transitions::release(*as_task(w)) : as_target(w)->release();
}
void target_wake(target_word w) noexcept {
  is_task(w) ? task_transitions::wake(*as_task(w)) : as_target(w)->wake();
}
void target_wake_and_release(target_word w) noexcept {
  if (is_task(w)) {
    task_transitions::wake_and_release(*as_task(w));
  } else {
    as_target(w)->wake();
    as_target(w)->release();
  }
}

// ---- the owner's side

void scheduler::run(task& t) noexcept {
  const auto before = t.state.load(std::memory_order_relaxed);
  t.state.store((before & ~st::scheduled) | st::running, std::memory_order_relaxed);
  ++polls;
  const running_scope here(t);
  if ((before & st::abort) != 0) return cancel(t);
  budget.left = coop_budget::full;
  auto cx = context_access::make(to_word(&t), this, &budget);
  if (hooks != nullptr) [[unlikely]]
    tell(&task_hooks::before_poll, t);
  const bool ended = t.frames.run(cx);
  if (hooks != nullptr) [[unlikely]]
    tell(&task_hooks::after_poll, t);
  if (ended) return finish(t, end_root(t));
  const auto s = t.state.load(std::memory_order_relaxed) & ~st::running;
  t.state.store(s, std::memory_order_relaxed);
  if ((s & st::scheduled) != 0) push(t);
}

// The root has ended; its frame still holds the parameters and what the body threw. The value, if
// anybody can want it, is in the block already.
std::uint32_t scheduler::end_root(task& t) noexcept {
  const auto root = std::coroutine_handle<>::from_address(t.frames.leaf);
  std::uint32_t how = 0;
#if EDDY_EXCEPTIONS
  auto failure = std::move(promise_base::of(root).failure);
  t.frames.leaf =
      const_cast<void*>(promise_base::of(root).site);  // whose failure it was: describe()
  root.destroy();
  ::new (static_cast<void*>(&t.frames.step)) std::exception_ptr(std::move(failure));
  if (failure_of(t))
    how = st::has_failure;
  else
    failure_of(t).~exception_ptr();
#else
  root.destroy();
#endif
  return how;
}

void scheduler::cancel(task& t) noexcept {
  t.frames.destroy();
  finish(t, st::aborted);
}

void scheduler::finish(task& t, std::uint32_t how) noexcept {
  if (t.is(st::has_body)) {
    static_cast<extended_task&>(t).destroy(t, block_part::body);
    t.clear(st::has_body);
  }
  if (hooks != nullptr) [[unlikely]]
    tell(&task_hooks::ended, t);
  --live_;
  const auto s =
      t.state.load(std::memory_order_relaxed) & ~(st::running | st::scheduled | st::abort);
  t.state.store(s | st::done | how, std::memory_order_release);
  if ((s & st::joinable) == 0) drop_outcome(t);
  if (const auto joiner = std::exchange(t.joiner, 0); joiner != 0) target_wake_and_release(joiner);
  unref(t);
}

void scheduler::abort_local(task& t) noexcept {
  if (t.is(st::done)) return;
  t.set(st::abort);
  wake_local(t);
}

void scheduler::unref_slow(task& t) noexcept {
  const auto r = t.remote.load(std::memory_order_acquire);
  if ((r & rm::queued) == 0 && t.refs + rm::net(r) == 0) free_task(t);
}

void scheduler::tell(function<void(const task_meta&)> task_hooks::* which, task& t) noexcept {
  auto& hook = hooks->*which;
  if (!hook) return;
  const task_info& about = task_slab::info(&t);
  hook(task_meta(task_id{about.id}, about.name, about.site));
}

void scheduler::drop_outcome(task& t) noexcept {
  const running_scope here(t);
  if (t.is(st::has_value)) {
    t.clear(st::has_value);
    static_cast<extended_task&>(t).destroy(t, block_part::value);
  }
#if EDDY_EXCEPTIONS
  if (t.is(st::has_failure)) {
    t.clear(st::has_failure);
    const auto e = std::move(failure_of(t));
    failure_of(t).~exception_ptr();
    report(t, error::from_exception(e));
  }
#endif
}

void scheduler::report(task& t, error why) noexcept {
  const task_info& about = task_slab::info(&t);
  const auto name =
      about.name != nullptr ? std::string(about.name) : describe_function(t.frames.leaf);
  const auto site = describe_place(about.site);
  report(task_failure{task_id{about.id}, name, site, std::move(why)});
}

void scheduler::report(const task_failure& failure) noexcept {
  if (auto& hook = failure_hook())
    hook(failure);
  else
    print_failure(failure);
  if (stop_on_failure) has_failed = true;  // never in a pool, whose threads may all be here
}

void scheduler::free_task(task& t) noexcept {
  // There is an outcome when the handle was dropped on another thread in the moment the task ended.
  if (t.is(st::has_value | st::has_failure)) drop_outcome(t);
  if (task_slab::home(&t) != &shared_) return task_transitions::destroy_block(t);
  const std::lock_guard lock(shared_mutex_);
  task_transitions::destroy_block(t);
}

void scheduler::take_remote(task& t) noexcept {
  const auto asked = t.remote.exchange(0, std::memory_order_acq_rel);
  t.refs += rm::net(asked) + 1;  // ours, until the end of this function
  if (t.is(st::arriving)) {
    t.clear(st::arriving);
    ++live_;
  }
  if ((asked & rm::unjoin) != 0) {
    t.clear(st::joinable);
    if ((asked & rm::failed) != 0) t.set(st::has_failure);
    if (t.is(st::done)) drop_outcome(t);  // a waker may keep the block for long
  }
  if ((asked & rm::abort) != 0)
    abort_local(t);
  else if ((asked & rm::wake) != 0)
    wake_local(t);
  unref(t);
}

// ---- the inbox

void scheduler::push_inbox(task& t) noexcept {
  in_flight_.fetch_add(1, std::memory_order_seq_cst);
  inbox_.push(t);
  kick();
  in_flight_.fetch_sub(1, std::memory_order_release);
}

void scheduler::nudge() noexcept {
  in_flight_.fetch_add(1,
                       std::memory_order_seq_cst);  // partner: shut_down_tasks, which closes first
  if (!closed_.load(std::memory_order_seq_cst)) kick();
  in_flight_.fetch_sub(1, std::memory_order_release);
}

bool scheduler::post(remote_op& op) noexcept {
  const std::lock_guard lock(post_mutex_);
  if (closed_.load(std::memory_order_relaxed)) return false;
  op.next = posted_.load(std::memory_order_relaxed);
  posted_.store(&op, std::memory_order_seq_cst);
  kick();  // under the lock: shut_down_tasks waits for it before the loop goes away
  return true;
}

void scheduler::drain_inbox() noexcept {
  for (task* t = inbox_.take_all(); t != nullptr;) {
    task* const next = t->inbox_next;  // read before the exchange: then it may be pushed again
    take_remote(*t);
    t = next;
  }
  if (posted_.load(std::memory_order_relaxed) != nullptr) run_posted(false);
}

void scheduler::run_posted(bool closing) noexcept {
  remote_op* op = nullptr;
  {
    const std::lock_guard lock(post_mutex_);
    op = reversed(posted_.exchange(nullptr, std::memory_order_relaxed),
                  [](remote_op& x) -> remote_op*& { return x.next; });
  }
  while (op != nullptr) {
    remote_op* const next = op->next;
    op->run(*op, *this, closing);
    op = next;
  }
}

}}}  // namespace eddy::EDDY_ABI::detail
