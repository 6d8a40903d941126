#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/sync/detail/lock_parts.hpp>
#include <eddy/task/detail/thread_waiter.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync {

template <class T>
class rw_lock;

/// Reads what an rw_lock guards, or a part of it; others may read at the same time. `Holder` is how it
/// holds the lock: see `rw_lock_read_guard` and `owned_rw_lock_read_guard`. May live across awaits.
///
/// Threads: any may unlock: a guard is `is_send` when its value is.
/// Lifetime: an `rw_lock_read_guard` must not outlive its lock; an `owned_rw_lock_read_guard` keeps it.
template <class T, class Holder>
class [[nodiscard]] basic_rw_lock_read_guard
    : public detail::guard_base<const T, Holder, detail::one_permit> {
  using base = detail::guard_base<const T, Holder, detail::one_permit>;

 public:
  /// A guard of the part that `part(value, args…)` returns a reference to. If it throws, this guard is as
  /// it was.
  template <class F, class... Args>
  auto map(F&& part, Args&&... args) && {
    const auto& value = std::forward<F>(part)(*this->value_, std::forward<Args>(args)...);
    return of(std::exchange(this->of_, nullptr), value);
  }
  /// The same for a callable that returns a pointer. Null gives nothing, and this guard is as it was.
  template <class F, class... Args>
  auto try_map(F&& part, Args&&... args) && {
    const auto* const value = std::forward<F>(part)(*this->value_, std::forward<Args>(args)...);
    using mapped = decltype(of(std::exchange(this->of_, nullptr), *value));
    return value == nullptr ? std::optional<mapped>()
                            : of(std::exchange(this->of_, nullptr), *value);
  }

 private:
  template <class, class>
  friend class basic_rw_lock_read_guard;
  template <class, class>
  friend class basic_rw_lock_write_guard;
  template <class, class>
  friend class detail::lock_leaf;
  friend rw_lock<T>;

  basic_rw_lock_read_guard(Holder of, const T& value) noexcept : base(std::move(of), value, {}) {}
  template <class Lock>
  static basic_rw_lock_read_guard of_lock(Lock lock) noexcept {
    auto& value = detail::lock_access::value_of(*lock);
    return basic_rw_lock_read_guard(detail::hold_permits(std::move(lock)), value);
  }
  static constexpr std::uint32_t needs(const rw_lock<T>&) noexcept { return 1; }
  template <class U>
  static basic_rw_lock_read_guard<U, Holder> of(Holder held, const U& value) noexcept {
    return basic_rw_lock_read_guard<U, Holder>(std::move(held), value);
  }
};

/// What `read` gives; borrows the lock.
template <class T>
using rw_lock_read_guard = basic_rw_lock_read_guard<T, detail::permits*>;
/// What `read_owned` gives; shares the lock.
template <class T>
using owned_rw_lock_read_guard = basic_rw_lock_read_guard<T, std::shared_ptr<detail::permits>>;

/// A part of what an rw_lock guards, for one writer; made by `map` and `try_map`. It cannot be downgraded:
/// readers of the whole might change the part by ways that only the whole guards.
///
/// Lifetime: an `rw_lock_mapped_write_guard` must not outlive its lock; an
/// `owned_rw_lock_mapped_write_guard` keeps it.
template <class T, class Holder>
class [[nodiscard]] basic_rw_lock_mapped_write_guard
    : public detail::guard_base<T, Holder, detail::all_permits> {
  using base = detail::guard_base<T, Holder, detail::all_permits>;

 public:
  /// A guard of a part of the part: see `basic_rw_lock_write_guard`.
  template <class F, class... Args>
  auto map(F&& part, Args&&... args) && {
    auto& value = std::forward<F>(part)(*this->value_, std::forward<Args>(args)...);
    return of(std::exchange(this->of_, nullptr), value, this->count_);
  }
  /// The same, if there is such a part: see `basic_rw_lock_write_guard`.
  template <class F, class... Args>
  auto try_map(F&& part, Args&&... args) && {
    auto* const value = std::forward<F>(part)(*this->value_, std::forward<Args>(args)...);
    using mapped = decltype(of(std::exchange(this->of_, nullptr), *value, this->count_));
    return value == nullptr ? std::optional<mapped>()
                            : of(std::exchange(this->of_, nullptr), *value, this->count_);
  }

 private:
  template <class, class>
  friend class basic_rw_lock_mapped_write_guard;
  template <class, class>
  friend class basic_rw_lock_write_guard;

  basic_rw_lock_mapped_write_guard(Holder of, T& value, detail::all_permits n) noexcept
      : base(std::move(of), value, n) {}
  template <class U>
  static basic_rw_lock_mapped_write_guard<U, Holder> of(Holder held, U& value,
                                                        detail::all_permits n) noexcept {
    return basic_rw_lock_mapped_write_guard<U, Holder>(std::move(held), value, n);
  }
};

