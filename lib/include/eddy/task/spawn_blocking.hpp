#pragma once

#include <concepts>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/send.hpp>
#include <eddy/config.hpp>
#include <eddy/task/detail/blocking_task.hpp>
#include <eddy/task/join_handle.hpp>
#include <eddy/task/spawn.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// Work for a blocking thread; `finish` runs it or not, reports, and frees it.
struct blocking_job {
  blocking_job* next = nullptr;
  scheduler* runtime = nullptr;
  void (*finish)(blocking_job&, bool run) noexcept = nullptr;
  error why;  // it is not run
  bool mandatory =
      false;  // once it is in the queue it is run, also when the runtime has ended meanwhile
  bool extra = false;  // goes before all others, on a thread beyond the limit: a worker's loop
};

scheduler* runtime_for_blocking();
/// The job is the threads' from here on. An error when it could not be taken: it has been finished unrun, with that.
error submit_blocking(scheduler* where, blocking_job& job) noexcept;
void begin_blocking(blocking_job& job) noexcept;
void end_blocking(scheduler* runtime, bool ran) noexcept;

/// A job whose outcome a join handle has.
struct blocking_task_job : blocking_job {
  explicit blocking_task_job(blocking_task& w) noexcept : work(&w) {
    finish = &finish_blocking_task;
  }
  static void finish_blocking_task(blocking_job& job, bool run) noexcept;
  blocking_task* work;
};

template <class R, class F, class... A>
struct blocking_call final : blocking_body<R, F, A...>, blocking_task_job {
  template <class... B>
  explicit blocking_call(F&& f, B&&... args)
      : blocking_body<R, F, A...>(std::move(f), std::forward<B>(args)...),
        blocking_task_job(static_cast<blocking_task&>(*this)) {
    this->free = &free_call;
  }
  static void free_call(task& t) noexcept {
    auto& self = static_cast<blocking_call&>(blocking_body<R, F, A...>::of(t));
    self.~blocking_call();
    frame_release(&self, sizeof(blocking_call));
  }
};

/// A block for a job; throws when there is no memory.
void* allocate_job(std::size_t bytes);

template <class F, class... A>
auto spawn_job(bool mandatory, const void* site, F&& f, A&&... args) {
  using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>;
  static_assert(
      !is_future_v<R>,
      "eddy: spawn_blocking wants an ordinary function; spawn runs one that returns a future");
  static_assert(
      is_send_v<R> && is_send_v<std::decay_t<F>> && (is_send_v<std::decay_t<A>> && ...),
      "eddy: a blocking job runs on another thread: its callable, arguments and result are "
      "is_send");
  using call = blocking_call<R, std::decay_t<F>, std::decay_t<A>...>;
  static_assert(alignof(call) <= 64,
                "eddy: a blocking job's callable, arguments and result have alignment 64 at most");
  scheduler* const where = runtime_for_blocking();
  struct give_back {
    void* memory;
    ~give_back() {
      if (memory != nullptr) frame_release(memory, sizeof(call));
    }
  } guard{allocate_job(sizeof(call))};
  auto* const job =
      ::new (guard.memory) call(std::decay_t<F>(std::forward<F>(f)), std::forward<A>(args)...);
  guard.memory = nullptr;
  job->mandatory = mandatory;
  auto handle =
      join_access::make<R>(*job, start_blocking_task(*job, *job, *where, "spawn_blocking", site));
  static_cast<void>(submit_blocking(where, *job));  // a refusal has reached the handle
  return handle;
}

}  // namespace detail

/// Runs `f(args...)`, an ordinary function that may block or compute for long, on a thread of the
/// runtime's own; `co_await` of the handle gives what it returns or throws.
///
/// Cancel safety: dropping the handle detaches, the job runs all the same. `abort()`: a job that has not
/// started is not started, and its handle says so at once; one that has started runs to its end.
/// Threads: callable and arguments move to another thread (so they are `is_send`); up to 512 jobs run at once
/// (`builder::max_blocking_threads`), more wait. The handle may be awaited on any runtime.
/// Lifetime: nobody waits for a running job: not the end of the runtime (but `runtime::shutdown_timeout`), not the
/// end of the program. A job must not refer to what it does not own. Its handle gives its outcome even then.
/// Errors: awaiting gives what the system said if no thread could be started, and an error equal to
/// `errc::aborted` when the runtime has ended before the job has started. A thread that is on no runtime: throws
/// `std::logic_error`.
/// Cost: two blocks, the job and what its handle waits for, and two changes of thread.
template <class F, class... A>
  requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
auto spawn_blocking(F&& f, A&&... args) {
  return detail::spawn_job(false, nullptr, std::forward<F>(f), std::forward<A>(args)...);
}
template <class F>
  requires std::invocable<std::decay_t<F>>
auto spawn_blocking(F&& f, const void* site = __builtin_source_location()) {
  return detail::spawn_job(false, site, std::forward<F>(f));
}

/// The same for work that must not be forgotten: a write. Once this has returned it is run, even if the runtime ends
/// before it has started; `shutdown_timeout` waits for it, and the end of the program does not.
/// Errors: refused when the runtime has ended already: the handle gives an error equal to `errc::aborted`.
template <class F, class... A>
  requires std::invocable<std::decay_t<F>, std::decay_t<A>...>
auto spawn_mandatory_blocking(F&& f, A&&... args) {
  return detail::spawn_job(true, nullptr, std::forward<F>(f), std::forward<A>(args)...);
}

}}  // namespace eddy::EDDY_ABI
