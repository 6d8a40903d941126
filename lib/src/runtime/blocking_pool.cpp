#include "runtime/blocking_pool.hpp"

#include <limits.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <utility>

#include <eddy/base/detail/misuse.hpp>

#include "runtime/loop.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

error runtime_has_ended() noexcept {
  return error(errc::aborted, "spawn_blocking: the runtime has ended");
}
error no_thread() noexcept { return error::system(EAGAIN, "spawn_blocking: a thread"); }

void refuse(blocking_job& job, error why) noexcept {
  job.why = std::move(why);
  job.finish(job, false);
}

}  // namespace

void blocking_pool::enqueue(blocking_job& job) noexcept {
  if (job.extra) {
    job.next = std::exchange(first_, &job);
    if (last_ == nullptr) last_ = &job;
    return;
  }
  job.next = nullptr;
  (last_ != nullptr ? last_->next : first_) = &job;
  last_ = &job;
}

error blocking_pool::submit(blocking_job& job) noexcept {
  locked lock(lock_);
  if (closed_) {
    lock.unlock();
    refuse(job, runtime_has_ended());
    return error(errc::closed, "spawn_blocking");
  }
  if (job.extra) ++extra_;
  if (worker* const w = asleep_) {
    asleep_ = w->below;
    lock.unlock();
    w->wake(&job);
    return {};
  }
  // A place is taken before the thread is there, so that starting it needs no lock.
  const bool one_more = threads_ < limit();
  if (one_more) ++threads_;
  enqueue(job);
  lock.unlock();
  if (!one_more || start_thread()) return {};
  lock.relock(lock_);
  if (--threads_ != 0) return {};
  // Nobody will ever take what is there. All of it has come since the last thread ended, so no other of these
  // submits is past the point where it counts.
  blocking_job* refused = std::exchange(first_, nullptr);
  last_ = nullptr;
  extra_ = 0;  // no thread is left that would have one
  lock.unlock();
  while (refused != nullptr) {
    blocking_job* const j = std::exchange(refused, refused->next);
    refuse(*j, no_thread());
  }
  return no_thread();
}

bool blocking_pool::start_thread() noexcept {
  struct start {
    std::shared_ptr<blocking_pool> pool;
  };
  auto* s = new start{shared_from_this()};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  if (options_.stack_size != 0)
    pthread_attr_setstacksize(&attributes,
                              std::max<std::size_t>(options_.stack_size, PTHREAD_STACK_MIN));
  {
    const std::lock_guard guard(ended_mutex_);
    ++alive_;
  }
  // Signals are for the threads the program knows of.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t id;
  const int rc = pthread_create(
      &id, &attributes,
      [](void* p) -> void* {
        const auto pool = std::move(static_cast<start*>(p)->pool);
        delete static_cast<start*>(p);
        pool->work();
        return nullptr;
      },
      s);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (rc != 0) {
    delete s;
    thread_ended();
    return false;
  }
  return true;
}

void blocking_pool::worker::wake(blocking_job* with) noexcept {
  job = with;
  place.unpark();
}

void blocking_pool::thread_ended() noexcept {
  const std::lock_guard guard(ended_mutex_);
  if (--alive_ == 0) ended_.notify_all();
}

bool blocking_pool::wait(std::chrono::nanoseconds limit) noexcept {
  std::unique_lock guard(ended_mutex_);
  // Beyond a year the sum with the clock might overflow.
  return ended_.wait_for(guard, std::min<std::chrono::nanoseconds>(limit, std::chrono::hours(8760)),
                         [this] { return alive_ == 0; });
}

void blocking_pool::work() noexcept {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), options_.thread_name.substr(0, 15).c_str());
#endif
  if (options_.on_thread_start) options_.on_thread_start();
  take_jobs();
  if (options_.on_thread_stop) options_.on_thread_stop();
  thread_ended();
}

void blocking_pool::take_jobs() noexcept {
  locked lock(lock_);
  worker* self = spare_;
  if (self != nullptr) spare_ = self->below;
  lock.unlock();
  if (self == nullptr) self = new worker;
  run_jobs(*self);
  lock.relock(lock_);
  self->below = std::exchange(spare_, self);
}

