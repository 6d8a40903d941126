// The compiled part of spawn and join_handle.

#include <cstdio>
#include <new>
#include <string>

#include <eddy/base/misuse.hpp>
#include <eddy/core/cell.hpp>
#include <eddy/core/join_handle.hpp>
#include <eddy/core/spawn.hpp>

#include "core/join_link.hpp"
#include "core/scheduler.hpp"
#include "core/site.hpp"

namespace eddy::inline EDDY_ABI::detail {

namespace {

using st = task_state;
using rm = task_remote;

// A block for a task of a runtime that has ended: it stands alone and ends at once.
void* allocate_dead_task(std::size_t bytes) {
  static char nobody;
  task_slab slab(&nobody);
  return slab.allocate(bytes);  // orphaned with the slab
}

join_link* start_dead(task& t, std::coroutine_handle<> root) noexcept {
  t.owner = UINT32_MAX;
  t.remote.store(rm::unit | rm::merged, std::memory_order_relaxed);
  root.destroy();
  if (t.is(st::has_body)) static_cast<extended_task&>(t).destroy(t, block_part::body);
  t.state.store(st::done | st::aborted, std::memory_order_release);
  auto* link = join_link::make(t);
  link->wake();
  link->release();
  return link;
}

}  // namespace

void awaited_empty_future() {
  misuse(
      "an empty future was awaited or spawned: it was moved from, awaited before, or there was no "
      "memory for its frame");
}

void refuse_closure(const promise_base& root) {
  if (root.has(promise_base::capturing))
    misuse(
        "spawn([x]() -> future<> {...}()): the captures die with the lambda before the coroutine "
        "runs; spawn the lambda itself: spawn([x]() -> future<> {...})");
}

void refuse_local(const task_origin& origin, const promise_base& root) {
  if (!root.has(promise_base::stays) || origin.pinned) return;
  auto* const s = origin.runtime != nullptr ? origin.runtime : this_thread().current;
  if (s != nullptr && !s->is_driven_here())
    misuse(
        "spawn: a parameter of this coroutine is not is_send, and another thread may run the task: "
        "use spawn_local");
}

void* allocate_task(task_origin& origin, std::size_t bytes) {
  if (origin.runtime == nullptr) origin.runtime = this_thread().current;
  if (origin.runtime == nullptr)
    misuse("spawn: this thread is not on a runtime; call it from a task, or use handle::spawn");
  void* block = origin.runtime->allocate_task(bytes);
  if (block == nullptr && origin.runtime->is_closed()) block = allocate_dead_task(bytes);
  if (block == nullptr) {
#if EDDY_EXCEPTIONS
    throw std::bad_alloc();
#else
    fatal("out of memory");
#endif
  }
  return block;
}

void release_unused_task(void* block) noexcept {
  auto* s = static_cast<scheduler*>(task_slab::runtime(block));
  if (s == nullptr)
    task_slab::release(block);
  else
    s->release_unused_task(block);
}

join_link* start_task(const task_origin& origin, task& t, std::coroutine_handle<> root) noexcept {
  auto* s = static_cast<scheduler*>(task_slab::runtime(&t));
  if (s == nullptr) return start_dead(t, root);
  promise_base& p = promise_base::of(root);
  p.owner = &t.frames;
  p.set(promise_base::task_root);
  t.frames.next = root;
  t.owner = s->id();
  return s->start(t, origin.name, origin.site != nullptr ? origin.site : p.site, origin.portable);
}

// ---- join handles

std::uint32_t join_poll(task& t, join_link* link, context& cx) noexcept {
  if (link != nullptr) return link->poll(cx) ? link->bits | st::done : 0;
  if (this_thread().owner != t.owner) return st::misused;
  const auto s = t.state.load(std::memory_order_relaxed);
  if ((s & st::done) != 0) return s;
  const auto target = context_access::target(cx);
  if (t.joiner != target) {
    target_retain(target);
    if (const auto before = std::exchange(t.joiner, target); before != 0) target_release(before);
  }
  return 0;
}

void join_drop(task& t, join_link* link, bool taken) noexcept {
  const bool here = this_thread().owner == t.owner;
  // The common end: awaited on its own loop, and nobody else refers to the task.
  if (taken && link == nullptr && here && this_thread().driving->free_if_last(t)) return;
  bool failed = false;
  if (link != nullptr) {
    failed = link->abandon() && !taken && link->discard();
    link->release();
  }
  if (!here)
    return task_transitions::foreign(t, failed ? rm::unjoin | rm::failed : rm::unjoin, rm::unit);
  auto& s = *this_thread().driving;
  t.clear(st::joinable);
  if (failed) t.set(st::has_failure);
  if (!taken && t.is(st::done)) s.drop_outcome(t);  // with a link the rest was the handle's
  if (link == nullptr && t.joiner != 0) target_release(std::exchange(t.joiner, 0));
  s.unref(t);
}

void join_abort(task& t) noexcept { task_transitions::abort(t); }

bool join_finished(const task& t) noexcept {
  return (t.state.load(std::memory_order_acquire) & st::done) != 0;
}

task_id join_id(const task& t) noexcept {
  return task_id{task_slab::info(const_cast<task*>(&t)).id};
}

void join_took_value(join_link& link) noexcept { link.bits &= ~st::has_value; }

#if EDDY_EXCEPTIONS
std::exception_ptr join_take_failure(task& t, join_link* link) noexcept {
  auto e = std::move(failure_of(t));
  failure_of(t).~exception_ptr();
  if (link == nullptr)
    t.clear(st::has_failure);
  else
    link->bits &= ~st::has_failure;
  return e;
}
#endif

}  // namespace eddy::inline EDDY_ABI::detail
