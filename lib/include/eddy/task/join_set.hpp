#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <eddy/base/error.hpp>
#include <eddy/base/misuse.hpp>
#include <eddy/base/result.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/config.hpp>
#include <eddy/core/join_handle.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/spawn.hpp>
#include <eddy/runtime/runtime.hpp>
#include <eddy/runtime/spawn_blocking.hpp>
#include <eddy/task/branch_set.hpp>

namespace eddy::inline EDDY_ABI {

/// A join handle that aborts its task when it is destroyed: `eddy::abort_on_drop guard(eddy::spawn(f()));`.
template <class T = void>
class abort_on_drop {
 public:
  explicit abort_on_drop(join_handle<T> h) noexcept : handle_(std::move(h)) {}
  abort_on_drop(abort_on_drop&&) noexcept = default;
  abort_on_drop& operator=(abort_on_drop&&) noexcept = default;
  ~abort_on_drop() {
    if (handle_) handle_->abort();
  }

  /// Cancel safety: nothing is lost while this lives; destroying it aborts the task.
  polled<result<T>> poll(context& cx) noexcept {
    if (!handle_)
      return result<T>(error(errc::misuse, "an abort_on_drop was awaited after detach"));
    return handle_->poll(cx);
  }
  void abort() const noexcept {
    if (handle_) handle_->abort();
  }
  bool is_finished() const noexcept { return !handle_ || handle_->is_finished(); }
  /// The handle; from now on nothing is aborted.
  join_handle<T> detach() && {
    if (!handle_) detail::misuse("abort_on_drop::detach was called twice");
    auto h = std::move(*handle_);
    handle_.reset();
    return h;
  }

 private:
  std::optional<join_handle<T>> handle_;
};

/// Tasks that are awaited as they end, in whichever order. Destroying the set aborts those that are left.
///
/// Threads: used on the runtime whose tasks it holds.
template <class T = void>
class join_set {
  using set = detail::branch_set<join_handle<T>>;
  class [[nodiscard]] next_leaf {
   public:
    static constexpr bool keeps_result = true;
    explicit next_leaf(join_set& s) noexcept : set_(&s) {}
    polled<std::optional<result<T>>> poll(context& cx) noexcept { return set_->poll_next(cx); }

   private:
    join_set* set_;
  };
  class [[nodiscard]] shutdown_leaf {
   public:
    explicit shutdown_leaf(join_set& s) noexcept : set_(&s) {}
    polled<> poll(context& cx) noexcept {
      for (;;) {
        auto p = set_->poll_next(cx);
        if (!p) return pending;
        if (!*p) return ready;
      }
    }

   private:
    join_set* set_;
  };

 public:
  join_set() = default;
  join_set(join_set&&) noexcept = default;
  join_set& operator=(join_set&& other) noexcept {
    abort_all();
    tasks_ = std::move(other.tasks_);
    return *this;
  }
  ~join_set() { abort_all(); }

  /// Spawns as `eddy::spawn` does: a future, or a callable with arguments.
  template <class... A>
  void spawn(A&&... f) {
    insert(eddy::spawn(std::forward<A>(f)...));
  }
  /// On another runtime.
  template <class... A>
  void spawn_on(const handle& where, A&&... f) {
    insert(where.spawn(std::forward<A>(f)...));
  }
  template <class... A>
  void spawn_blocking(A&&... f) {
    insert(eddy::spawn_blocking(std::forward<A>(f)...));
  }
  /// Takes a task over.
  void insert(join_handle<T> h) { tasks_.insert(0, std::move(h)); }

  /// Waits for the next task that ends: its `result`, an aborted one's error too; nothing when the set is
  /// empty.
  /// Cancel safety: nothing is lost.
  next_leaf join_next() noexcept { return next_leaf(*this); }
  polled<std::optional<result<T>>> poll_next(context& cx) noexcept {
    auto p = tasks_.poll_next(cx);
    if (!p) return pending;
    if (!*p) return std::optional<result<T>>();
    return std::optional<result<T>>(std::move((*p)->outcome));
  }
  /// One that has ended, if there is one.
  std::optional<result<T>> try_join_next() {
    auto one = tasks_.try_next();
    if (!one) return std::nullopt;
    return std::move(one->outcome);
  }
  std::size_t size() const noexcept { return tasks_.size(); }
  bool empty() const noexcept { return tasks_.empty(); }

  /// Asks all tasks to end; they stay in the set, to be joined.
  void abort_all() noexcept {
    tasks_.for_each([](auto& branch) { branch.leaf().abort(); });
  }
  /// Lets all go on by themselves, and forgets them.
  void detach_all() noexcept { tasks_.clear(); }
  /// Aborts all and waits until the last has ended.
  /// Cancel safety: those that are left stay in the set, aborted.
  shutdown_leaf shutdown() noexcept {
    abort_all();
    return shutdown_leaf(*this);
  }
  /// Awaits all: the values in the order in which the tasks ended; the first failure is thrown, and aborts
  /// the others.
  /// Cancel safety: values that have come are lost; the tasks are aborted.
  future<std::vector<detail::void_to_unit<T>>> join_all() && { return join_rest(std::move(*this)); }

 private:
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

  set tasks_;
};

}  // namespace eddy::inline EDDY_ABI
