#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/send.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/task.hpp>
#include <eddy/core/future.hpp>
#include <eddy/task/join_handle.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// What the hook for failures that nobody awaits is told.
struct task_failure {
  task_id id;             ///< of the task
  std::string_view name;  ///< the name it was spawned with, or its coroutine's
  std::string_view site;  ///< file:line of the spawn
  error why;              ///< what it threw
};

/// What a runtime's task hooks are told.
class task_meta {
 public:
  task_meta(task_id id, const char* name, const void* site) noexcept
      : id_(id), name_(name), site_(site) {}
  /// The task's.
  task_id id() const noexcept { return id_; }
  /// The name it was spawned with; empty: none.
  std::string_view name() const noexcept {
    return name_ != nullptr ? std::string_view(name_) : std::string_view();
  }
  /// file:line of the spawn. Cost: makes the text.
  std::string spawned_at() const;

 private:
  task_id id_;
  const char* name_;
  const void* site_;
};

namespace detail {

/// Where a new task lives and what it is called.
struct task_origin {
  scheduler* runtime;     // null: the one this thread is on
  const char* name;       // null: named after its coroutine
  const void* site;       // a source location's word, or null
  bool portable = false;  // the join handle may be awaited on any runtime
  bool pinned = false;    // stays on the loop it starts on: spawn_local, spawn_on, block_on
  bool sent = false;      // pinned, but started from any thread: spawn_on
  bool root = false;      // block_on's own
};

/// A block of `bytes` for a task of `origin.runtime`; throws when there is no runtime.
void* allocate_task(task_origin& origin, std::size_t bytes);
void release_unused_task(const task_origin& origin, void* block) noexcept;
/// Starts the task: from here on it runs. Refuses a coroutine of a temporary closure.
join_link* start_task(const task_origin& origin, task& t, std::coroutine_handle<> root) noexcept;
void refuse_closure(const promise_base& root);
/// Refuses what is not is_send where another thread would run it.
void refuse_local(const task_origin& origin, const promise_base& root);

/// `What` is a spawned callable, its arguments and the result.
template <class... What>
constexpr void check_send() noexcept {
  static_assert(
      !EDDY_POOL || (is_send_v<What> && ...),
      "eddy: another thread may run a spawned task: its callable, arguments and result are "
      "is_send; spawn_local takes anything");
}

template <class T>
join_handle<T> spawn_future(task_origin origin, future<T> f) {
  if (!f.valid()) awaited_empty_future();
  refuse_closure(future_access::promise(f));
  refuse_local(origin, future_access::promise(f));
  using block = std::conditional_t<std::is_void_v<T>, task, task_block<T>>;
  auto* t = ::new (allocate_task(origin, sizeof(block))) block;
  if constexpr (!std::is_void_v<T>) t->destroy = &block::destroy_parts;
  auto* link = start_task(origin, *t, future_access::release(f));
  return join_access::make<T>(*t, link);
}

template <class F, class... A>
struct call_body {
  [[no_unique_address]] F callable;
  [[no_unique_address]] std::tuple<A...> arguments;
  auto start() {
    return std::apply([this](A&... a) { return std::move(callable)(std::move(a)...); }, arguments);
  }
};

template <class F, class... A>
auto spawn_call(task_origin origin, F&& f, A&&... args) {
  using body = call_body<std::decay_t<F>, std::decay_t<A>...>;
  static_assert(alignof(body) <= 16,
                "eddy: a spawned callable and its arguments have alignment 16 at most: box them");
  using returned = decltype(std::declval<body&>().start());
  static_assert(
      is_future_v<returned>,
      "eddy: spawn(callable, args...) wants a callable that returns a future; for blocking "
      "or CPU-bound work use spawn_blocking");
  using T = typename returned::value_type;
  using block = task_with_body<T, body>;
  void* memory = allocate_task(origin, sizeof(block));
  struct give_back {
    const task_origin& origin;
    void* memory;
    block* made = nullptr;
    ~give_back() {
      if (made != nullptr) std::destroy_at(&made->body);
      if (memory != nullptr) release_unused_task(origin, memory);
    }
  } guard{origin, memory};
  auto* t = ::new (memory)
      block(std::forward<F>(f), std::tuple<std::decay_t<A>...>(std::forward<A>(args)...));
  guard.made = t;
  t->destroy = &block::destroy_parts;
  t->state.store(task_state::has_body, std::memory_order_relaxed);
  returned fut = t->body.start();
  if (!fut.valid()) awaited_empty_future();
  refuse_local(origin, future_access::promise(fut));
  guard.memory = nullptr;
  guard.made = nullptr;
  auto* link = start_task(origin, *t, future_access::release(fut));
  return join_access::make<T>(*t, link);
}

/// As these two, for tasks that another thread may run.
template <class T>
join_handle<T> spawn_sent(task_origin origin, future<T> f) {
  check_send<T>();
  return spawn_future(origin, std::move(f));
}
template <class F, class... A>
auto spawn_sent(task_origin origin, F&& f, A&&... args) {
  check_send<std::decay_t<F>, std::decay_t<A>...>();
  auto h = spawn_call(origin, std::forward<F>(f), std::forward<A>(args)...);
  check_send<typename decltype(h)::value_type>();
  return h;
}

}  // namespace detail

