#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/function.hpp>
#include <eddy/config.hpp>
#include <eddy/task/spawn.hpp>
#include <eddy/task/spawn_on.hpp>

struct uv_loop_s;  // libuv's uv_loop_t

namespace eddy { inline namespace EDDY_ABI {

class runtime;
class handle;

namespace detail {

struct loop_options;
struct runtime_access;

/// Turns the loop until the task behind `link` has ended; its state then.
std::uint32_t drive(scheduler& where, join_link& link);
template <class T>
T block_on_future(scheduler& runtime, future<T> f, const void* site) {
  const loop_place place(runtime);
  scheduler& where = place.loop();
  if (f.valid())
    future_access::promise(f).clear(promise_base::capturing);  // its lambda outlives this call
  auto h = spawn_future(task_origin{&where, "block_on", site, /*portable*/ true, /*pinned*/ true,
                                    false, /*root*/ true},
                        std::move(f));
  auto r = join_access::take(h, drive(where, *join_access::link(h)));
  if (!r.has_value()) raise(std::move(r).error());
  if constexpr (!std::is_void_v<T>) return *std::move(r);
}

template <class F>
future<typename std::invoke_result_t<F&>::value_type> call_in_frame(F f) {
  co_return co_await f();
}

template <class Leaf>
future<typename outcome_of<Leaf>::value_type> await_in_frame(Leaf leaf) {
  co_return co_await leaf;
}

/// A leaf, or a callable that returns a future.
template <class X>
decltype(auto) block_on_other(scheduler& runtime, X&& x, const void* site) {
  if constexpr (pollable<X>)
    return block_on_future(runtime, await_in_frame<X>(std::forward<X>(x)), site);
  else
    return block_on_future(runtime, call_in_frame<std::decay_t<X>>(std::forward<X>(x)), site);
}

/// Awaits `f`; gives 0, the exit status.
future<int> with_status(future<> f);

}  // namespace detail

/// Tells the runtimes of a process from each other, also from those that have ended.
struct runtime_id {
  std::uint32_t value = 0;  ///< 0: none
  friend auto operator<=>(const runtime_id&, const runtime_id&) = default;
};

/// Keeps a thread inside a runtime: `spawn`, `spawn_blocking` and `clock::now` mean that one. (A socket is made
/// in a task: it belongs to the loop that polls it.) Ends with its scope.
/// Lifetime: must end on the thread it began on, in reverse order of nesting.
class [[nodiscard]] enter_guard {
 public:
  using not_send = void;
  enter_guard(const enter_guard&) = delete;
  ~enter_guard();

 private:
  friend class runtime;
  friend class handle;
  explicit enter_guard(detail::scheduler& s) noexcept;
  detail::scheduler* before_;
  detail::scheduler* entered_;
};

/// Refers to a runtime: copy it, keep it, give it to other threads.
///
/// Threads: everything here, from any thread.
/// Lifetime: may outlive the runtime; spawning then gives a handle that says "aborted".
class handle {
 public:
  handle(const handle& other) noexcept;
  handle(handle&& other) noexcept : scheduler_(std::exchange(other.scheduler_, nullptr)) {}
  handle& operator=(handle other) noexcept {
    std::swap(scheduler_, other.scheduler_);
    return *this;
  }
  ~handle();

  /// The runtime this thread is on. Errors: none is misuse; ask `has_current()`.
  static handle current();
  /// Whether this thread is on a runtime: in a task or blocking job, or while an `enter_guard` lives.
  static bool has_current() noexcept;

