#pragma once

#include <cstdint>
#include <utility>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

class waker;

/// Something that can be woken. A task is one; derive from this to make another: a test that counts
/// wakes, a thread that waits on a condition variable, one branch of many.
///
/// Threads: all three functions may be called from any thread, `wake` also several times at once.
/// Lifetime: reference counted by `retain` and `release`; `wake` is called only while a reference is
/// held. `wake` must not resume anything in place: it notes that there is work and returns.
class wake_target {
 public:
  /// Notes that there is work; it resumes nothing.
  virtual void wake() noexcept = 0;
  /// One reference more.
  virtual void retain() noexcept = 0;
  /// One reference less.
  virtual void release() noexcept = 0;

 protected:
  ~wake_target() = default;
};

namespace detail {

struct task;

/// Whom to wake, in one word: a task, or a `wake_target` (lowest bit set). Tasks are told apart so
/// that waking one costs no virtual call and, on its own thread, no atomic operation.
using target_word = std::uintptr_t;

inline target_word to_word(task* t) noexcept { return reinterpret_cast<target_word>(t); }
inline target_word to_word(wake_target& t) noexcept {
  return reinterpret_cast<target_word>(&t) | 1U;
}

inline bool is_task(target_word target) noexcept { return (target & 1U) == 0; }

void target_retain(target_word target) noexcept;
void target_release(target_word target) noexcept;
void target_wake(target_word target) noexcept;
void target_wake_and_release(target_word target) noexcept;

struct waker_access;

}  // namespace detail

/// A counted reference to something that can be woken; a leaf that answers "pending" keeps one.
///
/// Waking never runs anything in place: the task is queued and polled later by its own loop. Waking a
/// task that is queued already, or has ended, does nothing.
/// Threads: one waker object is used by one thread at a time; copies may go to any thread, and may
/// outlive the task and its runtime.
/// Cost: on the task's own loop a few plain instructions; elsewhere one atomic operation, and one
/// system call if the loop sleeps.
class waker {
 public:
  waker() noexcept = default;
  /// Refers to `target` and takes a reference to it.
  explicit waker(wake_target& target) noexcept : target_(detail::to_word(target)) {
    target.retain();
  }
  waker(const waker& other) noexcept : target_(other.target_) {
    if (target_ != 0) detail::target_retain(target_);
  }
  waker(waker&& other) noexcept : target_(std::exchange(other.target_, 0)) {}
  waker& operator=(waker other) noexcept {
    std::swap(target_, other.target_);
    return *this;
  }
  ~waker() {
    if (target_ != 0) detail::target_release(target_);
  }

  /// Wakes, and keeps the reference.
  void wake() const& noexcept {
    if (target_ != 0) detail::target_wake(target_);
  }
  /// Wakes, and gives the reference away: one operation where two would be needed.
  void wake() && noexcept {
    if (target_ != 0) detail::target_wake_and_release(std::exchange(target_, 0));
  }
  /// Forgets whom to wake.
  void reset() noexcept {
    if (target_ != 0) detail::target_release(std::exchange(target_, 0));
  }
  /// True when both wake the same target.
  bool will_wake(const waker& other) const noexcept { return target_ == other.target_; }
  explicit operator bool() const noexcept { return target_ != 0; }

 private:
  friend class context;
  friend struct detail::waker_access;
  struct adopt {};
  waker(detail::target_word target, adopt) noexcept : target_(target) {}

  detail::target_word target_ = 0;
};

namespace detail {
struct waker_access {
  static target_word target(const waker& w) noexcept { return w.target_; }
};
}  // namespace detail

}}  // namespace eddy::EDDY_ABI
