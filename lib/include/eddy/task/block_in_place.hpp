#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/future.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// While it lives this thread is in no loop: another thread drives the one it has been in.
class lent_loop {
 public:
  lent_loop();
  lent_loop(const lent_loop&) = delete;
  ~lent_loop();

 private:
  struct state;
  state* state_ = nullptr;  // null: there is nothing to come back to
  alignas(8) std::byte memory_[112];
};

}  // namespace detail

/// Runs `f(args...)`, an ordinary function that blocks or computes for long, in this task and on this thread, while a
/// blocking thread drives the worker's loop: for what cannot move to another thread, as `spawn_blocking` needs it. In
/// `f` this thread runs no task: it may `handle::block_on`, drive a runtime of its own, call what begins with
/// `blocking_`, and has no budget. What is this task's own, its id and its `task_local`s, is there.
///
/// It waits twice: for `f`, and for the loop, until the task that is polled on it just then lets go. So `f` must not
/// leave locked what such a poll locks by blocking, and nothing of the task goes on meanwhile: no other branch of a
/// select or join.
/// Threads: in a task of a pool that may move, or in block_on's own future. The loop's other tasks go on meanwhile,
/// also the local ones, on that other thread: `f` must not touch what they share without locks, nor a `context`. Outside
/// of runtimes, on a blocking thread, in another `block_in_place`, and in callbacks of a pool's loop it just calls `f`.
/// Lifetime: the runtime's end waits for `f`; all other tasks have been destroyed by then.
/// Errors: what `f` throws. In a task of a `current_thread` runtime, in one that stays on its worker (`spawn_local`,
/// `spawn_on`) or in a `local_set` it throws `std::logic_error`, and `f` is not called. When the system gives no
/// thread, the loop stands still while `f` runs.
/// Cost: the loop goes to another thread and back: two changes of thread, unless `f` was quicker. A thread for each that
/// blocks at the same time; they do not count among `builder::max_blocking_threads`.
template <class F, class... A>
  requires std::invocable<F, A...>
std::invoke_result_t<F, A...> block_in_place(F&& f, A&&... args) {
  static_assert(!detail::is_future_v<std::remove_cvref_t<std::invoke_result_t<F, A...>>>,
                "eddy: block_in_place wants an ordinary function; await what returns a future");
  const detail::lent_loop lent;
  return std::forward<F>(f)(std::forward<A>(args)...);
}

}}  // namespace eddy::EDDY_ABI
