// Tasks of a pool, which any of its workers may run: what task.cpp is for those of one loop. The states are drawn
// in pool_word.hpp.
//
// References: `refs` is plain and belongs to the one that has the task (pool_word.hpp, I1), above all to its poll,
// which makes and drops wakers of it; everybody else counts in the word. From `done` on the word is the sum.

#include <atomic>

#include "task/join_link.hpp"
#include "task/scheduler.hpp"
#include "task/task_pool.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

using st = task_state;

/// This thread is polling `t`.
bool is_polled_here(const task& t) noexcept {
  return this_thread().pool == t.owner && this_thread().driving->worker()->polling == &t;
}

pool_slab* slab_here() noexcept {
  auto* const s = this_thread().driving;
  return s != nullptr && s->worker() != nullptr ? s->worker()->slab() : nullptr;
}

// What remains of it is the block.
void free(task& t) noexcept { pool_slab::release(t, slab_here()); }

// Queued by this thread.
void make_ready(task& t) noexcept {
  if (this_thread().pool == t.owner) return this_thread().driving->worker()->push_woken(t);
  // It is not done, so its pool waits for it.
  pool_slab::with_pool(t, [&t](task_pool& pool) { pool.inject(t); });
}

void ask(task& t, std::int32_t bits, std::int32_t refs) noexcept {
  switch (pool_word::ask(t.remote, bits, refs)) {
    case pool_word::asked::queue:
      return make_ready(t);
    case pool_word::asked::free:
      return free(t);
    case pool_word::asked::nothing:
      break;
  }
}

}  // namespace

void pool_task::retain(task& t) noexcept {
  if (is_polled_here(t))
    ++t.refs;
  else
    pool_word::retain(t.remote);
}

void pool_task::release(task& t) noexcept {
  if (is_polled_here(t))
    --t.refs;
  else if (pool_word::release(t.remote))
    free(t);
}

void pool_task::wake(task& t, std::int32_t refs) noexcept {
  if (!is_polled_here(t)) return ask(t, pool_word::wake, refs);
  t.refs -= refs;
  this_thread().driving->worker()->woke_itself = true;
}

void pool_task::abort(task& t) noexcept { ask(t, pool_word::abort, 0); }

// ---- the runner

void scheduler::run_movable(task& t) noexcept {
  auto& w = *worker_;
  ++polls;
  const running_scope here(t);
  w.begin_poll(t);
  if (pool_word::begin(t.remote)) return cancel_movable(t);
  budget.left = coop_budget::full;
  auto cx = context_access::make(to_word(&t), this, &budget);
  if (hooks != nullptr) [[unlikely]]
    tell(&task_hooks::before_poll, t);
  const bool ended = t.frames.run(cx);
  if (hooks != nullptr) [[unlikely]]
    tell(&task_hooks::after_poll, t);
  if (ended) return finish_movable(t, end_root(t));
  w.polling = nullptr;
  if (w.woke_itself) {
    // Still ours; an abort, or a wake from elsewhere, is seen when it is taken out again.
    w.push_yielded(t);
    return;
  }
  switch (pool_word::suspend(t.remote)) {
    case pool_word::after_poll::idle:
      return;
    case pool_word::after_poll::again:
      return w.push_yielded(t);
    case pool_word::after_poll::abort:
      w.begin_poll(t);
      return cancel_movable(t);
  }
}

void scheduler::cancel_movable(task& t) noexcept {
  t.frames.destroy();
  finish_movable(t, st::aborted);
}

void scheduler::finish_movable(task& t, std::uint32_t how) noexcept {
  auto& w = *worker_;
  if (t.is(st::has_body)) {
    static_cast<extended_task&>(t).destroy(t, block_part::body);
    t.clear(st::has_body);
  }
  if (hooks != nullptr) [[unlikely]]
    tell(&task_hooks::ended, t);
  t.set(st::done | how);
  const std::int32_t others = t.refs - 1;
  auto end = pool_word::finish(t.remote, others, t.is(st::has_value | st::has_failure));
  if (end == pool_word::ended::unjoined) {
    drop_outcome(t);  // may drop wakers of this very task
    end = pool_word::finish(t.remote, t.refs - 1, false);
  }
  w.polling = nullptr;
  --w.live;
  if (end == pool_word::ended::free) return free(t);
  if (end != pool_word::ended::joined) return;
  const auto joiner = t.joiner;
  if (pool_word::release(t.remote)) free(t);
  target_wake_and_release(joiner);
}

// ---- the join handle

std::uint32_t pool_task::poll_join(task& t, context& cx) noexcept {
  const auto now = t.remote.load(std::memory_order_acquire);
  const auto state = [&t] { return t.state.load(std::memory_order_relaxed); };
  if ((now & pool_word::done) != 0) return state();
  const auto target = context_access::target(cx);
  if ((now & pool_word::join) != 0) {
    if (t.joiner == target) return 0;
    if (!pool_word::clear_join(t.remote)) return state();
    target_release(t.joiner);
  }
  target_retain(target);
  t.joiner = target;
  if (pool_word::set_join(t.remote)) return 0;
  t.joiner = 0;
  target_release(target);
  return state();
}

void pool_task::drop_join(task& t, bool taken) noexcept {
  const auto joiner = t.joiner;
  switch (pool_word::leave(t.remote)) {
    case pool_word::left::early:
      return;
    case pool_word::left::joiner:
      return target_release(joiner);
    case pool_word::left::late:
      break;
  }
  if (!taken) drop_late_outcome(t);
  if (pool_word::release(t.remote)) free(t);
}

// The hook belongs to the pool, which may have ended.
void pool_task::drop_late_outcome(task& t) noexcept {
  auto* const here = this_thread().driving;
  if (here != nullptr && this_thread().pool == t.owner) return here->drop_outcome(t);
  if (!pool_slab::with_pool(t, [&t](task_pool& pool) { pool.workers()[0]->loop.drop_outcome(t); }))
    task_transitions::drop_orphan_outcome(t);
}

}}}  // namespace eddy::EDDY_ABI::detail
