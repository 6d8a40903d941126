// block_in_place: this thread leaves the loop in the middle of a poll, and comes back to end it.
//
//    poll of A on T1        lent_loop()                      ~lent_loop()             rest of A's poll
//   ─────────────────────────────┤ f, on T1: no loop, no budget ├ ─ ─ waits ─ ─├───────────────────────
//                                 T2 drives the loop, polls B, C …             ┤ T2 goes
//
// What T1's poll has in thread and worker is kept here meanwhile, and put back: what the thread is to eddy, the task that
// the worker polls and what that has woken, the budget. The task is not touched: nobody else polls it, since it is
// neither waiting nor in a queue, and a wake finds it so (task.cpp, pool_word.hpp). Its plain count of references is the
// loop's (a local task) or stays with the poll (a movable one); T1, while it is in no loop, counts as any other thread.

#include <eddy/task/block_in_place.hpp>

#include <new>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/task/spawn_local.hpp>

#include "runtime/loop.hpp"
#if EDDY_POOL
#include "task/task_pool.hpp"
#endif

namespace eddy { inline namespace EDDY_ABI { namespace detail {

#if EDDY_POOL

struct lent_loop::state {
  loop& where;
  thread_state thread;
  pool_worker::interrupted poll;
  std::uint32_t budget;
  relay::absent absent;
};

namespace {

// Null: in no poll, or the loop cannot be left here.
loop* loop_to_leave() {
  const thread_state& here = this_thread();
  if (here.owner == 0) return nullptr;
  loop& l = loop::from(*here.driving);
  const pool_worker* const w = l.worker();
  if (w == nullptr)
    misuse("block_in_place: a current_thread runtime has one thread; use spawn_blocking");
  const bool moves = w->polling != nullptr;
  const bool local = !moves && here.running != nullptr && here.running->owner == l.id();
  if (local_core::here() != nullptr || (local && !here.running->is(task_state::root)))
    misuse("block_in_place: local tasks would go on on another thread; use spawn_blocking");
  if (l.drivers().ending) return nullptr;
  return moves || (local && here.running->is(task_state::running)) ? &l : nullptr;
}

}  // namespace

lent_loop::lent_loop() {
  loop* const l = loop_to_leave();
  if (l == nullptr) return;
  static_assert(sizeof(state) <= sizeof(memory_) && alignof(state) <= 8);
  auto& here = this_thread();
  auto& w = *l->worker();
  state_ = ::new (static_cast<void*>(memory_))
      state{*l, here, w.interrupt_poll(), l->budget.left, relay::absent()};
  state_->absent.movable = state_->poll.polling != nullptr;
  here = thread_state{0, 0, nullptr, l, here.running};
  l->leave(state_->absent);
}

lent_loop::~lent_loop() {
  if (state_ == nullptr) return;
  loop& l = state_->where;
  l.come_back(state_->absent);
  this_thread() = state_->thread;
  l.worker()->go_on(state_->poll);
  l.budget.left = state_->budget;
  state_->~state();
}

#else

lent_loop::lent_loop() {
  if (this_thread().owner != 0)
    misuse("block_in_place: a current_thread runtime has one thread; use spawn_blocking");
}
lent_loop::~lent_loop() {
  static_cast<void>(state_);
  static_cast<void>(memory_);
}

#endif

}}}  // namespace eddy::EDDY_ABI::detail
