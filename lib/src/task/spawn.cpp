// The compiled part of spawn and join_handle.

#include <cstdio>
#include <new>
#include <string>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/core/detail/cell.hpp>
#include <eddy/task/detail/blocking_task.hpp>
#include <eddy/task/join_handle.hpp>
#include <eddy/task/spawn.hpp>

#include "core/site.hpp"
#include "task/join_link.hpp"
#include "task/scheduler.hpp"
#if EDDY_POOL
#include "task/task_pool.hpp"
#endif

namespace eddy { inline namespace EDDY_ABI {

std::string task_meta::spawned_at() const { return detail::describe_place(site_); }

}}  // namespace eddy::EDDY_ABI

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

using st = task_state;
using rm = task_remote;

// A block for a task of a runtime that has ended: it stands alone and ends at once.
void* allocate_dead_task(std::size_t bytes) {
  static char nobody;
  task_slab slab(&nobody);
  return slab.allocate(bytes);  // orphaned with the slab
}

#if EDDY_POOL
/// The pool whose task it becomes; null for one that stays on its loop.
task_pool* pool_of(const task_origin& origin) noexcept {
  auto* const w = origin.runtime->worker();
  return w == nullptr || origin.pinned ? nullptr : &w->pool();
}
#endif

/// Null: out of memory.
void* allocate_on_runtime(const task_origin& origin, std::size_t bytes) {
  void* block = nullptr;
#if EDDY_POOL
  if (auto* const pool = pool_of(origin)) {
    if (this_thread().pool != pool->id())
      block = pool->allocate(bytes);
    else if (!pool->is_closed())
      block = this_thread().driving->worker()->allocate(bytes);
    return block == nullptr && pool->is_closed() ? allocate_dead_task(bytes) : block;
  }
#endif
  block = origin.runtime->allocate_task(bytes);
  return block == nullptr && origin.runtime->is_refusing() ? allocate_dead_task(bytes) : block;
}

join_link* start_dead(task& t, std::coroutine_handle<> root) noexcept {
  t.owner = task::dead;
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
  if (!root.has(promise_base::stays) || (origin.pinned && !origin.sent)) return;
  auto* const s = origin.runtime != nullptr ? origin.runtime : this_thread().current;
  if (s != nullptr && (s->worker() != nullptr || !s->is_driven_here()))
    misuse(
        "spawn: a parameter of this coroutine is not is_send, and another thread may run the task: "
        "use spawn_local");
}

void* allocate_task(task_origin& origin, std::size_t bytes) {
  if (origin.runtime == nullptr) origin.runtime = this_thread().current;
  if (origin.runtime == nullptr)
    misuse("spawn: this thread is not on a runtime; call it from a task, or use handle::spawn");
  // In a pool whoever awaits it may be on another thread by then.
  if (origin.pinned && origin.runtime->worker() != nullptr) origin.portable = true;
  void* const block = allocate_on_runtime(origin, bytes);
  if (block == nullptr) {
#if EDDY_EXCEPTIONS
    throw std::bad_alloc();
#else
    fatal("out of memory");
#endif
  }
  return block;
}

void release_unused_task(const task_origin& origin, void* block) noexcept {
  if (task_slab::runtime(block) == nullptr) return task_slab::release(block);
#if EDDY_POOL
  if (auto* const pool = pool_of(origin)) {
    if (this_thread().pool == pool->id())
      pool_slab::release(*::new (block) task, this_thread().driving->worker()->slab());
    else
      pool->release_unused(block);
    return;
  }
#endif
  origin.runtime->release_unused_task(block);
}

join_link* start_task(const task_origin& origin, task& t, std::coroutine_handle<> root) noexcept {
  if (task_slab::runtime(&t) == nullptr) return start_dead(t, root);
  promise_base& p = promise_base::of(root);
  p.owner = &t.frames;
  p.set(promise_base::task_root);
  t.frames.next = root;
  const void* const site = origin.site != nullptr ? origin.site : p.site;
#if EDDY_POOL
  if (auto* const pool = pool_of(origin)) {
    t.owner = pool->id();
    if (this_thread().pool == pool->id())
      this_thread().driving->worker()->start(t, origin.name, site);
    else
      pool->start(t, origin.name, site);
    return nullptr;  // its handle may be awaited anywhere
  }
#endif
  t.owner = origin.runtime->id();
  if (origin.root) t.set(st::root);
  return origin.runtime->start(t, origin.name, site, origin.portable);
}

// ---- join handles

std::uint32_t join_poll(task& t, join_link* link, context& cx) noexcept {
  if (link != nullptr) return link->poll(cx) ? link->bits | st::done : 0;
  if (t.is_movable()) return pool_task::poll_join(t, cx);
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
  if (t.is_movable()) return pool_task::drop_join(t, taken);
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

// ---- this task

task* task_here() noexcept { return this_thread().running; }

void join_retain(task& t) noexcept { task_transitions::retain(t); }
void join_release(task& t) noexcept { task_transitions::release(t); }

void join_abort(task& t) noexcept { task_transitions::abort(t); }

bool join_finished(const task& t) noexcept {
  // A movable one's outcome is out only with the word.
  if (t.is_movable()) return (t.remote.load(std::memory_order_acquire) & rm::merged) != 0;
  return (t.state.load(std::memory_order_acquire) & st::done) != 0;
}

task_id join_id(const task& t) noexcept {
  auto* const known = const_cast<task*>(&t);
  return task_id{t.owner == task::blocking ? blocking_task::of(*known).id
                                           : task_slab::info(known).id};
}

error join_aborted(join_link* link) noexcept {
  if (link != nullptr && link->failure) return std::move(link->failure);
  return error(errc::aborted, "task");
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

}}}  // namespace eddy::EDDY_ABI::detail
