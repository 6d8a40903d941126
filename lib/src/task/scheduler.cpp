// A scheduler's beginning and end.

#include <cstdio>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "task/join_link.hpp"
#include "task/scheduler.hpp"
#if EDDY_POOL
#include "task/task_pool.hpp"
#endif

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

using st = task_state;
using rm = task_remote;

std::uint32_t next_scheduler_id() noexcept {
  static std::atomic<std::uint32_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}
}  // namespace

void print_failure(const task_failure& f) noexcept {
  std::fprintf(stderr, "eddy: task %llu '%.*s' (spawned at %.*s) failed: %s\n",
               static_cast<unsigned long long>(f.id.value), static_cast<int>(f.name.size()),
               f.name.data(), static_cast<int>(f.site.size()), f.site.data(),
               f.why.message().c_str());
}

bool join_link::discard() noexcept {
  const running_scope here(*task_);
  if ((bits & task_state::has_value) != 0)
    static_cast<extended_task&>(*task_).destroy(*task_, block_part::value);
  return (bits & task_state::has_failure) != 0;
}

void* scheduler::allocate_foreign(std::size_t bytes) noexcept {
  in_flight_.fetch_add(1,
                       std::memory_order_seq_cst);  // partner: refuse_starts
  void* block = nullptr;
  if (!refusing_.load(std::memory_order_seq_cst)) {
    const std::lock_guard lock(shared_mutex_);
    block = shared_.allocate(bytes);
  }
  if (block == nullptr) end_foreign_start();
  return block;
}

void scheduler::release_unused_task(void* block) noexcept {
  if (is_driven_here()) return task_slab::release(block);
  {
    const std::lock_guard lock(shared_mutex_);
    task_slab::release(block);
  }
  end_foreign_start();
}

join_link* scheduler::attach_link(task& t) noexcept {
  auto* const link = join_link::make(t);
  t.joiner = to_word(*link);
  return link;
}

join_link* scheduler::start_foreign(task& t, const char* name, const void* site) noexcept {
  const auto id = next_task_id();
  auto* const link = attach_link(t);
  t.refs = 1;
  t.set(st::joinable | st::arriving);
  t.remote.store(rm::unit | rm::wake | rm::queued, std::memory_order_relaxed);
  {
    const std::lock_guard lock(shared_mutex_);
    task_slab::info(&t) = task_info{id, name, site};
  }
  if (hooks != nullptr) [[unlikely]]
    tell(&task_hooks::spawned, t);
  push_inbox(t);
  end_foreign_start();
  return link;
}

thread_state driving(scheduler& s) noexcept {
#if EDDY_POOL
  const std::uint32_t pool = s.worker() != nullptr ? s.worker()->pool().id() : 0;
#else
  const std::uint32_t pool = 0;
#endif
  return thread_state{s.id(), pool, &s, &s, nullptr};
}

function<void(const task_failure&)>& scheduler::failure_hook() noexcept {
#if EDDY_POOL
  if (worker_ != nullptr) return worker_->pool().on_failure;
#endif
  return on_failure;
}

scheduler::scheduler() : id_(next_scheduler_id()), local_(this), shared_(this) {}
scheduler::~scheduler() = default;

std::vector<task*> scheduler::all_tasks() {
  std::vector<task*> all;
  for_each_task([&](task& t) { all.push_back(&t); });
  return all;
}

void scheduler::cancel_all() noexcept {
  // One reference each while all are cancelled: a task's end may free others.
  const auto tasks = all_tasks();
  for (task* t : tasks) ++t->refs;
  for (task* t : tasks) {
    if (t->is(st::done | st::running)) continue;
    t->set(st::running);  // nobody queues it any more
    const running_scope here(*t);
    cancel(*t);
  }
  head_ = tail_ = nullptr;
  queued_ = 0;
  for (task* t : tasks) unref(*t);
}

// A start on another thread has either seen it or is waited for.
void scheduler::refuse_starts() noexcept {
  refusing_.store(true, std::memory_order_seq_cst);
  while (in_flight_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
}

void scheduler::shut_down_tasks() noexcept {
  {
    const std::lock_guard lock(post_mutex_);
    closed_.store(true, std::memory_order_seq_cst);
  }
  refuse_starts();
  drain_inbox();
  run_posted(true);

  cancel_all();
  drain_inbox();
  run_posted(true);

  // What is still held elsewhere is handed over. From its exchange on a task is not ours, unless it was
  // queued: then it comes by the inbox once more. So for what is released from here on (by a value's
  // destructor, by sockets) this thread is one like any other.
  this_thread().owner = 0;
  const auto tasks = all_tasks();
  local_.share();
  shared_.share();
  std::size_t coming = 0;
  for (task* t : tasks) {
    const auto mine = std::exchange(t->refs, 0);
    auto before = t->remote.load(std::memory_order_relaxed);
    std::int32_t after = 0;
    do after = (before + mine * rm::unit) | rm::merged;
    while (!t->remote.compare_exchange_weak(before, after, std::memory_order_acq_rel,
                                            std::memory_order_relaxed));
    if ((before & rm::queued) != 0)
      ++coming;
    else if (rm::net(after) == 0)
      task_transitions::destroy_block(*t);
  }
  while (coming != 0) {
    task* t = inbox_.take_all();
    if (t == nullptr) std::this_thread::yield();
    while (t != nullptr) {
      task* const next = t->inbox_next;
      --coming;
      // Merged: nobody adds bits. While `queued` is set nobody frees the block.
      const auto asked = t->remote.load(std::memory_order_acquire);
      if ((asked & rm::failed) != 0) t->set(st::has_failure);
      if ((asked & rm::unjoin) != 0) drop_outcome(*t);
      const auto before =
          t->remote.fetch_and(~(rm::queued | rm::wake | rm::abort | rm::unjoin | rm::failed),
                              std::memory_order_acq_rel);
      if (rm::net(before) == 0) task_transitions::destroy_block(*t);
      t = next;
    }
  }
  while (in_flight_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  local_.orphan();
  shared_.orphan();
}

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI {

context::context(wake_target& target) noexcept
    : target_(detail::to_word(target)),
      scheduler_(detail::this_thread().driving),
      budget_(nullptr) {}

}}  // namespace eddy::EDDY_ABI