blocking_pool::~blocking_pool() {
  while (spare_ != nullptr) {
    worker* const w = std::exchange(spare_, spare_->below);
    delete w;
  }
}

void blocking_pool::run_jobs(worker& self) noexcept {
  locked lock(lock_);
  for (;;) {
    blocking_job* job = first_;
    if (job != nullptr) {
      first_ = job->next;
      if (first_ == nullptr) last_ = nullptr;
    } else if (closed_) {
      break;
    } else {
      self.below = std::exchange(asleep_, &self);
    }
    lock.unlock();
    if (job == nullptr) job = sleep(self);
    const bool extra = job != nullptr && job->extra;
    if (job != nullptr) job->finish(*job, true);
    lock.relock(lock_);
    if (extra) --extra_;
    if (job == nullptr && first_ == nullptr) break;
    if (threads_ > limit()) break;
  }
  --threads_;
}

// The job it was woken for; null when it is to end.
blocking_job* blocking_pool::sleep(worker& self) noexcept {
  if (!self.place.park_for(options_.keep_alive)) {
    if (forget(self)) return nullptr;
    while (!self.place.park_for(options_.keep_alive)) {
    }  // somebody has just taken it from the list
  }
  return self.job;
}

// Takes it off the list. False: it is not there any more.
bool blocking_pool::forget(worker& self) noexcept {
  const locked lock(lock_);
  worker** at = &asleep_;
  while (*at != nullptr && *at != &self) at = &(*at)->below;
  if (*at == nullptr) return false;
  *at = self.below;
  return true;
}

void blocking_pool::close() noexcept {
  locked lock(lock_);
  closed_ = true;
  worker* sleeping = std::exchange(asleep_, nullptr);
  blocking_job* refused = nullptr;
  blocking_job** refused_end = &refused;
  blocking_job* rest = std::exchange(first_, nullptr);
  last_ = nullptr;
  while (rest != nullptr) {
    blocking_job* const job = std::exchange(rest, rest->next);
    if (job->mandatory) {
      enqueue(*job);
    } else {
      job->next = nullptr;
      *refused_end = job;
      refused_end = &job->next;
    }
  }
  lock.unlock();
  while (sleeping != nullptr) {
    worker* const w = std::exchange(sleeping, sleeping->below);
    w->wake(nullptr);
  }
  while (refused != nullptr) {
    blocking_job* const job = std::exchange(refused, refused->next);
    refuse(*job, runtime_has_ended());
  }
}

// ---- jobs and their runtime

error submit_blocking(scheduler* where, blocking_job& job) noexcept {
  auto& l = loop::from(*where);
  job.runtime = where;
  where->retain();
  l.blocking_jobs.fetch_add(1, std::memory_order_relaxed);
  if (l.is_borrowed()) l.nudge();  // its host's loop lives while there are jobs
  return l.blocking()->submit(job);
}

void begin_blocking(blocking_job& job) noexcept { this_thread().current = job.runtime; }

void end_blocking(scheduler* runtime, bool ran) noexcept {
  if (ran) this_thread().current = nullptr;
  auto& l = loop::from(*runtime);
  // After the result is out: a paused clock may only go on once its receiver is queued.
  l.blocking_jobs.fetch_sub(1, std::memory_order_seq_cst);  // partners: loop::park, loop::pause
  if (l.is_paused() || l.is_borrowed()) l.nudge();
  runtime->release();
}

scheduler* runtime_for_blocking() {
  auto* s = this_thread().current;
  if (s == nullptr) misuse("spawn_blocking: this thread is not on a runtime");
  return s;
}

void* allocate_job(std::size_t bytes) {
  void* const block = frame_allocate(bytes);
  if (block == nullptr) {
#if EDDY_EXCEPTIONS
    throw std::bad_alloc();
#else
    fatal("out of memory");
#endif
  }
  return block;
}

void blocking_task_job::finish_blocking_task(blocking_job& job, bool run) noexcept {
  blocking_task& work = *static_cast<blocking_task_job&>(job).work;
  scheduler* const runtime = job.runtime;
  if (run) {
    begin_blocking(job);
    run_blocking_task(work);
  } else {
    refuse_blocking_task(work, std::move(job.why));
  }
  end_blocking(runtime, run);
  leave_blocking_task(work);
}

}}}  // namespace eddy::EDDY_ABI::detail
