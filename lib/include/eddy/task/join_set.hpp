#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/base/result.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch_set.hpp>
#include <eddy/core/future.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/task/join_handle.hpp>
#include <eddy/task/spawn.hpp>
#include <eddy/task/spawn_blocking.hpp>

namespace eddy { inline namespace EDDY_ABI {

class handle;

template <class T>
class join_set;

/// A task of a `join_set` that has ended: which, and its outcome.
template <class T>
class joined {
 public:
  joined(task_id id, result<T>&& outcome) : outcome_(std::move(outcome)), id_(id) {}
  /// The task's.
  task_id id() const noexcept { return id_; }
  /// Its value; what it threw; or an error equal to `errc::aborted`.
  result<T>& outcome() & noexcept { return outcome_; }
  result<T>&& outcome() && noexcept { return std::move(outcome_); }

 private:
  result<T> outcome_;
  task_id id_;
};

namespace detail {

/// What waits for a set: while it lives it may be the one to be woken.
template <class T>
class join_set_leaf {
 public:
  explicit join_set_leaf(join_set<T>& s) noexcept : set_(&s) {}
  join_set_leaf(join_set_leaf&&) noexcept = default;  // until its first poll
  join_set_leaf& operator=(join_set_leaf&&) = delete;
  ~join_set_leaf() {
    if (target_ != 0) set_->tasks_.forget(target_);
  }

 protected:
  using ended = typename branch_set<join_handle<T>>::ended;
  polled<std::optional<ended>> poll_next(context& cx) noexcept {
    target_ = context_access::target(cx);
    return set_->tasks_.poll_next(cx);
  }
  join_set<T>* set_;

 private:
  target_word target_ = 0;
};

template <class T>
class [[nodiscard]] join_next_leaf : join_set_leaf<T> {
 public:
  static constexpr bool keeps_result = true;
  using join_set_leaf<T>::join_set_leaf;
  polled<std::optional<result<T>>> poll(context& cx) noexcept {
    auto p = this->poll_next(cx);
    if (!p) return pending;
    if (!*p) return std::optional<result<T>>();
    return std::optional<result<T>>(std::move((*p)->outcome));
  }
};

template <class T>
class [[nodiscard]] join_next_with_id_leaf : join_set_leaf<T> {
 public:
  using join_set_leaf<T>::join_set_leaf;
  polled<std::optional<joined<T>>> poll(context& cx) noexcept {
    auto p = this->poll_next(cx);
    if (!p) return pending;
    if (!*p) return std::optional<joined<T>>();
    return std::optional<joined<T>>(std::in_place, task_id{(*p)->key}, std::move((*p)->outcome));
  }
};

template <class T>
class [[nodiscard]] join_set_shutdown : join_set_leaf<T> {
 public:
  using join_set_leaf<T>::join_set_leaf;
  polled<> poll(context& cx) noexcept {
    if (!std::exchange(begun_, true)) this->set_->abort_all();
    for (;;) {
      auto p = this->poll_next(cx);
      if (!p) return pending;
      if (!*p) return ready;
    }
  }

 private:
  bool begun_ = false;
};

}  // namespace detail

/// Tasks that are awaited as they end, in whichever order. Destroying the set aborts those that are left.
///
/// Threads: used, and awaited by one task at a time, on the runtime whose tasks it holds. Tasks that were
/// spawned on other runtimes may be among them.
/// Cost: a block a task beside the task's own; finding the next that has ended takes as long among many as
/// among few.
template <class T = void>
class join_set {
 public:
  using value_type = T;

  join_set() noexcept = default;
  join_set(join_set&&) noexcept = default;
  /// The tasks it held before are aborted.
  join_set& operator=(join_set other) noexcept {
    std::swap(tasks_, other.tasks_);
    return *this;
  }
  ~join_set() { abort_all(); }

