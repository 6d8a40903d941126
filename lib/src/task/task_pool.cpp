#include "task/task_pool.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <eddy/base/detail/misuse.hpp>

#include "task/scheduler.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

std::uint32_t next_pool_id() noexcept {
  static std::atomic<std::uint32_t> last{0};
  return task::movable | (last.fetch_add(1, std::memory_order_relaxed) + 1);
}

pool_slab* make_slab(task_pool* pool) {
  auto* const s = pool_slab::make(pool);
  if (s == nullptr) fatal("out of memory");
  return s;
}

constexpr std::size_t most_stolen = 128;  // of one victim at once

}  // namespace

// ---- a worker

pool_worker::pool_worker(std::shared_ptr<task_pool> p, scheduler& s, std::uint32_t n) noexcept
    : number(n), loop(s), pool_(std::move(p)), slab_(make_slab(pool_.get())), random_(n + 1) {}

pool_worker::~pool_worker() = default;

void pool_worker::start(task& t, const char* name, const void* site) noexcept {
  task_slab::info(&t) = task_info{ids_.next(), name, site};
  if (loop.hooks != nullptr) [[unlikely]]
    loop.tell(&task_hooks::spawned, t);
  t.refs = 2;  // the runner's and the join handle's
  t.set(task_state::joinable);
  t.remote.store(pool_word::queued, std::memory_order_relaxed);
  ++live;
  put_next(t, newest_ + 1);
}

void pool_worker::push_woken(task& t) noexcept {
  if (polling == nullptr) {  // by I/O, a timer or the inbox: in their order
    push(t, 0);
    loop.has_become_ready();
    if (ready.size() > 1) announce();
    return;
  }
  // The first task a poll wakes is run next, above all the fork that waited for this one. Of several only the
  // last, or the order of waiting would be turned round.
  const bool first = !std::exchange(has_woken_, true);
  put_next(t, first ? newest_ + 1 : 1);
}

void pool_worker::put_next(task& t, std::uint32_t newest) noexcept {
  push(t, newest);
  loop.has_become_ready();
  if (eager || ready.size() > 1) announce();
}

void pool_worker::push_yielded(task& t) noexcept { push(t, 0); }

pool_worker::interrupted pool_worker::interrupt_poll() noexcept {
  stand_aside();
  return {std::exchange(polling, nullptr), woke_itself, has_woken_};
}

// Half of the ring goes to where all can take it.
[[gnu::noinline]] void pool_worker::overflow(task& t) noexcept {
  task* first = nullptr;
  task* last = nullptr;
  std::size_t n = 0;
  const auto add = [&](task& one) {
    (last != nullptr ? last->frames.link : reinterpret_cast<void*&>(first)) = &one;
    last = &one;
    ++n;
  };
  for (std::uint32_t i = 0; i < ready.capacity / 2; ++i) {
    task* const one = ready.take();
    if (one == nullptr) break;
    add(*one);
  }
  add(t);
  newest_ = std::min(newest_, ready.capacity / 2);
  pool_->inject(first, last, n);
}

task* pool_worker::next() noexcept {
  task* t = nullptr;
  if (++turns_ >= pool_->injection_interval_) {
    turns_ = 0;
    if (pool_->has_injected()) t = pool_->take_injected(*this, 1);
  }
  if (t == nullptr && newest_ != 0 && streak_ < longest_streak) {
    t = ready.pop_newest();
    newest_ = t != nullptr ? newest_ - 1 : 0;
    ++streak_;
  }
  if (t == nullptr) {
    streak_ = 0;
    t = ready.take();
  }
  if (t == nullptr) {
    newest_ = 0;
    if (!pool_->has_injected()) return nullptr;
    t = pool_->take_injected(*this, ready.capacity / 2);
  }
  if (t != nullptr) stand_aside();  // I3
  return t;
}

[[gnu::noinline]] void pool_worker::leave_search() noexcept {
  searching_ = false;
  if (pool_->idle_.found()) announce();
}

task* pool_worker::search() noexcept {
  if (!searching_) searching_ = pool_->idle_.begin_search();
  if (!searching_) return nullptr;
  const auto& all = pool_->workers();
  random_ = random_ * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX
  const auto start = static_cast<std::size_t>(random_ >> 33) % all.size();
  task* t = nullptr;
  for (std::size_t i = 0; i < all.size() && t == nullptr; ++i) {
    pool_worker& victim = *all[(start + i) % all.size()];
    if (&victim != this) t = steal_from(victim);
  }
  if (t == nullptr && pool_->has_injected()) t = pool_->take_injected(*this, ready.capacity / 2);
  if (t == nullptr) return nullptr;
  searching_ = false;
  if (pool_->idle_.found() || ready.size() != 0) announce();
  return t;
}

task* pool_worker::steal_from(pool_worker& victim) noexcept {
  const std::size_t share = std::min<std::size_t>((victim.ready.size() + 1) / 2, most_stolen);
  task* const first = victim.ready.take();
  if (first == nullptr) return nullptr;
  for (std::size_t i = 1; i < share; ++i) {
    task* const t = victim.ready.take();
    if (t == nullptr) break;
    push(*t, 0);
  }
  return first;
}

// ---- the pool