/// Runs `f` concurrently, as a task of the runtime this thread is on. It starts when the loop next polls.
///
/// Dropping the handle detaches the task. A failure that nobody awaits goes to the runtime's
/// `on_unhandled_failure` hook.
/// Threads: another thread may run the task. What a callable is spawned with must be `is_send`, and so its
/// result; `spawn_local` takes anything. In a build without the pool nothing is checked.
/// Errors: outside a runtime; with a coroutine that has a parameter which is not `is_send`, where another thread
/// would run it; or with one made by calling a lambda with captures (they die with the lambda: spawn the
/// lambda itself), throws `std::logic_error`.
/// Cost: one block of 64 bytes and the result, from the runtime's slab.
template <class T>
join_handle<T> spawn(future<T> f, const void* site = __builtin_source_location()) {
  return detail::spawn_sent(detail::task_origin{nullptr, nullptr, site}, std::move(f));
}

/// The same for a callable that returns a future. The callable moves into the task before it is called
/// and lives as long as the coroutine: captures are safe here.
template <class F>
  requires(!detail::is_future_v<std::remove_cvref_t<F>> && std::invocable<std::decay_t<F>>)
auto spawn(F&& f, const void* site = __builtin_source_location()) {
  return detail::spawn_sent(detail::task_origin{nullptr, nullptr, site}, std::forward<F>(f));
}

/// The same with arguments, which move into the task as well.
template <class F, class... A>
  requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
auto spawn(F&& f, A&&... args) {
  return detail::spawn_sent(detail::task_origin{nullptr, nullptr, nullptr}, std::forward<F>(f),
                            std::forward<A>(args)...);
}

/// Spawns with a name: `eddy::task_builder().name("feed").spawn(run_feed());`. Dumps and failures show it
/// instead of the coroutine's own.
class task_builder {
 public:
  /// Lifetime: a string literal, or something that lives as long as the task.
  task_builder& name(const char* text) noexcept {
    name_ = text;
    return *this;
  }
  /// As the function `spawn`.
  template <class T>
  join_handle<T> spawn(future<T> f, const void* site = __builtin_source_location()) const {
    return detail::spawn_sent(detail::task_origin{nullptr, name_, site}, std::move(f));
  }
  template <class F>
    requires(!detail::is_future_v<std::remove_cvref_t<F>> && std::invocable<std::decay_t<F>>)
  auto spawn(F&& f, const void* site = __builtin_source_location()) const {
    return detail::spawn_sent(detail::task_origin{nullptr, name_, site}, std::forward<F>(f));
  }
  template <class F, class... A>
    requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  auto spawn(F&& f, A&&... args) const {
    return detail::spawn_sent(detail::task_origin{nullptr, name_, nullptr}, std::forward<F>(f),
                              std::forward<A>(args)...);
  }
  /// As the function `spawn_local`.
  template <class T>
  join_handle<T> spawn_local(future<T> f, const void* site = __builtin_source_location()) const {
    return detail::spawn_future(detail::task_origin{nullptr, name_, site, false, true},
                                std::move(f));
  }
  template <class F, class... A>
    requires(std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  auto spawn_local(F&& f, A&&... args) const {
    return detail::spawn_call(detail::task_origin{nullptr, name_, nullptr, false, true},
                              std::forward<F>(f), std::forward<A>(args)...);
  }

 private:
  const char* name_ = nullptr;
};

}}  // namespace eddy::EDDY_ABI
