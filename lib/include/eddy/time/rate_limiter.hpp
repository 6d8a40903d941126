#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include <eddy/base/detail/list.hpp>
#include <eddy/base/detail/lock.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/time/clock.hpp>
#include <eddy/time/sleep.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// A token bucket in whole numbers: `count` tokens come in each `per` nanoseconds, evenly, until there are
/// `burst`. Exact while count * per, in lowest terms, fits 63 bits; beyond (a million in an hour and more, if
/// they share no factor) slower by less than one in 2^16, for a billion in a day by one in 10^7. Passive: its
/// owner brings the clock and the lock.
class token_bucket {
 public:
  /// Full. Errors: a count, time or burst of nothing is misuse.
  token_bucket(std::uint32_t count, duration per, std::uint32_t burst, instant now);
  /// Adds what has come in until `now`. A clock that stepped back adds nothing.
  void fill(instant now) noexcept;
  std::uint32_t tokens() const noexcept { return tokens_; }
  std::uint32_t burst() const noexcept { return burst_; }
  void take(std::uint32_t n) noexcept { tokens_ -= n; }
  /// The first instant at which there are `n` tokens, if nobody takes any; `n` is at most `burst`.
  instant when(std::uint32_t n) const noexcept;

 private:
  std::uint64_t count_;  // with per_ in lowest terms; their product fits 63 bits
  std::uint64_t per_;
  std::uint64_t part_ = 0;  // of the next token, in units of 1 / per_; less than per_
  instant filled_;          // until when tokens_ and part_ count
  std::uint32_t burst_;
  std::uint32_t tokens_;
};

}  // namespace detail

/// Lets so many through in a time and makes the others wait: calls of an API, messages, connections.
/// `eddy::rate_limiter limit(10, 1s); … co_await limit.acquire();`
///
/// A token bucket: it is full at first, holds at most `burst` tokens, and `count` come in each `per`, spread
/// evenly. In any stretch of time `t` at most `burst + count * t / per` get through, exactly. A burst of one
/// keeps them apart, and what a late wake-up misses is lost; a larger one lets them catch up. First come, first
/// served: who asks for many is not overtaken by who asks for few.
/// Threads: any; in a build without the pool one loop's. The clock is that of whoever calls.
/// Lifetime: outlives every `acquire` on it.
/// Cost: no task, no thread and no timer of its own; at most one timer runs, that of the first in the queue.
class rate_limiter {
  class waiter : public detail::list_node {
   public:
    waker who;
  };
  class [[nodiscard]] acquire_leaf {
   public:
    acquire_leaf(rate_limiter& l, std::uint32_t n) noexcept : of_(&l), count_(n) {}
    acquire_leaf(acquire_leaf&& other) noexcept = default;
    acquire_leaf& operator=(acquire_leaf&&) = delete;
    ~acquire_leaf() {
      if (place_.linked()) of_->leave(place_);
    }
    polled<> poll(context& cx) noexcept {
      for (;;) {
        instant due;
        switch (of_->poll(place_, count_, cx, due)) {
          case answer::taken:
            return ready;
          case answer::behind:
            return pending;
          case answer::first:  // its timer says when to look again; it may be over by now
            if (due == instant::max()) {  // never; a paused clock may stand there
              timer_.stop();
              return pending;
            }
            timer_.reset(detail::to_nanoseconds(due));
            if (!timer_.poll_elapsed(cx)) return pending;
        }
      }
    }

   private:
    rate_limiter* of_;
    std::uint32_t count_;
    waiter place_;
    detail::timer_leaf timer_{0};
  };

 public:
  /// At most `count` each `per`, and at most `burst` at once, which is `count` if not given.
  /// Errors: a count, time or burst of nothing is misuse.
  template <class Rep, class Period>
  rate_limiter(std::uint32_t count, std::chrono::duration<Rep, Period> per)
      : rate_limiter(count, per, count) {}
  template <class Rep, class Period>
  rate_limiter(std::uint32_t count, std::chrono::duration<Rep, Period> per, std::uint32_t burst)
      : bucket_(count, detail::to_duration(per), burst, clock::now()) {}

  /// Waits for `n` tokens and takes them.
  ///
  /// Cancel safety: only the place in the queue is lost; no token is taken before the await goes on.
  /// Errors: more than `burst` never come: misuse.
  /// Cost: no allocation.
  acquire_leaf acquire(std::uint32_t n = 1) {
    check(n);
    return acquire_leaf(*this, n);
  }
  /// Takes `n` tokens if they are there and nobody waits.
  /// Errors: as `acquire`.
  bool try_acquire(std::uint32_t n = 1);
  /// Tokens there are just now.
  std::uint32_t available() noexcept;

 private:
  enum class answer : std::uint8_t { taken, first, behind };
  void check(std::uint32_t n) const;
  answer poll(waiter& w, std::uint32_t n, context& cx, instant& due) noexcept;
  void leave(waiter& w) noexcept;
  void leave_and_wake_next(waiter& w, detail::locked<>& lock) noexcept;

  detail::sync_lock lock_;
  detail::token_bucket bucket_;   // under lock_
  detail::list<waiter> waiting_;  // under lock_; the first has a timer, or is about to be polled
};

}}  // namespace eddy::EDDY_ABI
