#pragma once

#include <atomic>
#include <cassert>
#include <chrono>
#include <cstdint>

#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/runtime/detail/loop_timer.hpp>
#include <eddy/time/clock.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// What sleep, timeout and the like share: an entry in the wheel of the loop that polls it. 40 bytes.
class timer_leaf {
 public:
  explicit timer_leaf(std::uint64_t deadline) noexcept { entry_.deadline = deadline; }
  timer_leaf(timer_leaf&& other) noexcept : timer_leaf(other.entry_.deadline) {
    assert(other.waits_in() == nullptr && "eddy: a leaf moved after its first poll");
  }
  timer_leaf& operator=(timer_leaf&&) = delete;
  ~timer_leaf() {
    if (loop* const l = waits_in()) leave(*l);
  }
  std::uint64_t deadline() const noexcept { return entry_.deadline; }
  /// A poll has found that its time has come, or it was woken.
  bool elapsed() const noexcept {
    return entry_.where.load(std::memory_order_acquire) == loop_timer::over();
  }
  /// Gives it another deadline. One that is waited for goes on waiting: whoever it wakes is woken then, and
  /// at once if that time is over. Otherwise the next poll decides.
  void reset(std::uint64_t deadline) noexcept {
    if (deadline == entry_.deadline) return;
    if (loop* const l = waits_in()) return move_to(*l, deadline);
    entry_.where.store(nullptr, std::memory_order_relaxed);
    entry_.deadline = deadline;
  }
  /// Waits no more, and nobody is woken.
  void stop() noexcept {
    if (loop* const l = waits_in()) leave(*l);
    entry_.where.store(nullptr, std::memory_order_relaxed);
  }
  /// True when the deadline has passed; otherwise the target of `cx` will be woken then.
  bool poll_elapsed(context& cx) noexcept;
  /// The first poll of one whose time counts from now: a single reading of the clock.
  bool start(context& cx, duration limit) noexcept;

 private:
  /// Null: it does not wait. Asked once: in a pool the answer may change at any moment.
  loop* waits_in() const noexcept {
    loop* const l = entry_.where.load(std::memory_order_acquire);
    return l == loop_timer::over() ? nullptr : l;
  }
  void wait(loop& l, context& cx) noexcept;
  void move_to(loop& l, std::uint64_t deadline) noexcept;
  void leave(loop& l) noexcept;
  loop_timer entry_;
};

}  // namespace detail

/// Ready when its time has come; made by `sleep` and `sleep_until`.
class [[nodiscard]] sleep_leaf {
 public:
  explicit sleep_leaf(instant deadline) noexcept : timer_(detail::to_nanoseconds(deadline)) {}
  polled<> poll(context& cx) noexcept {
    if (!timer_.poll_elapsed(cx)) return pending;
    if (!cx.proceed()) return pending;
    return ready;
  }
  /// When it is due.
  instant deadline() const noexcept {
    return instant(duration(static_cast<duration::rep>(timer_.deadline())));
  }
  /// Another deadline, also for one that has run out: it can be awaited again. Whoever waits for it now is
  /// woken at the new time, and not at the old one.
  /// Threads: the loop's that polls it.
  void reset(instant deadline) noexcept { timer_.reset(detail::to_nanoseconds(deadline)); }
  /// True once a poll has seen that the deadline has passed, until `reset`.
  bool is_elapsed() const noexcept { return timer_.elapsed(); }

 private:
  detail::timer_leaf timer_;
};
static_assert(sizeof(sleep_leaf) <= 40, "a sleeping task's frame fits 128 bytes");

/// Waits until `deadline`. Never early; on Linux typically some microseconds late on an idle loop.
///
/// Cancel safety: nothing is lost.
/// Lifetime: one that waits is destroyed by its runtime's tasks, or before the runtime ends.
/// Errors: polled outside a runtime it ends the program with one line.
/// Cost: no allocation; a node of the loop's wheel.
inline sleep_leaf sleep_until(instant deadline) noexcept { return sleep_leaf(deadline); }

/// Waits for `d`, counted from this call. A negative time is none; one that no clock can hold is "for ever".
/// Cancel safety, Errors, Cost: as `sleep_until`.
template <class Rep, class Period>
sleep_leaf sleep(std::chrono::duration<Rep, Period> d) noexcept {
  return sleep_leaf(saturating_add(clock::now(), d));
}

}}  // namespace eddy::EDDY_ABI