/// A part of what a writer guards; borrows the lock.
template <class T>
using rw_lock_mapped_write_guard = basic_rw_lock_mapped_write_guard<T, detail::permits*>;
/// The same, sharing the lock.
template <class T>
using owned_rw_lock_mapped_write_guard =
    basic_rw_lock_mapped_write_guard<T, std::shared_ptr<detail::permits>>;

/// The only way to what an rw_lock guards while it lives. `Holder` is how it holds the lock: see
/// `rw_lock_write_guard` and `owned_rw_lock_write_guard`. May live across awaits.
///
/// Threads: any may unlock: a guard is `is_send` when its value is.
/// Lifetime: an `rw_lock_write_guard` must not outlive its lock; an `owned_rw_lock_write_guard` keeps it.
template <class T, class Holder>
class [[nodiscard]] basic_rw_lock_write_guard
    : public detail::guard_base<T, Holder, detail::all_permits> {
  using base = detail::guard_base<T, Holder, detail::all_permits>;
  template <class U>
  using mapped_guard = basic_rw_lock_mapped_write_guard<U, Holder>;
  template <class U>
  using read_guard = basic_rw_lock_read_guard<U, Holder>;

 public:
  /// A guard of the part that `part(value, args…)` returns a reference to; the whole stays locked. If it
  /// throws, this guard is as it was.
  template <class F, class... Args>
  auto map(F&& part, Args&&... args) && {
    auto& value = std::forward<F>(part)(*this->value_, std::forward<Args>(args)...);
    return mapped(value);
  }
  /// The same for a callable that returns a pointer. Null gives nothing, and this guard is as it was.
  template <class F, class... Args>
  auto try_map(F&& part, Args&&... args) && {
    auto* const value = std::forward<F>(part)(*this->value_, std::forward<Args>(args)...);
    return value == nullptr ? std::optional<decltype(mapped(*value))>() : mapped(*value);
  }
  /// A guard of all that cannot be downgraded, to be kept together with those of parts.
  mapped_guard<T> into_mapped() && noexcept { return mapped(*this->value_); }

  /// Becomes a reader, without letting another writer in between. Readers that are first in the queue get
  /// in beside it.
  read_guard<T> downgrade() && noexcept { return reader(std::as_const(*this->value_)); }
  /// The same for a part, as in `map`. The others get in when `part` has returned.
  template <class F, class... Args>
  auto downgrade_map(F&& part, Args&&... args) && {
    const auto& value =
        std::forward<F>(part)(std::as_const(*this->value_), std::forward<Args>(args)...);
    return reader(value);
  }
  /// The same, as in `try_map`.
  template <class F, class... Args>
  auto try_downgrade_map(F&& part, Args&&... args) && {
    const auto* const value =
        std::forward<F>(part)(std::as_const(*this->value_), std::forward<Args>(args)...);
    return value == nullptr ? std::optional<decltype(reader(*value))>() : reader(*value);
  }

 private:
  template <class, class>
  friend class detail::lock_leaf;
  friend rw_lock<T>;

  basic_rw_lock_write_guard(Holder of, T& value, detail::all_permits n) noexcept
      : base(std::move(of), value, n) {}
  template <class Lock>
  static basic_rw_lock_write_guard of_lock(Lock lock) noexcept {
    auto& value = detail::lock_access::value_of(*lock);
    const detail::all_permits all(needs(*lock));
    return basic_rw_lock_write_guard(detail::hold_permits(std::move(lock)), value, all);
  }
  static std::uint32_t needs(const rw_lock<T>& lock) noexcept { return lock.max_readers_; }
  template <class U>
  mapped_guard<U> mapped(U& value) noexcept {
    return mapped_guard<U>(std::exchange(this->of_, nullptr), value, this->count_);
  }
  template <class U>
  read_guard<U> reader(const U& value) noexcept {
    this->of_->give(this->count_.permits() - 1);
    return read_guard<U>(std::exchange(this->of_, nullptr), value);
  }
};

/// What `write` gives; borrows the lock.
template <class T>
using rw_lock_write_guard = basic_rw_lock_write_guard<T, detail::permits*>;
/// What `write_owned` gives; shares the lock.
template <class T>
using owned_rw_lock_write_guard = basic_rw_lock_write_guard<T, std::shared_ptr<detail::permits>>;

/// A value that many tasks may read at a time, or one may write, also across awaits.
///
/// First come, first served, readers and writers in one queue: a reader does not overtake a writer that
/// waits, so writers do not starve, and a task that reads must not wait for the lock to read once more.
/// Threads: any; in a build without the pool one loop's.
/// Lifetime: outlives every call on it, and every guard but the owned ones.
template <class T>
class rw_lock {
 public:
  using value_type = T;
  /// So many readers at a time, if nothing else is said; more cannot be.
  static constexpr std::size_t most_readers = detail::permits::most;

