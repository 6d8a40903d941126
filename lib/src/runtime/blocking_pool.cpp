#include "runtime/blocking_pool.hpp"

#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "runtime/loop.hpp"

namespace eddy::inline EDDY_ABI::detail {

std::shared_ptr<blocking_pool> blocking_pool::make() { return std::make_shared<blocking_pool>(); }

error blocking_pool::submit(blocking_job& job) noexcept {
  std::unique_lock lock(mutex_);
  if (closed_) {
    lock.unlock();
    job.finish(job, false);
    return error(errc::closed, "spawn_blocking");
  }
  job.next = nullptr;
  (last_ != nullptr ? last_->next : first_) = &job;
  last_ = &job;
  ++queued_;
  if (idle_ >= queued_) {
    filled_.notify_one();
    return {};
  }
  if (threads_ == most_threads || start_thread() || threads_ != 0) return {};
  // Nobody will ever take it.
  first_ = last_ = nullptr;
  queued_ = 0;
  lock.unlock();
  job.finish(job, false);
  return error::system(EAGAIN, "spawn_blocking: a thread");
}

bool blocking_pool::start_thread() noexcept {
  struct start {
    std::shared_ptr<blocking_pool> pool;
  };
  auto* s = new start{shared_from_this()};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
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
    return false;
  }
  ++threads_;
  return true;
}

void blocking_pool::work() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (first_ != nullptr) {
      blocking_job& job = *first_;
      first_ = job.next;
      if (first_ == nullptr) last_ = nullptr;
      --queued_;
      lock.unlock();
      job.finish(job, true);
      lock.lock();
      continue;
    }
    if (closed_) break;
    ++idle_;
    const bool woken =
        filled_.wait_for(lock, keep_alive, [this] { return first_ != nullptr || closed_; });
    --idle_;
    if (!woken) break;
  }
  --threads_;
}

void blocking_pool::close() noexcept {
  std::unique_lock lock(mutex_);
  closed_ = true;
  blocking_job* job = std::exchange(first_, nullptr);
  last_ = nullptr;
  queued_ = 0;
  filled_.notify_all();
  lock.unlock();
  while (job != nullptr) {
    blocking_job* const next = job->next;
    job->finish(*job, false);
    job = next;
  }
}

error submit_blocking(scheduler* where, blocking_job& job) noexcept {
  auto& l = loop::from(*where);
  job.runtime = where;
  where->retain();
  l.blocking_jobs.fetch_add(1, std::memory_order_relaxed);
  return l.blocking().submit(job);
}

void begin_blocking(blocking_job& job) noexcept { this_thread().current = job.runtime; }

void end_blocking(scheduler* runtime, bool ran) noexcept {
  if (ran) this_thread().current = nullptr;
  auto& l = loop::from(*runtime);
  // After the result is out: a paused clock may only go on once its receiver is queued.
  l.blocking_jobs.fetch_sub(1, std::memory_order_seq_cst);  // partner: loop::park
  l.nudge();
  runtime->release();
}

scheduler* runtime_for_blocking() {
  auto* s = this_thread().current;
  if (s == nullptr) misuse("spawn_blocking: this thread is not on a runtime");
  return s;
}

}  // namespace eddy::inline EDDY_ABI::detail
