#pragma once

#include <concepts>
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
class mutex;

/// A part of what a mutex guards, and the lock on the whole; made by `map` and `try_map`.
///
/// Lifetime: a `mapped_mutex_guard` must not outlive its mutex; an `owned_mapped_mutex_guard` keeps it.
template <class T, class Holder>
class [[nodiscard]] basic_mapped_mutex_guard
    : public detail::guard_base<T, Holder, detail::one_permit> {
  using base = detail::guard_base<T, Holder, detail::one_permit>;

 public:
  /// A guard of a part of the part: see `basic_mutex_guard`.
  template <class F, class... Args>
  auto map(F&& part, Args&&... args) && {
    auto& value = std::forward<F>(part)(*this->value_, std::forward<Args>(args)...);
    return make(std::move(*this), value);
  }
  /// The same, if there is such a part: see `basic_mutex_guard`.
  template <class F, class... Args>
  auto try_map(F&& part, Args&&... args) && {
    auto* const value = std::forward<F>(part)(*this->value_, std::forward<Args>(args)...);
    using mapped = basic_mapped_mutex_guard<std::remove_pointer_t<decltype(value)>, Holder>;
    return value == nullptr ? std::optional<mapped>() : make(std::move(*this), *value);
  }

 private:
  template <class, class>
  friend class basic_mapped_mutex_guard;
  template <class, class>
  friend class basic_mutex_guard;
  basic_mapped_mutex_guard(Holder of, T& value) noexcept : base(std::move(of), value, {}) {}

  template <class U>
  static basic_mapped_mutex_guard<U, Holder> make(basic_mapped_mutex_guard&& from,
                                                  U& value) noexcept {
    return basic_mapped_mutex_guard<U, Holder>(std::exchange(from.of_, nullptr), value);
  }
};

/// A part of what a `mutex` guards; borrows the mutex.
template <class T>
using mapped_mutex_guard = basic_mapped_mutex_guard<T, detail::permits*>;
/// The same, sharing the mutex.
template <class T>
using owned_mapped_mutex_guard = basic_mapped_mutex_guard<T, std::shared_ptr<detail::permits>>;

/// A locked mutex: the way to its value, unlocked when this is destroyed. `Holder` is how it holds the
/// mutex: see `mutex_guard` and `owned_mutex_guard`. May live across awaits.
///
/// Threads: any may unlock: a guard is `is_send` when its value is.
/// Lifetime: a `mutex_guard` must not outlive its mutex; an `owned_mutex_guard` keeps it.
template <class T, class Holder>
class [[nodiscard]] basic_mutex_guard {
 public:
  using value_type = T;

  basic_mutex_guard(basic_mutex_guard&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
  basic_mutex_guard& operator=(basic_mutex_guard&& other) noexcept {
    if (this == &other) return *this;
    unlock();
    of_ = std::exchange(other.of_, nullptr);
    return *this;
  }
  ~basic_mutex_guard() { unlock(); }

  T& operator*() const noexcept { return detail::lock_access::value_of(*of_); }
  T* operator->() const noexcept { return std::addressof(**this); }
  /// Unlocks now, not at the guard's end. The guard is empty then, like one that was moved from.
  void unlock() noexcept {
    if (of_ == nullptr) return;
    detail::lock_access::permits_of(*of_).give(1);
    of_ = nullptr;
  }
  /// The mutex: a pointer, or a share of it. Null when the guard is empty.
  const Holder& mutex() const noexcept { return of_; }

  /// A guard of the part that `part(value, args…)` returns a reference to; the whole stays locked. If it
  /// throws, this guard is as it was.
  template <class F, class... Args>
  auto map(F&& part, Args&&... args) && {
    auto& value = std::forward<F>(part)(**this, std::forward<Args>(args)...);
    return make(std::move(*this), value);
  }
  /// The same for a callable that returns a pointer. Null gives nothing, and this guard is as it was.
  template <class F, class... Args>
  auto try_map(F&& part, Args&&... args) && {
    auto* const value = std::forward<F>(part)(**this, std::forward<Args>(args)...);
    return value == nullptr ? std::optional<decltype(make(std::move(*this), *value))>()
                            : make(std::move(*this), *value);
  }

 private:
  template <class, class>
  friend class detail::lock_leaf;
  friend sync::mutex<T>;
  explicit basic_mutex_guard(Holder of) noexcept : of_(std::move(of)) {}
  static basic_mutex_guard of_lock(Holder lock) noexcept {
    return basic_mutex_guard(std::move(lock));
  }
  static constexpr std::uint32_t needs(const sync::mutex<T>&) noexcept { return 1; }

  template <class U>
  static auto make(basic_mutex_guard&& from, U& value) noexcept {
    using held = decltype(detail::hold_permits(std::exchange(from.of_, nullptr)));
    return basic_mapped_mutex_guard<U, held>(detail::hold_permits(std::exchange(from.of_, nullptr)),
                                             value);
  }

  Holder of_;
};

/// What `lock` gives; borrows the mutex.
template <class T>
using mutex_guard = basic_mutex_guard<T, mutex<T>*>;
/// What `lock_owned` gives; shares the mutex.
template <class T>
using owned_mutex_guard = basic_mutex_guard<T, std::shared_ptr<mutex<T>>>;

/// A value that one task at a time may use, also across awaits.
///
/// First come, first served; an unlock hands the lock to who has waited longest. What is changed without
/// awaiting while it is locked needs no such mutex on one loop. There is no poisoning: after an exception
/// the value is as the exception left it.
/// Threads: any; in a build without the pool one loop's.
/// Lifetime: outlives every call on it, and every guard but the owned ones.
template <class T>
class mutex {
 public:
  using value_type = T;

