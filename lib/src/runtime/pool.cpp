#include "runtime/pool.hpp"

#include <pthread.h>

#include <memory>
#include <utility>

#include <eddy/base/detail/misuse.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

// One callable for all loops; `function` is not copied.
function<void()> shared(const std::shared_ptr<function<void()>>& f) {
  if (!*f) return {};
  return [f] { (*f)(); };
}

}  // namespace

pool::pool(loop_options&& options)
    : task_pool(options.workers, options.injection_interval),
      thread_name_(std::move(options.thread_name)),
      on_thread_start_(std::move(options.on_thread_start)),
      on_thread_stop_(std::move(options.on_thread_stop)) {
  on_failure = std::move(options.on_failure);
}

result<loop*> pool::make(loop_options options) {
  if (options.start_paused)
    misuse("builder::start_paused: a pool's clock cannot be paused; use current_thread");
  if (options.shuffle_ready)
    misuse("builder::shuffle_ready: a pool has no order to repeat; use current_thread");
  if (options.stop_on_failure)
    misuse("builder::unhandled_panic: a pool does not shut itself down; use current_thread");
  const auto n = options.workers;
  const auto on_park = std::make_shared<function<void()>>(std::move(options.on_park));
  const auto on_unpark = std::make_shared<function<void()>>(std::move(options.on_unpark));
  const auto on_start = std::make_shared<function<void()>>(std::move(options.on_thread_start));
  const auto on_stop = std::make_shared<function<void()>>(std::move(options.on_thread_stop));
  options.on_thread_start = shared(on_start);
  options.on_thread_stop = shared(on_stop);
  blocking_options blocking = std::move(options.blocking);
  auto p = std::make_shared<pool>(std::move(options));
  for (std::uint32_t i = 0; i < n; ++i) {
    loop_options each;
    each.event_interval = options.event_interval;
    if (options.seed) each.seed = *options.seed + i;
    each.name = options.name;
    each.hooks = options.hooks;
    each.on_park = shared(on_park);
    each.on_unpark = shared(on_unpark);
    if (i == 0) {
      each.blocking = std::move(blocking);
      each.on_thread_start = shared(on_start);
      each.on_thread_stop = shared(on_stop);
    }
    auto made = loop::make(std::move(each), nullptr);
    if (!made) {
      p->end();
      return std::move(made).error();
    }
    p->loops_.push_back(*made);
    (*made)->join_pool(p, i);
    if (i != 0) (*made)->share_blocking_threads(*p->loops_[0]);
  }
  for (loop* l : p->loops_)
    if (error e = p->start_thread(*l)) {
      p->end();
      return e;
    }
  return p->loops_[0];
}

struct pool::thread_start {
  pool* owner;
  loop* which;
};

error pool::start_thread(loop& l) noexcept {
  auto start = std::make_unique<thread_start>(thread_start{this, &l});
  pthread_t id;
  const int rc = pthread_create(
      &id, nullptr,
      [](void* p) -> void* {
        const std::unique_ptr<thread_start> mine(static_cast<thread_start*>(p));
        run(*mine);
        return nullptr;
      },
      start.get());
  if (rc != 0) return error::system(rc, "runtime: a thread");
  static_cast<void>(start.release());
  threads_.push_back(id);
  return {};
}

void pool::run(thread_start start) noexcept {
  pool& p = *start.owner;
  loop& l = *start.which;
#if defined(__linux__)
  const auto number = '-' + std::to_string(l.worker()->number);
  pthread_setname_np(pthread_self(),
                     (p.thread_name_.substr(0, 15 - number.size()) + number).c_str());
#endif
  if (p.on_thread_start_) p.on_thread_start_();
  l.work();
  if (p.on_thread_stop_) p.on_thread_stop_();
}

loop* pool::take_next_loop() noexcept {
  const std::lock_guard lock(loops_mutex_);
  if (loops_.empty()) return nullptr;
  loop* const l = loops_[turn_++ % loops_.size()];
  l->retain();
  return l;
}

loop* pool::take_loop(std::size_t worker) noexcept {
  const std::lock_guard lock(loops_mutex_);
  if (loops_.empty()) return nullptr;
  loops_[worker]->retain();
  return loops_[worker];
}

void pool::stop_threads() noexcept {
  stop();
  free_absent_threads();
  for (const pthread_t t : threads_) pthread_join(t, nullptr);
  threads_.clear();
  for (loop* l : loops_) {
    l->drivers().take_last();  // stand-ins have no thread to join
    l->drivers().ending = true;
    l->leave_thread();
  }
}

// I3
void pool::free_absent_threads() noexcept {
  relay::missing missing;
  for (loop* l : loops_) {
    l->take_over();
    l->drivers().ending = true;
    const auto here = l->drivers().count_absent();
    missing.all += here.all;
    missing.movable += here.movable;
  }
  if (missing.all != 0) {
    for (loop* l : loops_) l->refuse_starts();
    for (loop* l : loops_) {
      const owner_scope owner(*l);
      l->drain_inbox();
      l->cancel_all();
    }
    const owner_scope owner(*loops_[0]);
    shut_down_tasks(*loops_[0]->worker(), static_cast<std::int64_t>(missing.movable));
  }
  for (loop* l : loops_) {
    l->drivers().ending = false;
    l->drivers().give();
  }
}

// Runs the loops' ends; the pool itself goes with the last of them.
void pool::drop_loops() noexcept {
  const auto loops = [this] {
    const std::lock_guard lock(loops_mutex_);
    return std::exchange(loops_, {});
  }();
  for (loop* l : loops) l->shut_down();
  orphan_tasks();
  for (loop* l : loops) l->scheduler::release();
}

void pool::shut_down() noexcept {
  bool mine = this_thread().pool == id();
  for (loop* l : loops_) mine = mine || l->drivers().is_absent_here();
  if (mine) fatal("a runtime was destroyed by one of its own tasks");
  loops_[0]->blocking()->close();
  end();
}

// Also of a pool that could not be made whole: its hooks may have spawned.
void pool::end() noexcept {
  stop_threads();
  if (!loops_.empty()) {
    const owner_scope owner(*loops_[0]);
    shut_down_tasks(*loops_[0]->worker());
  }
  drop_loops();
}

}}}  // namespace eddy::EDDY_ABI::detail