task_pool::task_pool(std::uint32_t workers, std::uint32_t injection_interval)
    : id_(next_pool_id()),
      injection_interval_(injection_interval),
      idle_(workers),
      outside_(make_slab(this)) {
  workers_.reserve(workers);
}

task_pool::~task_pool() = default;

void task_pool::inject(task* first, task* last, std::size_t n) noexcept {
  last->frames.link = nullptr;
  {
    const std::lock_guard lock(injection_mutex_);
    (last_ != nullptr ? last_->frames.link : reinterpret_cast<void*&>(first_)) = first;
    last_ = last;
    injected_.store(injected_.load(std::memory_order_relaxed) + n, std::memory_order_seq_cst);
  }
  if (idle_.wants_one()) call_one();
}

task* task_pool::take_injected(pool_worker& w, std::size_t most) noexcept {
  const std::lock_guard lock(injection_mutex_);
  const auto there = injected_.load(std::memory_order_relaxed);
  if (there == 0) return nullptr;
  const auto share = std::min({there, there / workers_.size() + 1, most});
  task* const one = first_;
  first_ = static_cast<task*>(one->frames.link);
  std::size_t taken = 1;
  while (taken < share) {
    auto* const rest = static_cast<task*>(first_->frames.link);  // once pushed, others may run it
    if (!w.ready.push(*first_)) break;
    first_ = rest;
    ++taken;
  }
  if (taken > 1) w.newest_ = 0;
  if (first_ == nullptr) last_ = nullptr;
  injected_.store(there - taken, std::memory_order_seq_cst);
  return one;
}

bool task_pool::has_work() const noexcept {
  if (has_injected()) return true;
  for (const pool_worker* w : workers_)
    if (w->ready.size() != 0) return true;
  return false;
}

[[gnu::noinline]] void task_pool::call_one() noexcept {
  const auto who = idle_.call();
  if (who == idle_.nobody) return;
  workers_[who]->called.store(true, std::memory_order_seq_cst);
  workers_[who]->loop.kick();
}

void* task_pool::allocate(std::size_t bytes) noexcept {
  in_flight_.fetch_add(1,
                       std::memory_order_seq_cst);  // partner: shut_down_tasks, which closes first
  void* block = nullptr;
  if (!closed_.load(std::memory_order_seq_cst)) {
    const std::lock_guard lock(outside_mutex_);
    block = outside_->allocate(bytes);
  }
  if (block == nullptr) in_flight_.fetch_sub(1, std::memory_order_release);
  return block;
}

void task_pool::release_unused(void* block) noexcept {
  pool_slab::release(*::new (block) task, nullptr);
  in_flight_.fetch_sub(1, std::memory_order_release);
}

void task_pool::start(task& t, const char* name, const void* site) noexcept {
  const auto id = next_task_id();
  t.refs = 2;
  t.set(task_state::joinable);
  t.remote.store(pool_word::queued, std::memory_order_relaxed);
  started_outside_.fetch_add(1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(outside_mutex_);
    task_slab::info(&t) = task_info{id, name, site};
  }
  if (auto& l = workers_[0]->loop; l.hooks != nullptr) [[unlikely]]
    l.tell(&task_hooks::spawned, t);
  inject(t);
  in_flight_.fetch_sub(1, std::memory_order_release);
}

// ---- the end

void task_pool::stop() noexcept {
  stopping_.store(true, std::memory_order_seq_cst);
  for (pool_worker* w : workers_) {
    w->called.store(true, std::memory_order_seq_cst);
    w->loop.kick();
  }
}

// Of the tasks that nobody answers for, this thread does now.
void task_pool::claim_idle_tasks(std::vector<task*>& claimed) {
  const auto claim = [&claimed](task& t) {
    if (pool_word::ask(t.remote, pool_word::abort, 0) == pool_word::asked::queue)
      claimed.push_back(&t);
  };
  for (pool_worker* w : workers_) w->slab_->for_each(claim);
  const std::lock_guard lock(outside_mutex_);
  outside_->for_each(claim);
}

void task_pool::shut_down_tasks(pool_worker& w, std::int64_t but_for) noexcept {
  closed_.store(true, std::memory_order_seq_cst);
  while (in_flight_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
  const auto live = [this] {
    auto n = started_outside_.load(std::memory_order_relaxed);
    for (const pool_worker* each : workers_) n += each->live;
    return n;
  };
  // A task that is on its way into a queue, by another thread, comes there.
  std::vector<task*> claimed;
  while (live() > but_for) {
    claim_idle_tasks(claimed);
    for (task* t : claimed) w.loop.run_movable(*t);
    claimed.clear();
    for (;;) {
      task* t = take_injected(w, 1);
      for (std::size_t i = 0; i < workers_.size() && t == nullptr; ++i) {
        t = workers_[i]->ready.take();
      }
      if (t == nullptr) break;
      pool_word::ask(t->remote, pool_word::abort, 0);
      w.loop.run_movable(*t);
    }
    if (live() > but_for) std::this_thread::yield();
  }
}

void task_pool::orphan_tasks() noexcept {
  for (pool_worker* w : workers_) w->slab_->orphan();
  outside_->orphan();
}

}}}  // namespace eddy::EDDY_ABI::detail