  /// Runs `f` as a task of that runtime, from wherever; the join handle can be awaited anywhere.
  /// Errors: as the function `spawn`, which says what must be `is_send`.
  template <class T>
  join_handle<T> spawn(future<T> f, const void* site = __builtin_source_location()) const {
    const detail::host_scope host(*scheduler_);
    return detail::spawn_sent(detail::task_origin{scheduler_, nullptr, site, true}, std::move(f));
  }
  template <class F>
    requires(!detail::is_future_v<std::remove_cvref_t<F>> && std::invocable<std::decay_t<F>>)
  auto spawn(F&& f, const void* site = __builtin_source_location()) const {
    const detail::host_scope host(*scheduler_);
    return detail::spawn_sent(detail::task_origin{scheduler_, nullptr, site, true},
                              std::forward<F>(f));
  }
  template <class F, class... A>
    requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  auto spawn(F&& f, A&&... args) const {
    const detail::host_scope host(*scheduler_);
    return detail::spawn_sent(detail::task_origin{scheduler_, nullptr, nullptr, true},
                              std::forward<F>(f), std::forward<A>(args)...);
  }
  /// As the function `spawn_on`, from wherever.
  template <class T>
  join_handle<T> spawn_on(std::uint32_t worker, future<T> f,
                          const void* site = __builtin_source_location()) const {
    return detail::spawn_on_worker(*scheduler_, worker, site, std::move(f));
  }
  template <class F>
    requires(!detail::is_future_v<std::remove_cvref_t<F>> && std::invocable<std::decay_t<F>>)
  auto spawn_on(std::uint32_t worker, F&& f, const void* site = __builtin_source_location()) const {
    return detail::spawn_on_worker(*scheduler_, worker, site, std::forward<F>(f));
  }
  template <class F, class... A>
    requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  auto spawn_on(std::uint32_t worker, F&& f, A&&... args) const {
    return detail::spawn_on_worker(*scheduler_, worker, nullptr, std::forward<F>(f),
                                   std::forward<A>(args)...);
  }
  /// How many workers the runtime has; 1: `current_thread`.
  std::uint32_t worker_count() const noexcept;
  /// As `runtime::block_on`, from any thread that runs no task, a blocking job's or a `block_in_place`'s for one.
  /// It turns the loop of a current_thread runtime if nobody else does.
  /// Errors: when the runtime ends before `f`, or has ended, `f` is destroyed and `join_error` thrown. An attached
  /// runtime is turned by its host: misuse.
  template <class T>
  T block_on(future<T> f, const void* site = __builtin_source_location()) const {
    return detail::block_on_future(*scheduler_, std::move(f), site);
  }
  template <class X>
    requires(!detail::is_future_v<std::remove_cvref_t<X>>)
  decltype(auto) block_on(X&& x, const void* site = __builtin_source_location()) const {
    return detail::block_on_other(*scheduler_, std::forward<X>(x), site);
  }
  /// While the guard lives this thread is on that runtime.
  enter_guard enter() const noexcept { return enter_guard(*scheduler_); }
  /// Of the runtime: the same for all its handles.
  runtime_id id() const noexcept;
  /// The name given to the builder; empty: none.
  std::string_view name() const noexcept;

 private:
  friend class runtime;
  friend class attachment;
  explicit handle(detail::scheduler& s) noexcept;
  detail::scheduler* scheduler_;
};

/// A runtime that rides on a loop its host turns; made by `runtime::attach`.
///
/// Threads: made, used and detached on the loop's thread; `get_handle()` gives what other threads may use.
/// Lifetime: detach, or destroy this, before the host closes its loop, and turn the loop once more.
class attachment {
 public:
  attachment(attachment&& other) noexcept : scheduler_(std::exchange(other.scheduler_, nullptr)) {}
  attachment& operator=(attachment&&) = delete;
  ~attachment() { detach(); }

  /// Errors: after detach it is misuse.
  handle get_handle() const {
    if (scheduler_ == nullptr) detail::misuse("an attachment was used after detach");
    return handle(*scheduler_);
  }
  /// As `handle::spawn`: a task of this runtime, which runs in the host's turns.
  template <class X>
  auto spawn(X&& x, const void* site = __builtin_source_location()) const {
    return get_handle().spawn(std::forward<X>(x), site);
  }
  template <class F, class... A>
    requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  auto spawn(F&& f, A&&... args) const {
    return get_handle().spawn(std::forward<F>(f), std::forward<A>(args)...);
  }
  /// Ends the runtime: its tasks are destroyed now, its handles are closed at the host's next turn; then
  /// `done` is called and nothing of eddy is left in the loop. A second call does nothing.
  void detach(function<void()> done = {});

 private:
  friend class runtime;
  explicit attachment(detail::scheduler& s) noexcept : scheduler_(&s) {}
  detail::scheduler* scheduler_;
};

/// One loop, or a pool of them, and the tasks on it.
///
/// Lifetime: dropping it destroys every task (a running blocking job is left behind), closes every handle
/// and its loops. Not from a task of its own.
/// Threads: `block_on` from any thread that runs no task; while one thread drives, others wait for their
/// turn or for their own task to end. The rest from any thread.
class runtime {
 public:
  class builder;

  /// A current_thread runtime with the defaults. Errors: out of descriptors or memory throws `failure`.
  runtime();
  runtime(runtime&& other) noexcept : scheduler_(std::exchange(other.scheduler_, nullptr)) {}
  runtime& operator=(runtime&&) = delete;
  ~runtime();