  rw_lock()
    requires std::default_initializable<T>
  = default;
  explicit rw_lock(T value) noexcept(std::is_nothrow_move_constructible_v<T>)
    requires std::move_constructible<T>
      : value_(std::move(value)) {}
  /// Lets at most `max_readers` read at a time. Errors: 0, or more than `most_readers`, is misuse.
  rw_lock(T value, std::size_t max_readers)
    requires std::move_constructible<T>
      : max_readers_(detail::reader_count(max_readers)), value_(std::move(value)) {}
  /// Makes the value in place.
  template <class... Args>
    requires std::constructible_from<T, Args...>
  explicit rw_lock(std::in_place_t, Args&&... args) : value_(std::forward<Args>(args)...) {}
  rw_lock(const rw_lock&) = delete;
  rw_lock& operator=(const rw_lock&) = delete;

  /// Waits until it may read: `auto value = co_await lock.read();`
  ///
  /// Cancel safety: only the place in the queue is lost, and who is behind moves up.
  /// Errors: none; a writer that asks again while it holds the lock waits for ever.
  /// Cost: no allocation; one compare-and-swap when it is free, and one to unlock.
  detail::lock_leaf<rw_lock_read_guard<T>, rw_lock*> read() noexcept {
    return detail::lock_leaf<rw_lock_read_guard<T>, rw_lock*>(this);
  }
  /// Waits until it may write: as `read`.
  detail::lock_leaf<rw_lock_write_guard<T>, rw_lock*> write() noexcept {
    return detail::lock_leaf<rw_lock_write_guard<T>, rw_lock*>(this);
  }
  /// The same with guards that keep the lock.
  static detail::lock_leaf<owned_rw_lock_read_guard<T>, std::shared_ptr<rw_lock>> read_owned(
      std::shared_ptr<rw_lock> l) noexcept {
    return detail::lock_leaf<owned_rw_lock_read_guard<T>, std::shared_ptr<rw_lock>>(std::move(l));
  }
  /// As `read_owned`, for writing.
  static detail::lock_leaf<owned_rw_lock_write_guard<T>, std::shared_ptr<rw_lock>> write_owned(
      std::shared_ptr<rw_lock> l) noexcept {
    return detail::lock_leaf<owned_rw_lock_write_guard<T>, std::shared_ptr<rw_lock>>(std::move(l));
  }

  /// The lock if it can be had at once, else an error equal to `std::errc::operation_would_block`. A
  /// writer that waits keeps readers out here too.
  result<rw_lock_read_guard<T>> try_read() noexcept {
    return try_as<rw_lock_read_guard<T>>(this, 1, "try_read");
  }
  /// As `try_read`, for writing.
  result<rw_lock_write_guard<T>> try_write() noexcept {
    return try_as<rw_lock_write_guard<T>>(this, max_readers_, "try_write");
  }
  /// As `try_read`, with a guard that keeps the lock.
  static result<owned_rw_lock_read_guard<T>> try_read_owned(std::shared_ptr<rw_lock> l) noexcept {
    return try_as<owned_rw_lock_read_guard<T>>(std::move(l), 1, "try_read");
  }
  /// As `try_write`, with a guard that keeps the lock.
  static result<owned_rw_lock_write_guard<T>> try_write_owned(std::shared_ptr<rw_lock> l) noexcept {
    const auto all = l->max_readers_;
    return try_as<owned_rw_lock_write_guard<T>>(std::move(l), all, "try_write");
  }

  /// Locks from an ordinary thread, which waits. Absent in a build without the pool.
  /// Errors: misuse on a thread that runs a loop.
  rw_lock_read_guard<T> blocking_read() {
    auto waiting = read();
    return detail::block_thread("rw_lock::blocking_read", waiting).take();
  }
  /// As `blocking_read`, for writing.
  rw_lock_write_guard<T> blocking_write() {
    auto waiting = write();
    return detail::block_thread("rw_lock::blocking_write", waiting).take();
  }

  /// The value without locking, for who has the lock to himself. Errors: misuse when it is locked.
  T& get_mut() {
    if (permits_.available() != max_readers_) detail::misuse("rw_lock::get_mut: the lock is held");
    return value_;
  }
  /// The value, moved out. Errors: misuse when the lock is held.
  T into_inner() && {
    if (permits_.available() != max_readers_)
      detail::misuse("rw_lock::into_inner: the lock is held");
    return std::move(value_);
  }

 private:
  friend detail::lock_access;
  template <class, class>
  friend class basic_rw_lock_write_guard;

  template <class Guard, class Holder>
  static result<Guard> try_as(Holder lock, std::uint32_t n, const char* operation) noexcept {
    if (lock->permits_.try_take(n) != detail::permit_answer::taken)
      return detail::would_block(operation);
    return Guard::of_lock(std::move(lock));
  }

  const std::uint32_t max_readers_ = detail::permits::most;
  detail::permits permits_{max_readers_};
  T value_{};
};

}}}  // namespace eddy::EDDY_ABI::sync
