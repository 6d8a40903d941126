#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/future.hpp>
#include <eddy/task/detail/placement.hpp>
#include <eddy/task/join_handle.hpp>
#include <eddy/task/spawn.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {
template <class... X>
auto spawn_on_worker(scheduler& runtime, std::uint32_t worker, const void* site, X&&... x) {
  const host_scope host(runtime);
  const loop_place place(runtime, worker);
  return spawn_sent(task_origin{&place.loop(), nullptr, site, /*portable*/ true, /*pinned*/ true,
                                /*sent*/ true},
                    std::forward<X>(x)...);
}
}  // namespace detail

/// As `spawn`, for a task that stays on one worker of the pool: that of number `worker`, from 0. It is never stolen,
/// what it spawns with `spawn_local` stays beside it, and sockets and timers that it makes are that loop's. So a program
/// may divide its data among the workers and needs no lock. A `current_thread` runtime has worker 0.
///
/// Threads: always that worker's thread, but for polls while another task has lent the loop (`block_in_place`). What it
/// is made of comes from this thread: it is `is_send`, as for `spawn`. The handle may be awaited anywhere.
/// Errors: as `spawn`; a worker that the runtime has not (`handle::worker_count`) is misuse.
/// Cost: the task, a block for its handle to wait on, and for another loop's worker the way through its inbox.
template <class T>
join_handle<T> spawn_on(std::uint32_t worker, future<T> f,
                        const void* site = __builtin_source_location()) {
  return detail::spawn_on_worker(detail::current_runtime("spawn_on"), worker, site, std::move(f));
}
template <class F>
  requires(!detail::is_future_v<std::remove_cvref_t<F>> && std::invocable<std::decay_t<F>>)
auto spawn_on(std::uint32_t worker, F&& f, const void* site = __builtin_source_location()) {
  return detail::spawn_on_worker(detail::current_runtime("spawn_on"), worker, site,
                                 std::forward<F>(f));
}
template <class F, class... A>
  requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
auto spawn_on(std::uint32_t worker, F&& f, A&&... args) {
  return detail::spawn_on_worker(detail::current_runtime("spawn_on"), worker, nullptr,
                                 std::forward<F>(f), std::forward<A>(args)...);
}

}}  // namespace eddy::EDDY_ABI
