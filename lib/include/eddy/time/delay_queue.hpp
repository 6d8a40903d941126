#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/time/clock.hpp>
#include <eddy/time/detail/deadline_heap.hpp>
#include <eddy/time/detail/linked_timer.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// Numbers that no two calls of the process share, handed out in blocks.
class serial_numbers {
 public:
  std::uint64_t next() noexcept {
    if (next_ == end_) refill();
    return next_++;
  }

 private:
  void refill() noexcept;
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace detail

/// Names one entry of one `delay_queue`, ever: a key outlives its entry harmlessly, and is no other queue's.
/// A default one names nothing.
class delay_key {
 public:
  delay_key() noexcept = default;
  friend bool operator==(const delay_key&, const delay_key&) noexcept = default;

 private:
  template <class>
  friend class delay_queue;
  delay_key(std::uint32_t slot, std::uint64_t serial) noexcept : serial_(serial), slot_(slot) {}
  std::uint64_t serial_ = 0;
  std::uint32_t slot_ = 0;
};

/// A value whose time has come, or that was taken out before.
template <class T>
class expired {
 public:
  /// The value.
  T& value() & noexcept { return value_; }
  const T& value() const& noexcept { return value_; }
  T&& value() && noexcept { return std::move(value_); }
  /// The time for which it was due.
  instant deadline() const noexcept { return deadline_; }
  /// The key it had. It names nothing any more.
  delay_key key() const noexcept { return key_; }

 private:
  template <class>
  friend class delay_queue;
  expired(T&& value, instant deadline, delay_key key)
      : value_(std::move(value)), deadline_(deadline), key_(key) {}

  T value_;
  instant deadline_;
  delay_key key_;
};

/// Values that come out when their time has come, the earliest first, equal times in the order of insertion:
/// caches, retries, idle connections.
///
/// Threads: one loop's. Entries may be added, moved and removed while `next()` waits; it wakes at the right
/// time, and not for anything else.
/// Lifetime: outlives its `next()`. A move takes the entries with their keys; a `next()` that waits stays
/// with the object it was asked of, and looks again.
/// Cost: insert, remove and reset take logarithmic time; memory grows as a vector does. A type whose move may
/// throw has an allocation for each value.
template <class T>
class delay_queue {
  class [[nodiscard]] next_leaf {
    using answer = result<std::optional<expired<T>>>;

   public:
    explicit next_leaf(delay_queue& q) noexcept : queue_(&q), timer_(q.waiting_) {}
    polled<answer> poll(context& cx) noexcept {
      if (timer_.orphaned())
        return answer(error(errc::misuse, "a delay_queue was destroyed before its next()"));
      delay_queue& q = *queue_;
      if (!q.empty() && !timer_.poll_elapsed(cx, q.heap_.first_deadline())) return pending;
      if (!cx.proceed()) return pending;
      timer_.leave();
      if (q.empty()) return answer(std::optional<expired<T>>());
      return detail::or_failed_move<std::optional<expired<T>>, error>(
          [&q]() -> polled<answer> { return answer(q.take(q.heap_.first())); });
    }

   private:
    delay_queue* queue_;
    detail::linked_timer timer_;
  };

 public:
  delay_queue() = default;
  delay_queue(delay_queue&& other) noexcept { swap(other); }
  delay_queue& operator=(delay_queue&& other) noexcept {
    delay_queue taken(std::move(other));
    swap(taken);
    return *this;
  }
  void swap(delay_queue& other) noexcept {
    std::swap(heap_, other.heap_);
    std::swap(slots_, other.slots_);
    aim();
    other.aim();
  }