  /// Runs `f` and everything spawned until `f` has ended; its value, or throws what it threw. Other tasks
  /// stay where they are and go on in the next block_on.
  /// Errors: from inside a task (of any runtime) it is misuse.
  template <class T>
  T block_on(future<T> f, const void* site = __builtin_source_location()) {
    return detail::block_on_future(*scheduler_, std::move(f), site);
  }
  /// The same for a leaf, or for a callable that returns a future (captures are safe).
  template <class X>
    requires(!detail::is_future_v<std::remove_cvref_t<X>>)
  decltype(auto) block_on(X&& x, const void* site = __builtin_source_location()) {
    return detail::block_on_other(*scheduler_, std::forward<X>(x), site);
  }
  /// As `handle::spawn`: a task of this runtime, which on one loop runs once somebody is in `block_on`.
  template <class X>
  auto spawn(X&& x, const void* site = __builtin_source_location()) const {
    return get_handle().spawn(std::forward<X>(x), site);
  }
  template <class F, class... A>
    requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  auto spawn(F&& f, A&&... args) const {
    return get_handle().spawn(std::forward<F>(f), std::forward<A>(args)...);
  }
  /// As the function `spawn_on`.
  template <class X>
  auto spawn_on(std::uint32_t worker, X&& x, const void* site = __builtin_source_location()) const {
    return get_handle().spawn_on(worker, std::forward<X>(x), site);
  }
  template <class F, class... A>
    requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  auto spawn_on(std::uint32_t worker, F&& f, A&&... args) const {
    return get_handle().spawn_on(worker, std::forward<F>(f), std::forward<A>(args)...);
  }
  /// As the function `spawn_local`: a task that may be given what is not `is_send`. On the thread that will drive
  /// the runtime.
  template <class T>
  join_handle<T> spawn_local(future<T> f, const void* site = __builtin_source_location()) const {
    return detail::spawn_future(detail::task_origin{scheduler_, nullptr, site, true, true},
                                std::move(f));
  }
  template <class F, class... A>
    requires(std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  auto spawn_local(F&& f, A&&... args) const {
    return detail::spawn_call(detail::task_origin{scheduler_, nullptr, nullptr, true, true},
                              std::forward<F>(f), std::forward<A>(args)...);
  }
  /// What other threads, and those that outlive the runtime, may hold.
  handle get_handle() const noexcept { return handle(*scheduler_); }
  /// While the guard lives this thread is on this runtime.
  enter_guard enter() const noexcept { return enter_guard(*scheduler_); }

  /// Ends the runtime as its destructor does, then waits for running blocking jobs, and for mandatory ones in the
  /// queue, but not longer than that. False: some still run. Not in a task of its own.
  bool shutdown_timeout(std::chrono::nanoseconds limit) &&;
  /// Ends the runtime as its destructor does: nobody waits for blocking jobs.
  void shutdown_background() &&;

  /// A runtime on `loop`, which its host goes on turning with `uv_run`: tasks, timers and sockets run in the
  /// host's turns. Call it on the loop's thread. eddy's handles do not keep the loop alive, its tasks do.
  /// Errors: out of descriptors throws `failure`.
  static attachment attach(uv_loop_s* loop);

 private:
  friend class builder;
  friend struct detail::runtime_access;
  explicit runtime(detail::scheduler& s) noexcept : scheduler_(&s) {}
  detail::scheduler* scheduler_;
};

namespace detail {
/// For the test kit.
struct runtime_access {
  static scheduler& of(runtime& rt) noexcept { return *rt.scheduler_; }
};
}  // namespace detail

/// What a failure of a task that nobody awaits does to its runtime.
enum class unhandled_panic : std::uint8_t { ignore, shutdown_runtime };

/// Makes a runtime as one wants it. Tokio's names, Tokio's meaning. A function that the runtime calls may not throw:
/// the program would end.
class runtime::builder {
 public:
  builder();
  builder(builder&&) noexcept;
  ~builder();

