#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/task.hpp>
#include <eddy/core/poll.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// Names a task of a runtime; never used again while the runtime lives.
struct task_id {
  std::uint64_t value = 0;  ///< 0: none
  friend auto operator<=>(const task_id&, const task_id&) = default;
};

template <class T>
class join_handle;

namespace detail {

class join_link;
struct join_access;

/// The state bits of an ended task, or 0: the target of `cx` will be woken.
std::uint32_t join_poll(task& t, join_link* link, context& cx) noexcept;
/// The handle goes away; `taken`: it has had the outcome.
void join_drop(task& t, join_link* link, bool taken) noexcept;
void join_abort(task& t) noexcept;
void join_retain(task& t) noexcept;
void join_release(task& t) noexcept;
bool join_finished(const task& t) noexcept;
task_id join_id(const task& t) noexcept;
/// Why an aborted task has no outcome.
error join_aborted(join_link* link) noexcept;
#if EDDY_EXCEPTIONS
std::exception_ptr join_take_failure(task& t, join_link* link) noexcept;
#endif
/// The value has been moved out.
void join_took_value(join_link& link) noexcept;

}  // namespace detail

/// Aborts a task, and tells about it, without a right to its outcome: made by `join_handle::abort_handle`.
///
/// Threads: everything here, from any thread.
class abort_handle {
 public:
  abort_handle(const abort_handle& other) noexcept : task_(other.task_) {
    if (task_ != nullptr) detail::join_retain(*task_);
  }
  abort_handle(abort_handle&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  abort_handle& operator=(abort_handle other) noexcept {
    std::swap(task_, other.task_);
    return *this;
  }
  ~abort_handle() {
    if (task_ != nullptr) detail::join_release(*task_);
  }

  /// As `join_handle::abort`.
  void abort() const noexcept {
    if (task_ != nullptr) detail::join_abort(*task_);
  }
  /// True once the task has ended, in whichever way.
  bool is_finished() const noexcept { return task_ == nullptr || detail::join_finished(*task_); }
  /// The task's.
  task_id id() const noexcept { return task_ == nullptr ? task_id{} : detail::join_id(*task_); }

 private:
  template <class T>
  friend class join_handle;
  explicit abort_handle(detail::task* t) noexcept : task_(t) {
    if (task_ != nullptr) detail::join_retain(*task_);
  }
  detail::task* task_;
};

/// Owns the right to a task's outcome: `co_await handle` is its value or throws what it threw.
///
/// An aborted task gives `join_error` (code `errc::aborted`). Dropping the handle detaches the task, it
/// runs on; so does a handle that loses a select by value.
/// Cancel safety: nothing is lost while the handle lives; await it again.
/// Threads: `abort`, `is_finished`, `id` and dropping from any thread. A handle made by `spawn` is awaited
/// on its own runtime, one made by `handle::spawn` anywhere.
/// Errors: awaiting twice is misuse.
template <class T = void>
class join_handle {
 public:
  using value_type = T;

  join_handle(join_handle&& other) noexcept
      : task_(std::exchange(other.task_, nullptr)), link_(std::exchange(other.link_, 0)) {}
  join_handle& operator=(join_handle&& other) noexcept {
    std::swap(task_, other.task_);
    std::swap(link_, other.link_);
    return *this;
  }
  ~join_handle() {
    if (task_ != nullptr) detail::join_drop(*task_, link(), taken());
  }

  polled<result<T>> poll(context& cx) noexcept {
    if (task_ == nullptr || taken())
      return result<T>(
          error(errc::misuse, "a join handle was awaited twice, or after it was moved from"));
    const auto state = detail::join_poll(*task_, link(), cx);
    if (state == 0) return pending;
    if (!cx.proceed()) return pending;
    return detail::or_failed_move<T, error>([&]() -> polled<result<T>> { return take(state); });
  }

  /// Asks the task to end: its loop destroys it where it waits. A task that has ended, or ends in the
  /// poll that is going on, is not affected. Asynchronous: await the handle to know.
  void abort() const noexcept {
    if (task_ != nullptr) detail::join_abort(*task_);
  }
  /// True once the task has ended, in whichever way.
  bool is_finished() const noexcept { return task_ == nullptr || detail::join_finished(*task_); }
  /// The task's, also when it has ended.
  task_id id() const noexcept { return task_ == nullptr ? task_id{} : detail::join_id(*task_); }
  /// Another way to abort the task: keep it, copy it, give it to other threads.
  eddy::abort_handle abort_handle() const noexcept { return eddy::abort_handle(task_); }

 private:
  friend detail::join_access;
  join_handle(detail::task& t, detail::join_link* link) noexcept
      : task_(&t), link_(reinterpret_cast<std::uintptr_t>(link)) {}

  detail::join_link* link() const noexcept {
    return reinterpret_cast<detail::join_link*>(link_ & ~std::uintptr_t{1});
  }
  bool taken() const noexcept { return (link_ & 1) != 0; }

  result<T> take(std::uint32_t state) {  // throws what the value's move throws
    using detail::task_state;
    link_ |= 1;
#if EDDY_EXCEPTIONS
    if ((state & task_state::has_failure) != 0)
      return result<T>(error::from_exception(detail::join_take_failure(*task_, link())));
#endif
    if ((state & task_state::aborted) != 0) return result<T>(detail::join_aborted(link()));
    if ((state & task_state::misused) != 0)
      return result<T>(error(errc::misuse,
                             "a join handle made by spawn() is awaited on its own runtime; use "
                             "handle::spawn for one that is awaited elsewhere"));
    if constexpr (std::is_void_v<T>) {
      return result<T>();
    } else {
      auto& value = static_cast<detail::task_block<T>&>(*task_).value;
      struct at_end {
        join_handle* self;
        ~at_end() {
          std::destroy_at(&static_cast<detail::task_block<T>&>(*self->task_).value);
          if (auto* const l = self->link(); l != nullptr)
            detail::join_took_value(*l);
          else
            self->task_->clear(task_state::has_value);
        }
      } guard{this};
      if constexpr (std::is_reference_v<T>)
        return result<T>(static_cast<T>(*value));
      else
        return result<T>(std::in_place, std::move(value));
    }
  }

  detail::task* task_;
  std::uintptr_t link_;  // a join_link or null; the lowest bit: the outcome has been taken
};

namespace detail {

struct join_access {
  template <class T>
  static join_handle<T> make(task& t, join_link* link) noexcept {
    return join_handle<T>(t, link);
  }
  template <class T>
  static join_link* link(const join_handle<T>& h) noexcept {
    return h.link();
  }
  template <class T>
  static result<T> take(join_handle<T>& h, std::uint32_t state) {
    return h.take(state);
  }
};

/// The task that this thread polls or destroys, or whose job it runs; null: none.
task* task_here() noexcept;

}  // namespace detail

namespace this_task {

/// The task this is called in, while it is polled, while it is destroyed, and while its outcome is dropped; nothing
/// outside of tasks. A blocking job is one. block_on's future is a task too.
inline std::optional<task_id> try_id() noexcept {
  auto* const t = detail::task_here();
  return t != nullptr ? std::optional(detail::join_id(*t)) : std::nullopt;
}
/// The same. Errors: outside of tasks it is misuse.
inline task_id id() {
  auto* const t = detail::task_here();
  if (t == nullptr) detail::misuse("this_task::id: this is not called in a task");
  return detail::join_id(*t);
}

}  // namespace this_task

}}  // namespace eddy::EDDY_ABI
