#pragma once

#include <concepts>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/promise.hpp>
#include <eddy/core/spawn.hpp>

namespace eddy::inline EDDY_ABI {

namespace detail {

/// Work for a blocking thread; `finish` runs it or not, reports, and frees it.
struct blocking_job {
  blocking_job* next = nullptr;
  scheduler* runtime = nullptr;
  void (*finish)(blocking_job&, bool run) noexcept = nullptr;
  bool mandatory = false;  // once it is in the queue it is run, also when the runtime ends before
};

scheduler* runtime_for_blocking();
error submit_blocking(scheduler* where, blocking_job& job) noexcept;
void begin_blocking(blocking_job& job) noexcept;
void end_blocking(scheduler* runtime, bool ran) noexcept;

template <class R, class F, class... A>
struct blocking_call final : blocking_job {
  template <class... B>
  explicit blocking_call(F f, B&&... args)
      : callable(std::move(f)), arguments(std::forward<B>(args)...) {
    finish = &finish_call;
  }

  static void finish_call(blocking_job& job, bool run) noexcept {
    auto& self = static_cast<blocking_call&>(job);
    scheduler* const runtime = job.runtime;
    promise<R> outcome = std::move(self.outcome);
    // What callable and arguments hold is gone before the outcome is out.
    if (run && !outcome.is_abandoned()) {
      begin_blocking(job);
      result<R> r = self.call();
      delete &self;
      if (!r.has_value())
        outcome.set_error(std::move(r).error());
      else if constexpr (std::is_void_v<R>)
        outcome.set_value();
      else
        outcome.set_value(*std::move(r));
    } else {
      delete &self;
      outcome.set_error(error(errc::aborted, "spawn_blocking"));
    }
    end_blocking(runtime, run);
  }

  result<R> call() noexcept {
#if EDDY_EXCEPTIONS
    try {
#endif
      if constexpr (std::is_void_v<R>) {
        std::apply(std::move(callable), std::move(arguments));
        return result<R>();
      } else {
        return result<R>(std::apply(std::move(callable), std::move(arguments)));
      }
#if EDDY_EXCEPTIONS
    } catch (...) {
      return result<R>(error::current_exception());
    }
#endif
  }

  promise<R> outcome;
  F callable;
  std::tuple<A...> arguments;
};

}  // namespace detail

/// Runs `f(args...)`, an ordinary function that may block or compute for long, on a thread of the
/// runtime's own; `co_await` of the handle gives what it returns or throws.
///
/// Cancel safety: dropping the handle detaches, the job runs all the same. `abort()`: a job that has not
/// started is not started; one that has runs to its end, and its result is dropped.
/// Threads: callable and arguments move to another thread (so they are `is_send`); up to 512 jobs run at once, more wait.
/// Lifetime: nobody waits for a running job: not the end of the runtime, not the end of the program.
/// A job must not refer to what it does not own.
/// Errors: awaiting gives what the system said if no thread could be started, and `join_error` when the
/// runtime ends before the job has started. A thread that is on no runtime: throws `std::logic_error`.
/// Cost: some small blocks (job, outcome, task) and two changes of thread.
template <class F, class... A>
  requires std::invocable<std::decay_t<F>, std::decay_t<A>...>
auto spawn_blocking(F&& f, A&&... args) {
  using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>;
  static_assert(
      !detail::is_future_v<R>,
      "eddy: spawn_blocking wants an ordinary function; spawn runs one that returns a future");
  static_assert(
      is_send_v<R> && is_send_v<std::decay_t<F>> && (is_send_v<std::decay_t<A>> && ...),
      "eddy: a blocking job runs on another thread: its callable, arguments and result are "
      "is_send");
  using call = detail::blocking_call<R, std::decay_t<F>, std::decay_t<A>...>;
  detail::scheduler* const where = detail::runtime_for_blocking();
  auto* job = new call(std::forward<F>(f), std::forward<A>(args)...);
  auto outcome = job->outcome.get_future();
  auto handle = detail::spawn_future(detail::task_origin{where, "spawn_blocking", nullptr},
                                     std::move(outcome));
  static_cast<void>(detail::submit_blocking(where, *job));  // a refusal has reached the promise
  return handle;
}

}  // namespace eddy::inline EDDY_ABI