  /// One loop, turned by the thread that calls block_on. The default.
  builder& current_thread() noexcept;
  /// A pool: loops with a thread each, which steal tasks from each other.
  ///
  /// `spawn` makes tasks that may move from thread to thread between two of their polls; `spawn_local` and
  /// `spawn_on` those that stay. block_on's future stays on one worker, and the calling thread waits for it.
  /// Needs a build with the pool, `-Dpool=enabled`.
  template <class Pool = void>
  builder& multi_loop() {
    static_assert(EDDY_POOL || sizeof(Pool*) == 0,
                  "eddy: multi_loop needs the pool; this library was built with -Dpool=disabled");
    return use_pool();
  }
  /// How many workers a pool has. Default: the processors this process may use.
  builder& worker_threads(std::uint32_t n);
  /// Name of a pool's threads, to which their number is added, and of blocking threads. Default: `eddy-worker`,
  /// `eddy-blocking`.
  builder& thread_name(std::string_view name);
  /// How many jobs of `spawn_blocking` run at once. Default 512.
  builder& max_blocking_threads(std::size_t n);
  /// After so long without a job, a year at most, a blocking thread ends. Default 10 s.
  builder& thread_keep_alive(std::chrono::nanoseconds idle);
  /// Stack of a blocking thread. Default: the system's.
  builder& thread_stack_size(std::size_t bytes);
  /// Called on each of a pool's threads and each blocking thread, before it does anything; by several
  /// at once.
  builder& on_thread_start(function<void()> f);
  /// Called on each of these threads when it has ended its work.
  builder& on_thread_stop(function<void()> f);
  /// After so many tasks of its own a worker takes one that came from outside the pool. Default 61.
  builder& global_queue_interval(std::uint32_t polls);
  /// Polls of tasks between two looks at timers and I/O. Default: by time, every 20 microseconds or so.
  builder& event_interval(std::uint32_t polls);
  /// Called before the loop sleeps, on its thread; may wake tasks, then it does not sleep.
  builder& on_park(function<void()> f);
  /// Called after it has slept.
  builder& on_unpark(function<void()> f);
  /// Called for a task that failed and whose handle was dropped, on whatever thread that was seen: in a pool by
  /// several at once. Default: a line on standard error.
  builder& on_unhandled_failure(function<void(const task_failure&)> f);
  /// What else happens then. Default: nothing. `shutdown_runtime`: all tasks are destroyed, and block_on throws
  /// an error equal to `errc::aborted`, this time and from then on. Not for a pool, nor on a host's loop.
  builder& unhandled_panic(eddy::unhandled_panic what);
  /// Called when a task has been made, before it can run, by whoever spawns it: from any thread, by several at once.
  /// Cost: a branch when none is set.
  builder& on_task_spawn(function<void(const task_meta&)> f);
  /// Called when a task has ended, in whichever way, before anybody is told. On the thread that runs it.
  builder& on_task_terminate(function<void(const task_meta&)> f);
  /// Called before each poll of a task. On the thread that runs it.
  builder& on_before_task_poll(function<void(const task_meta&)> f);
  /// Called after each poll of a task. On the thread that runs it.
  builder& on_after_task_poll(function<void(const task_meta&)> f);
  /// Seed of the runtime's random choices (`select`, `shuffle_ready`), so that a run can be repeated. Default: the
  /// clock.
  builder& rng_seed(std::uint64_t seed);
  /// For tests: tasks that are ready together run in random order instead of the order in which they became so.
  /// Nothing but luck held what this breaks. With `rng_seed` the order can be repeated.
  builder& shuffle_ready(bool shuffled = true);
  /// Starts with the clock paused: it advances by itself to the next timer when nothing else is to do.
  builder& start_paused(bool paused = true);
  /// A name for dumps and logs.
  builder& name(std::string_view name);

  /// Errors: out of descriptors or memory throws `failure`.
  runtime build();
  /// The same on a host's loop, see runtime::attach.
  attachment attach(uv_loop_s* loop);

 private:
  builder& use_pool() noexcept;
  detail::loop_options* options_;
  std::uint32_t workers_ = 0;
};

/// For `main`: runs `f` on a current_thread runtime; its value is the exit status, and 1 if it fails: then the failure
/// is printed.
int run(future<int> f, const void* site = __builtin_source_location()) noexcept;
/// The same; 0 at its end.
inline int run(future<> f, const void* site = __builtin_source_location()) noexcept {
  return run(detail::with_status(std::move(f)), site);
}
/// The same for a callable that returns one of these; its captures are safe.
template <class F>
  requires(!detail::is_future_v<std::remove_cvref_t<F>> && std::invocable<F&>)
int run(F&& f, const void* site = __builtin_source_location()) noexcept {
  return run(detail::call_in_frame<std::decay_t<F>>(std::forward<F>(f)), site);
}

/// The same on `rt`, which ends before this returns: `run(runtime::builder().multi_loop().build(), async_main())`.
/// Errors: what `build()` throws is thrown before this is called.
int run(runtime rt, future<int> f, const void* site = __builtin_source_location()) noexcept;
/// The same; 0 at its end.
inline int run(runtime rt, future<> f, const void* site = __builtin_source_location()) noexcept {
  return run(std::move(rt), detail::with_status(std::move(f)), site);
}
/// The same for a callable that returns one of these.
template <class F>
  requires(!detail::is_future_v<std::remove_cvref_t<F>> && std::invocable<F&>)
int run(runtime rt, F&& f, const void* site = __builtin_source_location()) noexcept {
  return run(std::move(rt), detail::call_in_frame<std::decay_t<F>>(std::forward<F>(f)), site);
}

/// Every live task of the loop this thread is on, as text: id, name, state, spawn site, and where it awaits,
/// outermost first. Of a pool only those that stay on this worker. Empty outside a runtime.
/// Threads: on the loop's own thread. Cost: walks all tasks; linear, allocates the text.
std::string dump();

}}  // namespace eddy::EDDY_ABI
