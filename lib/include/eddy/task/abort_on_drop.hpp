#pragma once

#include <optional>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/task/join_handle.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// A join handle that aborts its task when it is destroyed, instead of detaching it:
/// `eddy::abort_on_drop guard(eddy::spawn(f()));`. It is awaited as the handle is.
///
/// Threads: as the handle.
template <class T = void>
class abort_on_drop {
 public:
  using value_type = T;

  explicit abort_on_drop(join_handle<T> h) noexcept : handle_(std::move(h)) {}
  abort_on_drop(abort_on_drop&& other) noexcept
      : handle_(std::exchange(other.handle_, std::nullopt)) {}
  /// What it held before is aborted.
  abort_on_drop& operator=(abort_on_drop other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~abort_on_drop() { abort(); }

  /// The task's value, or its failure.
  /// Cancel safety: nothing is lost while this lives; destroying it aborts the task.
  /// Errors: as the handle; after `detach`, or moved from, it is misuse.
  polled<result<T>> poll(context& cx) noexcept {
    if (!handle_)
      return result<T>(error(errc::misuse, "an abort_on_drop was awaited after detach"));
    return handle_->poll(cx);
  }
  /// Asks the task to end, as the handle's `abort`.
  void abort() const noexcept {
    if (handle_) handle_->abort();
  }
  /// True once the task has ended.
  bool is_finished() const noexcept { return !handle_ || handle_->is_finished(); }
  /// The task's.
  task_id id() const noexcept { return handle_ ? handle_->id() : task_id{}; }
  /// The handle; from now on nothing is aborted.
  /// Errors: a second time it is misuse.
  join_handle<T> detach() && {
    if (!handle_) detail::misuse("abort_on_drop::detach was called twice");
    auto h = std::move(*handle_);
    handle_.reset();
    return h;
  }

 private:
  std::optional<join_handle<T>> handle_;
};

}}  // namespace eddy::EDDY_ABI