  mutex()
    requires std::default_initializable<T>
  = default;
  explicit mutex(T value) noexcept(std::is_nothrow_move_constructible_v<T>)
    requires std::move_constructible<T>
      : value_(std::move(value)) {}
  /// Makes the value in place.
  template <class... Args>
    requires std::constructible_from<T, Args...>
  explicit mutex(std::in_place_t, Args&&... args) : value_(std::forward<Args>(args)...) {}
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  /// Waits for the lock: `auto guard = co_await m.lock();`
  ///
  /// Cancel safety: only the place in the queue is lost.
  /// Errors: none; locked again by who holds it, it waits for ever.
  /// Cost: no allocation; one compare-and-swap when it is free, and one to unlock.
  detail::lock_leaf<mutex_guard<T>, mutex*> lock() noexcept {
    return detail::lock_leaf<mutex_guard<T>, mutex*>(this);
  }
  /// The same with a guard that keeps the mutex.
  static detail::lock_leaf<owned_mutex_guard<T>, std::shared_ptr<mutex>> lock_owned(
      std::shared_ptr<mutex> m) noexcept {
    return detail::lock_leaf<owned_mutex_guard<T>, std::shared_ptr<mutex>>(std::move(m));
  }
  /// The lock if it is free, else an error equal to `std::errc::operation_would_block`.
  result<mutex_guard<T>> try_lock() noexcept {
    if (!take()) return detail::would_block("try_lock");
    return mutex_guard<T>(this);
  }
  static result<owned_mutex_guard<T>> try_lock_owned(std::shared_ptr<mutex> m) noexcept {
    if (!m->take()) return detail::would_block("try_lock");
    return owned_mutex_guard<T>(std::move(m));
  }
  /// Locks from an ordinary thread, which waits. Absent in a build without the pool.
  /// Errors: misuse on a thread that runs a loop.
  mutex_guard<T> blocking_lock() {
    auto waiting = lock();
    return detail::block_thread("mutex::blocking_lock", waiting).take();
  }
  static owned_mutex_guard<T> blocking_lock_owned(std::shared_ptr<mutex> m) {
    auto waiting = lock_owned(std::move(m));
    return detail::block_thread("mutex::blocking_lock_owned", waiting).take();
  }

  /// The value without locking, for who has the mutex to himself. Errors: misuse when it is locked.
  T& get_mut() {
    if (permits_.available() == 0) detail::misuse("mutex::get_mut: the mutex is locked");
    return value_;
  }
  /// The value, moved out. Errors: misuse when the mutex is locked.
  T into_inner() && {
    if (permits_.available() == 0) detail::misuse("mutex::into_inner: the mutex is locked");
    return std::move(value_);
  }

 private:
  friend detail::lock_access;
  bool take() noexcept { return permits_.try_take(1) == detail::permit_answer::taken; }

  detail::permits permits_{1};
  T value_{};
};

}}}  // namespace eddy::EDDY_ABI::sync
