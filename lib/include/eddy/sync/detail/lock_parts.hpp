#pragma once
// What mutex and rw_lock have in common: the leaf that waits for a guard, and the guard that knows its
// value by address. Both locks are `permits` that never close: one for a mutex, as many as readers may be
// for an rw_lock.
//
// I1  A guard refers to its lock (`Holder`) by a pointer, or shares it. An empty guard was moved from or
//     unlocked, and gives nothing back.
// I2  Who shares gives the permits back first and lets go of the lock after it.

#include <cstdint>
#include <memory>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/sync/detail/semaphore_core.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct lock_access {
  template <class Lock>
  static permits& permits_of(Lock& lock) noexcept {
    return lock.permits_;
  }
  template <class Lock>
  static auto& value_of(Lock& lock) noexcept {
    return lock.value_;
  }
};

/// Ends the program.
[[noreturn]] void polled_after_end() noexcept;

/// The holder of a lock's permits, from one of the lock.
template <class Lock>
permits* hold_permits(Lock* lock) noexcept {
  return &lock_access::permits_of(*lock);
}
template <class Lock>
std::shared_ptr<permits> hold_permits(std::shared_ptr<Lock> lock) noexcept {
  auto& part = lock_access::permits_of(*lock);
  return std::shared_ptr<permits>(std::move(lock), &part);
}

/// Waits for a `Guard`, which is made by `of_lock(holder)`; `Guard::needs(lock)` says how many permits it takes.
/// Awaited again after it has answered, it ends the program with one line: there is no error in its answer.
template <class Guard, class Holder>
class [[nodiscard]] lock_leaf {
 public:
  explicit lock_leaf(Holder of) noexcept : slot_(Guard::needs(*of)), of_(std::move(of)) {}
  lock_leaf(lock_leaf&& other) noexcept
      : slot_(std::move(other.slot_)), of_(std::exchange(other.of_, nullptr)) {}
  lock_leaf& operator=(lock_leaf&&) = delete;
  ~lock_leaf() {
    if (of_ != nullptr) lock_access::permits_of(*of_).leave(slot_);
  }

  polled<Guard> poll(context& cx) noexcept {
    if (of_ == nullptr) [[unlikely]]
      polled_after_end();
    if (lock_access::permits_of(*of_).poll(slot_, cx) != permit_answer::taken) return pending;
    return polled<Guard>(Guard::of_lock(std::exchange(of_, nullptr)));
  }

 private:
  permits::slot slot_;
  Holder of_;  // null: it has ended
};

/// The middle of guards that know their value by address. `Count` says how many permits it is.
template <class T, class Holder, class Count>
class [[nodiscard]] guard_base {
 public:
  using value_type = T;

  T& operator*() const noexcept { return *value_; }
  T* operator->() const noexcept { return value_; }
  /// Gives the lock back now, not at the guard's end. The guard is empty then, like one that was moved from.
  void unlock() noexcept {
    if (of_ == nullptr) return;
    of_->give(count_.permits());
    of_ = nullptr;
  }

 protected:
  guard_base(Holder of, T& value, Count count) noexcept
      : of_(std::move(of)), value_(std::addressof(value)), count_(count) {}
  guard_base(guard_base&& other) noexcept
      : of_(std::exchange(other.of_, nullptr)), value_(other.value_), count_(other.count_) {}
  guard_base& operator=(guard_base&& other) noexcept {
    if (this == &other) return *this;
    unlock();
    of_ = std::exchange(other.of_, nullptr);
    value_ = other.value_;
    count_ = other.count_;
    return *this;
  }
  ~guard_base() { unlock(); }

  Holder of_;
  T* value_;
  [[no_unique_address]] Count count_;
};

struct one_permit {
  static constexpr std::uint32_t permits() noexcept { return 1; }
};
class all_permits {
 public:
  explicit constexpr all_permits(std::uint32_t n) noexcept : n_(n) {}
  constexpr std::uint32_t permits() const noexcept { return n_; }

 private:
  std::uint32_t n_;
};

}}}  // namespace eddy::EDDY_ABI::detail
