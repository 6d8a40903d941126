#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <eddy/base/misuse.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/time/clock.hpp>
#include <eddy/time/deadline_heap.hpp>
#include <eddy/time/sleep.hpp>

namespace eddy::inline EDDY_ABI {

/// Names an entry of a `delay_queue`; never used again by that queue.
class delay_key {
 public:
  delay_key() noexcept = default;
  friend bool operator==(const delay_key&, const delay_key&) noexcept = default;

 private:
  template <class>
  friend class delay_queue;
  delay_key(std::uint32_t slot, std::uint32_t round) noexcept : slot_(slot), round_(round) {}
  std::uint32_t slot_ = 0;
  std::uint32_t round_ = 0;
};

/// A value whose time has come, or that was taken out before.
template <class T>
class expired {
 public:
  expired(T value, instant deadline, delay_key key)
      : value_(std::move(value)), deadline_(deadline), key_(key) {}
  T& value() & noexcept { return value_; }
  const T& value() const& noexcept { return value_; }
  T&& value() && noexcept { return std::move(value_); }
  instant deadline() const noexcept { return deadline_; }
  delay_key key() const noexcept { return key_; }

 private:
  T value_;
  instant deadline_;
  delay_key key_;
};

/// Values that come out when their time has come, the earliest first: caches, retries, idle connections.
///
/// Threads: one task's; entries may be added while `next()` waits.
/// Cost: insert, remove and reset take logarithmic time; memory grows as a vector does.
template <class T>
class delay_queue {
  class [[nodiscard]] next_leaf {
   public:
    explicit next_leaf(delay_queue& q) noexcept : queue_(&q) {}
    next_leaf(next_leaf&& other) noexcept : queue_(other.queue_) {}
    next_leaf& operator=(next_leaf&&) = delete;
    ~next_leaf() {
      if (waits_) queue_->who_.reset();
    }
    polled<std::optional<expired<T>>> poll(context& cx) noexcept {
      if (queue_->empty()) return std::optional<expired<T>>();
      const auto first = detail::to_nanoseconds(queue_->heap_.first_deadline());
      if (timer_.deadline() != first || !armed_) timer_.reset(first);
      armed_ = true;
      if (!timer_.poll_elapsed(cx)) {
        waits_ = true;
        cx.store_waker(queue_->who_);
        return pending;
      }
      if (!cx.proceed()) return pending;
      return std::optional<expired<T>>(queue_->take(queue_->heap_.first()));
    }

   private:
    delay_queue* queue_;
    detail::timer_leaf timer_{0};
    bool armed_ = false;
    bool waits_ = false;
  };

 public:
  delay_queue() = default;
  delay_queue(delay_queue&&) noexcept = default;
  delay_queue& operator=(delay_queue&&) noexcept = default;

  /// Adds a value that comes out after `d`, or at `t`.
  template <class Rep, class Period>
  delay_key insert(T value, std::chrono::duration<Rep, Period> d) {
    return insert_at(std::move(value),
                     detail::saturating_add(clock::now(), detail::to_duration(d)));
  }
  delay_key insert_at(T value, instant t) {
    if (values_.size() == heap_.slots()) values_.emplace_back();
    const auto slot = heap_.next_slot();
    values_[slot].value.emplace(std::move(value));
    heap_.add(t);
    changed(slot);
    return delay_key(slot, values_[slot].round);
  }
  /// Takes an entry out before its time. Misuse when it is not there any more.
  expired<T> remove(delay_key key) { return take(find(key)); }
  std::optional<expired<T>> try_remove(delay_key key) {
    if (!contains(key)) return std::nullopt;
    return take(key.slot_);
  }
  /// Gives an entry another time. Misuse when it is not there any more.
  template <class Rep, class Period>
  void reset(delay_key key, std::chrono::duration<Rep, Period> d) {
    reset_at(key, detail::saturating_add(clock::now(), detail::to_duration(d)));
  }
  void reset_at(delay_key key, instant t) {
    const auto slot = find(key);
    const bool was_first = heap_.first() == slot;
    heap_.move(slot, t);
    if (was_first) std::move(who_).wake();
    changed(slot);
  }
  /// Waits for the next value whose time has come; nothing when the queue is empty.
  /// Cancel safety: nothing is lost.
  next_leaf next() noexcept { return next_leaf(*this); }

  bool contains(delay_key key) const noexcept {
    return key.slot_ < values_.size() && values_[key.slot_].value &&
           values_[key.slot_].round == key.round_;
  }
  instant deadline(delay_key key) const { return heap_.deadline(find(key)); }
  /// The entry that comes out next; none in an empty queue.
  std::optional<delay_key> peek() const noexcept {
    if (empty()) return std::nullopt;
    const auto slot = heap_.first();
    return delay_key(slot, values_[slot].round);
  }
  std::size_t size() const noexcept { return heap_.size(); }
  bool empty() const noexcept { return heap_.size() == 0; }
  void reserve(std::size_t n) {
    heap_.reserve(n);
    values_.reserve(n);
  }
  /// Drops every entry.
  void clear() noexcept {
    while (!empty()) {
      const auto slot = heap_.first();
      heap_.remove(slot);
      drop(slot);
    }
    std::move(who_).wake();
  }

 private:
  struct slot_value {
    std::optional<T> value;
    std::uint32_t round = 0;
  };

  std::uint32_t find(delay_key key) const {
    if (!contains(key)) detail::misuse("delay_queue: no entry has this key");
    return key.slot_;
  }
  void changed(std::uint32_t slot) noexcept {
    if (heap_.first() == slot) std::move(who_).wake();
  }
  expired<T> take(std::uint32_t slot) {
    expired<T> out(*std::move(values_[slot].value), heap_.deadline(slot),
                   delay_key(slot, values_[slot].round));
    heap_.remove(slot);
    drop(slot);
    return out;
  }
  void drop(std::uint32_t slot) noexcept {
    values_[slot].value.reset();
    ++values_[slot].round;
  }

  detail::deadline_heap heap_;
  std::vector<slot_value> values_;  // by the heap's slots
  waker who_;                       // who waits in next()
};

}  // namespace eddy::inline EDDY_ABI
