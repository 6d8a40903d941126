#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/memory.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/future.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/runtime/runtime.hpp>
#include <eddy/sync/detail/notify_core.hpp>
#include <eddy/task/join_handle.hpp>
#include <eddy/task/spawn.hpp>
#include <eddy/task/spawn_blocking.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// How many tasks a tracker counts, and who waits for the last.
///
///   word: bit 0 closed, the rest: tasks
class tracker_state {
 public:
  bool is_over() const noexcept { return word_.load(std::memory_order_acquire) == closed; }
  bool is_closed() const noexcept { return (word_.load(std::memory_order_acquire) & closed) != 0; }
  std::size_t count() const noexcept { return word_.load(std::memory_order_acquire) / one_task; }
  void add() noexcept;
  void remove() noexcept;
  bool close() noexcept;
  bool reopen() noexcept;

  basic_notify<sync_memory> over;

 private:
  static constexpr std::size_t closed = 1, one_task = 2;
  sync_memory::atomic<std::size_t> word_{0};  // partners: all here
};

class [[nodiscard]] tracker_wait_leaf {
 public:
  explicit tracker_wait_leaf(tracker_state& s) noexcept
      : state_(&s), at_(s.over.calls()), over_(s.is_over()) {}
  tracker_wait_leaf(tracker_wait_leaf&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)),
        at_(std::move(other.at_)),
        over_(other.over_) {}
  tracker_wait_leaf& operator=(tracker_wait_leaf&&) = delete;
  ~tracker_wait_leaf() {
    if (state_ != nullptr) state_->over.leave(at_);
  }
  polled<> poll(context& cx) noexcept;

 private:
  tracker_state* state_;
  notify_waiter<sync_memory> at_;
  bool over_;
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

/// Counts as a task of a `task_tracker` while it lives; a copy counts as another.
class [[nodiscard]] tracker_token {
 public:
  tracker_token(const tracker_token& other) noexcept : state_(other.state_) {
    if (state_) state_->add();
  }
  tracker_token(tracker_token&&) noexcept = default;
  tracker_token& operator=(tracker_token other) noexcept {
    state_.swap(other.state_);
    return *this;
  }
  ~tracker_token() {
    if (state_) state_->remove();
  }

 private:
  friend class task_tracker;
  explicit tracker_token(std::shared_ptr<detail::tracker_state> s) noexcept : state_(std::move(s)) {
    state_->add();
  }
  std::shared_ptr<detail::tracker_state> state_;
};

}}}  // namespace eddy::EDDY_ABI::sync

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Hands over a future that was ready made, and keeps the token beside it until its frame is gone.
template <class T>
struct tracked_future {
  sync::tracker_token token;
  future<T> work;
  future<T> operator()() && { return std::move(work); }
};
/// The same for a callable.
template <class F>
struct tracked_call {
  sync::tracker_token token;
  F callable;
  template <class... A>
  auto operator()(A&&... args) && -> decltype(std::move(callable)(std::forward<A>(args)...)) {
    return std::move(callable)(std::forward<A>(args)...);
  }
};

template <class T>
future<T> track_to_the_end(sync::tracker_token, future<T> work) {
  co_return co_await std::move(work);
}

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

/// Waits for tasks to end without keeping their handles: for an orderly end of a program, beside a
/// `cancellation_token` that tells them to.
///
/// `wait` is over once the tracker is closed and no task is left. Closing only means "wait for no more":
/// spawning goes on, and `reopen` takes it back. Copies are handles of the same tracker. Dropping them
/// aborts nothing. Unlike a `join_set` it keeps nothing of tasks that have ended.
/// Threads: any; in a build without the pool one loop's.
class task_tracker {
 public:
  task_tracker() : state_(std::make_shared<detail::tracker_state>()) {}

  /// Spawns as `eddy::spawn` does, and counts the task until its future is gone.
  /// Cost: that of spawning a callable; no frame and no block of its own.
  template <class T>
  join_handle<T> spawn(future<T> f, const void* site = __builtin_source_location()) const {
    return eddy::spawn(tracked(std::move(f)), site);
  }
  template <class F>
    requires(!detail::is_future_v<std::remove_cvref_t<F>> && std::invocable<std::decay_t<F>>)
  auto spawn(F&& f, const void* site = __builtin_source_location()) const {
    return eddy::spawn(tracked_callable(std::forward<F>(f)), site);
  }
  template <class F, class... A>
    requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  auto spawn(F&& f, A&&... args) const {
    return eddy::spawn(tracked_callable(std::forward<F>(f)), std::forward<A>(args)...);
  }
  /// On another runtime, as `handle::spawn`.
  template <class T>
  join_handle<T> spawn_on(const handle& where, future<T> f) const {
    return where.spawn(tracked(std::move(f)));
  }
  template <class F, class... A>
    requires(!detail::is_future_v<std::remove_cvref_t<F>>)
  auto spawn_on(const handle& where, F&& f, A&&... args) const {
    return where.spawn(tracked_callable(std::forward<F>(f)), std::forward<A>(args)...);
  }
  /// As `eddy::spawn_blocking`: counts the job until its function has returned. Not without the pool: the count
  /// would be changed on the job's thread.
  template <class F, class... A>
  auto spawn_blocking(F&& f, A&&... args) const {
    static_assert(EDDY_POOL || sizeof(F) == 0,
                  "eddy: task_tracker::spawn_blocking needs the pool; this library was built with "
                  "-Dpool=disabled, where a tracker belongs to one loop");
    return eddy::spawn_blocking(tracked_callable(std::forward<F>(f)), std::forward<A>(args)...);
  }
  /// The future, counted until it is gone, spawned or not: for a `join_set`, a `scope`, a plain await.
  /// Cancel safety: that of the future.
  /// Cost: a small frame.
  template <class T>
  future<T> track_future(future<T> f) const {
    return detail::track_to_the_end(token(), std::move(f));
  }
  /// Counts as a task while it lives.
  tracker_token token() const noexcept { return tracker_token(state_); }

  /// Waits until the tracker is closed and empty, both at once at some moment from now on. It may have
  /// been reopened or have tasks again when the await goes on.
  /// Cancel safety: nothing is lost.
  /// Lifetime: some handle of the tracker must outlive it.
  /// Cost: no allocation.
  detail::tracker_wait_leaf wait() const noexcept { return detail::tracker_wait_leaf(*state_); }
  /// From now on `wait` is over when no task is left. False: it was closed already.
  bool close() const noexcept { return state_->close(); }
  /// False: it was open.
  bool reopen() const noexcept { return state_->reopen(); }
  /// True when it is closed.
  bool is_closed() const noexcept { return state_->is_closed(); }
  /// Tasks, and tokens, just now.
  std::size_t len() const noexcept { return state_->count(); }
  /// True when it tracks no task.
  bool is_empty() const noexcept { return len() == 0; }

  /// Equal are handles of one tracker.
  friend bool operator==(const task_tracker& a, const task_tracker& b) noexcept {
    return a.state_ == b.state_;
  }

 private:
  template <class T>
  detail::tracked_future<T> tracked(future<T> f) const {
    if (!f.valid()) detail::awaited_empty_future();
    detail::refuse_closure(detail::future_access::promise(f));
    return {token(), std::move(f)};
  }
  template <class F>
  detail::tracked_call<std::decay_t<F>> tracked_callable(F&& f) const {
    return {token(), std::forward<F>(f)};
  }

  std::shared_ptr<detail::tracker_state> state_;
};

}}}  // namespace eddy::EDDY_ABI::sync