  /// Spawns as `eddy::spawn` does: a future, or a callable with arguments.
  template <class... A>
  task_id spawn(A&&... f) {
    return take(eddy::spawn(std::forward<A>(f)...));
  }
  /// On another runtime.
  template <class Handle, class... A>
    requires std::is_same_v<Handle, handle>
  task_id spawn_on(const Handle& where, A&&... f) {
    return take(where.spawn(std::forward<A>(f)...));
  }
  /// A blocking job, as `eddy::spawn_blocking`.
  template <class... A>
  task_id spawn_blocking(A&&... f) {
    return take(eddy::spawn_blocking(std::forward<A>(f)...));
  }
  /// Takes a task over.
  task_id insert(join_handle<T> h) {
    const auto id = h.id();
    tasks_.insert(static_cast<std::size_t>(id.value), std::move(h));
    return id;
  }

  /// Waits for the next task that ends: its `result`, an aborted one's error too; nothing when the set is
  /// empty. `while (auto r = co_await set.join_next()) use(*r);`
  /// Cancel safety: nothing is lost; the tasks stay in the set.
  detail::join_next_leaf<T> join_next() noexcept { return detail::join_next_leaf<T>(*this); }
  /// The same, and says which task it was.
  /// Cancel safety: as `join_next`.
  detail::join_next_with_id_leaf<T> join_next_with_id() noexcept {
    return detail::join_next_with_id_leaf<T>(*this);
  }
  /// For leaves made of this one: as `join_next`, polled by hand.
  polled<std::optional<result<T>>> poll_next(context& cx) noexcept {
    auto p = tasks_.poll_next(cx);
    if (!p) return pending;
    if (!*p) return std::optional<result<T>>();
    return std::optional<result<T>>(std::move((*p)->outcome));
  }
  /// One that has ended, if there is one. On the runtime's own thread.
  std::optional<result<T>> try_join_next() {
    auto one = tasks_.try_next();
    if (!one) return std::nullopt;
    return std::move(one->outcome);
  }
  std::optional<joined<T>> try_join_next_with_id() {
    auto one = tasks_.try_next();
    if (!one) return std::nullopt;
    return std::optional<joined<T>>(std::in_place, task_id{one->key}, std::move(one->outcome));
  }

  /// Tasks that have not been joined, ended or not.
  std::size_t size() const noexcept { return tasks_.size(); }
  bool empty() const noexcept { return tasks_.empty(); }

  /// Asks all tasks to end; they stay in the set, to be joined.
  void abort_all() noexcept {
    tasks_.for_each([](auto& branch) { branch.leaf().abort(); });
  }
  /// Asks one to end. False when it is not in the set. Cost: looks at all of them.
  bool abort(task_id id) noexcept {
    bool found = false;
    tasks_.for_each([&](auto& branch) {
      if (branch.leaf().id() != id) return;
      branch.leaf().abort();
      found = true;
    });
    return found;
  }
  /// Lets all go on by themselves, and forgets them.
  void detach_all() noexcept { tasks_.clear(); }
  /// Aborts all and waits until the last has ended. What they return or throw is dropped.
  /// Cancel safety: those that are left stay in the set, aborted.
  detail::join_set_shutdown<T> shutdown() noexcept { return detail::join_set_shutdown<T>(*this); }
  /// Awaits all: the values in the order in which the tasks ended; the first failure, an abort too, is thrown
  /// and aborts the others.
  /// Cancel safety: values that have come are lost; the tasks are aborted.
  future<std::vector<detail::void_to_unit<T>>> join_all() && {
    static_assert(!std::is_reference_v<T>, "eddy: join_all of references: return pointers");
    return join_rest(std::move(*this));
  }

 private:
  friend detail::join_set_leaf<T>;
  template <class U>
  task_id take(join_handle<U> h) {
    static_assert(std::is_same_v<T, U>,
                  "eddy: a join_set<T> holds tasks whose value is a T; this one's is another type");
    return insert(std::move(h));
  }
  static future<std::vector<detail::void_to_unit<T>>> join_rest(join_set tasks) {
    std::vector<detail::void_to_unit<T>> values;
    values.reserve(tasks.size());
    for (;;) {
      auto one = co_await tasks.join_next();
      if (!one) co_return values;
      if constexpr (std::is_void_v<T>) {
        std::move(*one).value();
        values.emplace_back();
      } else {
        values.push_back(std::move(*one).value());
      }
    }
  }

  detail::branch_set<join_handle<T>> tasks_;
};

}}  // namespace eddy::EDDY_ABI
