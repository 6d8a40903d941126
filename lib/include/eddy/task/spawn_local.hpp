#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/base/detail/list.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/task/spawn.hpp>
#include <eddy/task/task_local.hpp>

// spawn_local, and what of local_set it has to know.

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

class local_core;

/// A task of a local_set: its future, which the set destroys when it goes. Owned by the task's root.
class local_item : public list_node {
 public:
  local_item(const local_item&) = delete;
  virtual ~local_item();
  /// Destroys what the task would run.
  virtual void drop() noexcept = 0;

  std::optional<abort_handle> task;

 protected:
  explicit local_item(std::shared_ptr<local_core> c);
  const std::shared_ptr<local_core> core_;
};

/// A local_set's state. On one thread: that of its loop, or any while nobody drives that.
class local_core {
 public:
  explicit local_core(scheduler* where);  // null: the runtime this thread is on
  local_core(const local_core&) = delete;
  ~local_core();

  /// The set that this thread is in; null: none.
  static const std::shared_ptr<local_core>* here() noexcept;
  /// Its key, as a task_local's.
  static const void* key() noexcept;

  bool poll_empty(context& cx);
  /// Destroys all futures, and asks their tasks to end.
  void close() noexcept;
  scheduler* where() const noexcept { return where_; }

 private:
  friend local_item;
  scheduler* const where_;
  list<local_item> items_;
  std::size_t live_ = 0;
  std::vector<waker> waiting_;
};

template <class T, class Body>
class local_job final : public local_item {
 public:
  local_job(std::shared_ptr<local_core> c, Body&& b)
      : local_item(std::move(c)), body_(std::in_place, std::move(b)) {
    future<T> f = body_->start();
    if (!f.valid()) awaited_empty_future();
    work_.emplace(std::move(f));
  }
  ~local_job() override { drop_now(); }

  polled<result<T>> poll(context& cx) noexcept {
    if (!work_) return result<T>(error(errc::aborted, "local_set"));
    auto set = core_;
    const local_entry here(local_core::key(), &set);
    polling_ = true;
    auto p = work_->poll(cx);
    polling_ = false;
    return p;
  }
  void drop() noexcept override {
    if (!polling_) drop_now();  // else it has dropped its own set, and its task ends it
  }

 private:
  void drop_now() noexcept {
    auto set = core_;
    const local_entry here(local_core::key(), &set);
    work_.reset();
    body_.reset();
  }

  std::optional<Body> body_;
  std::optional<branch<future<T>>> work_;
  bool polling_ = false;
};

template <class T, class Body>
future<T> run_local_job(std::unique_ptr<local_job<T, Body>> job) {
  co_return co_await *job;
}

template <class T>
struct made_before {
  future<T> work;
  future<T> start() { return std::move(work); }
};

template <class T, class Body>
join_handle<T> spawn_in_set(const std::shared_ptr<local_core>& set, task_origin origin,
                            Body&& body) {
  auto job = std::make_unique<local_job<T, Body>>(set, std::move(body));
  auto& item = *job;
  origin.runtime = set->where();
  origin.portable = origin.pinned = true;
  auto h = spawn_future(origin, run_local_job(std::move(job)));
  if (!h.is_finished()) item.task = h.abort_handle();
  return h;
}

template <class T>
join_handle<T> spawn_pinned(task_origin origin, future<T> f,
                            const std::shared_ptr<local_core>* set = local_core::here()) {
  origin.pinned = true;
  if (set == nullptr) return spawn_future(origin, std::move(f));
  if (!f.valid()) awaited_empty_future();
  refuse_closure(future_access::promise(f));
  return spawn_in_set<T>(*set, origin, made_before<T>{std::move(f)});
}
template <class F, class... A>
auto spawn_pinned_call(task_origin origin, const std::shared_ptr<local_core>* set, F&& f,
                       A&&... args) {
  origin.pinned = true;
  using body = call_body<std::decay_t<F>, std::decay_t<A>...>;
  using returned = decltype(std::declval<body&>().start());
  if constexpr (is_future_v<returned>) {
    if (set != nullptr)
      return spawn_in_set<typename returned::value_type>(
          *set, origin,
          body{std::forward<F>(f), std::tuple<std::decay_t<A>...>(std::forward<A>(args)...)});
  }
  return spawn_call(origin, std::forward<F>(f), std::forward<A>(args)...);
}

}  // namespace detail

/// As `spawn`, for a task that stays on this thread's loop: it may hold an `rc`, and be given one. In a
/// `local_set` (in one of its tasks, in its `run_until`, while its `enter()` guard lives) it is a task of that.
///
/// Threads: in a task, or on the thread that will drive the runtime while an `enter()` guard lives.
/// Errors: as `spawn`; nothing has to be `is_send`.
template <class T>
join_handle<T> spawn_local(future<T> f, const void* site = __builtin_source_location()) {
  return detail::spawn_pinned(detail::task_origin{nullptr, nullptr, site}, std::move(f));
}
template <class F>
  requires(!detail::is_future_v<std::remove_cvref_t<F>> && std::invocable<std::decay_t<F>>)
auto spawn_local(F&& f, const void* site = __builtin_source_location()) {
  return detail::spawn_pinned_call(detail::task_origin{nullptr, nullptr, site},
                                   detail::local_core::here(), std::forward<F>(f));
}
template <class F, class... A>
  requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
auto spawn_local(F&& f, A&&... args) {
  return detail::spawn_pinned_call(detail::task_origin{nullptr, nullptr, nullptr},
                                   detail::local_core::here(), std::forward<F>(f),
                                   std::forward<A>(args)...);
}

}}  // namespace eddy::EDDY_ABI