  /// Adds a value that comes out after `d`, or at `t`: at once if that is over.
  template <class Rep, class Period>
  delay_key insert(T value, std::chrono::duration<Rep, Period> d) {
    return insert_at(std::move(value), saturating_add(clock::now(), d));
  }
  delay_key insert_at(T value, instant t) {
    const auto slot = heap_.prepare();
    if (slot == slots_.size()) slots_.emplace_back();
    if constexpr (in_place)
      slots_[slot].value.emplace(std::move(value));
    else
      slots_[slot].value = std::make_unique<T>(std::move(value));
    slots_[slot].serial = serials_.next();
    heap_.add(t);
    aim();
    return key_of(slot);
  }
  /// Takes an entry out before its time. Errors: misuse when it is not there any more.
  expired<T> remove(delay_key key) { return take(find(key)); }
  /// The same, but nothing when it is not there any more.
  std::optional<expired<T>> try_remove(delay_key key) {
    if (!contains(key)) return std::nullopt;
    return take(key.slot_);
  }
  /// Gives an entry another time, and the last place among those of the same time.
  /// Errors: misuse when it is not there any more.
  template <class Rep, class Period>
  void reset(delay_key key, std::chrono::duration<Rep, Period> d) {
    reset_at(key, saturating_add(clock::now(), d));
  }
  void reset_at(delay_key key, instant t) {
    heap_.move(find(key), t);
    aim();
  }
  /// Waits for the next value whose time has come; nothing when the queue is empty:
  /// `while (auto e = co_await q.next()) use(e->value());`.
  ///
  /// Cancel safety: nothing is lost.
  /// Errors: what the move of a value throws; that value is lost.
  next_leaf next() noexcept { return next_leaf(*this); }

  /// True while the key's entry is in the queue.
  bool contains(delay_key key) const noexcept {
    return key.slot_ < slots_.size() && slots_[key.slot_].value &&
           slots_[key.slot_].serial == key.serial_;
  }
  /// When the entry comes out. Errors: misuse when it is not there any more.
  instant deadline(delay_key key) const { return heap_.deadline(find(key)); }
  /// The entry that comes out next, due or not; none in an empty queue.
  std::optional<delay_key> peek() const noexcept {
    if (empty()) return std::nullopt;
    return key_of(heap_.first());
  }
  std::size_t size() const noexcept { return heap_.size(); }
  bool empty() const noexcept { return heap_.size() == 0; }
  /// Entries for which there is memory.
  std::size_t capacity() const noexcept { return slots_.capacity(); }
  void reserve(std::size_t n) {
    heap_.reserve(n);
    slots_.reserve(n);
  }
  /// Gives back memory that no entry needs. Keys stay as they are, so an entry keeps the memory below it.
  void shrink_to_fit() {
    heap_.shrink();
    slots_.resize(heap_.slots());
    // Not by the vector's own shrink_to_fit: without exceptions libstdc++'s does nothing.
    std::vector<stored>(std::make_move_iterator(slots_.begin()),
                        std::make_move_iterator(slots_.end()))
        .swap(slots_);
  }
  /// Drops every entry, and their memory.
  void clear() noexcept { delay_queue(std::move(*this)); }

 private:
  // Growing must not lose values half way.
  static constexpr bool in_place = std::is_nothrow_move_constructible_v<T>;
  struct stored {
    std::conditional_t<in_place, std::optional<T>, std::unique_ptr<T>> value;
    std::uint64_t serial = 0;
  };

  delay_key key_of(std::uint32_t s) const noexcept { return delay_key(s, slots_[s].serial); }
  std::uint32_t find(delay_key key) const {
    if (!contains(key)) detail::misuse("delay_queue: no entry has this key");
    return key.slot_;
  }
  /// Whoever waits in `next()` waits for what is first now.
  void aim() noexcept { waiting_.retime(empty() ? instant::min() : heap_.first_deadline()); }
  expired<T> take(std::uint32_t s) {
    struct drop_at_end {
      delay_queue* queue;
      std::uint32_t at;
      ~drop_at_end() {
        queue->slots_[at].value.reset();
        queue->heap_.remove(at);
        queue->aim();
      }
    } const guard{this, s};
    return expired<T>(std::move(*slots_[s].value), heap_.deadline(s), key_of(s));
  }

  detail::deadline_heap heap_;
  std::vector<stored> slots_;  // by the heap's slots
  detail::serial_numbers serials_;
  detail::timer_source waiting_;  // who waits in next()
};

}}  // namespace eddy::EDDY_ABI
