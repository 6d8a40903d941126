#pragma once
// What a channel is without its messages: one lock, who holds it, free places, who waits. The messages are
// in mpsc_core.hpp, under the same lock.
//
// I1  Everything is under `lock_` but `references_` and a waiter's phase (permit_queue.hpp).
// I2  places free + messages + places held by permits, or by waiters that were granted some = capacity.
//     An unbounded channel has capacity 0 and counts the same, modulo 2^32.
// I3  While a sender waits no place is free: what comes free goes to the first in the queue.
// I4  `receiver_` is set only while there is no message and the channel has not ended; whoever changes
//     that takes it out and wakes it behind the lock. `waiting_for_` is the leaf that put it there.
// I5  The channel has ended when it is closed or has no senders, and every place is free: no message is in
//     it and no permit can bring one.
//
// Threads: any; in a build without the pool one loop's.

#include <cstddef>
#include <cstdint>
#include <utility>

#include <eddy/base/list.hpp>
#include <eddy/base/lock.hpp>
#include <eddy/base/memory.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/wake_list.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/sync/permit_queue.hpp>
#include <eddy/sync/permits.hpp>

namespace eddy::inline EDDY_ABI::detail {

/// A sender that waits for the end of the receiver; part of its leaf.
struct mpsc_watcher : list_node {
  waker who;
};

class mpsc_state {
 public:
  using waiter = permits::waiter;
  using guard = locked<sync_lock>;
  /// More places than this a channel cannot have.
  static constexpr std::size_t most = (std::size_t{1} << 29) - 1;

  mpsc_state(const mpsc_state&) = delete;
  mpsc_state& operator=(const mpsc_state&) = delete;

  sync_lock& lock() noexcept { return lock_; }

  /// Whoever keeps the memory alive: the receiver, senders, weak senders.
  void retain() noexcept;
  /// True: it was the last.
  bool release_one() noexcept;

  void add_sender() noexcept;
  /// A sender from a weak one; false when there is none left.
  bool revive_sender() noexcept;
  void drop_sender() noexcept;
  void add_weak() noexcept;
  void drop_weak() noexcept;

  std::size_t senders() noexcept { return read(&mpsc_state::senders_); }
  std::size_t weak_senders() noexcept { return read(&mpsc_state::weak_); }
  std::size_t free_places() noexcept { return read(&mpsc_state::free_); }
  std::size_t messages() noexcept { return read(&mpsc_state::count_); }
  std::size_t capacity() const noexcept { return capacity_; }
  /// Closed by the receiver: what a sender asks.
  bool is_closed() noexcept { return read(&mpsc_state::closed_); }
  /// Closed, or without senders: what the receiver asks.
  bool is_finished() noexcept;

  /// One poll of a leaf that wants `n` places. Locks, and if the answer is `taken` the lock stays held.
  permit_answer begin_take(waiter& node, std::uint32_t n, context& cx) noexcept {
    lock_.lock();
    if (node.where() == waiter::phase::idle && free_ >= n && !closed_) [[likely]] {
      if (cx.proceed()) [[likely]] {
        free_ -= n;
        return permit_answer::taken;
      }
      lock_.unlock();
      return permit_answer::pending;
    }
    return take_slowly(node, n, cx);
  }
  /// `n` places if they are free. Under the lock.
  permit_answer try_take(std::uint32_t n) noexcept {
    if (closed_) return permit_answer::closed;
    if (free_ < n) return permit_answer::pending;
    free_ -= n;
    return permit_answer::taken;
  }
  /// The place of a message in an unbounded channel; false when it is closed. Under the lock.
  bool take_any() noexcept {
    if (closed_) return false;
    --free_;
    return true;
  }
  /// A leaf that wanted `n` goes away without having heard that it has them.
  void leave(waiter& node, std::uint32_t n) noexcept {
    if (node.where() != waiter::phase::idle) leave_queue(node, n);
  }
  /// `n` places are free again. Under the lock, which it may let go of in between when many are woken.
  void give(std::uint32_t n, wake_list& wakes) noexcept {
    if (queue_.empty() && !closed_) [[likely]]
      free_ += n;
    else
      give_slowly(n, wakes);
  }
  /// The same for one, and unlocks.
  void give_one_and_unlock() noexcept {
    if (queue_.empty() && !closed_) [[likely]] {
      ++free_;
      lock_.unlock();
    } else {
      give_slowly_and_unlock(1);
    }
  }
  void give(std::uint32_t n) noexcept {
    lock_.lock();
    give_slowly_and_unlock(n);
  }

  enum class receiving : std::uint8_t { pending, ended, message };
  /// One poll of the receiver. Locks, and if there is a message the lock stays held.
  receiving begin_receive(context& cx, const void* leaf) noexcept {
    lock_.lock();
    if (count_ == 0) [[unlikely]]
      return wait_and_unlock(cx, leaf);
    if (cx.proceed()) [[likely]]
      return receiving::message;
    lock_.unlock();
    return receiving::pending;
  }
  /// The receiver's leaf goes away.
  void stop_waiting(const void* leaf) noexcept;
  /// Under the lock.
  bool has_ended() const noexcept {
    return (closed_ || senders_ == 0) && count_ == 0 && free_ == capacity_;
  }

  void close() noexcept;
  /// True when the channel is closed; otherwise the target of `cx` will be woken then.
  bool poll_closed(mpsc_watcher& node, context& cx) noexcept;
  void leave(mpsc_watcher& node) noexcept;

 protected:
  explicit mpsc_state(std::uint32_t capacity) noexcept : capacity_(capacity), free_(capacity) {}
  ~mpsc_state() = default;

  /// A message has come: wakes the receiver, and unlocks.
  void count_message_and_unlock() noexcept {
    ++count_;
    if (receiver_) [[unlikely]]
      wake_receiver_and_unlock();
    else
      lock_.unlock();
  }
  /// The receiver goes: its waker, to be dropped behind the lock.
  void forget_receiver(waker& gone) noexcept {
    std::swap(gone, receiver_);
    waiting_for_ = nullptr;
  }
  std::size_t count_ = 0;  // messages
  bool receiver_gone_ = false;

 private:
  template <class Member>
  Member read(Member mpsc_state::* member) noexcept {
    const guard held(lock_);
    return this->*member;
  }
  permit_answer take_slowly(waiter& node, std::uint32_t n, context& cx) noexcept;
  void leave_queue(waiter& node, std::uint32_t n) noexcept;
  void give_slowly(std::uint32_t n, wake_list& wakes) noexcept;
  void give_slowly_and_unlock(std::uint32_t n) noexcept;
  receiving wait_and_unlock(context& cx, const void* leaf) noexcept;
  void wake_receiver_and_unlock() noexcept;
  void wake_receiver(wake_list& wakes) noexcept {
    if (receiver_) wakes.add(std::move(receiver_));
  }

  sync_lock lock_;
  sync_memory::atomic<std::uint32_t> references_{2};  // partners: retain, release_one
  const std::uint32_t capacity_;
  std::uint32_t free_;
  bool closed_ = false;
  std::uint32_t senders_ = 1;
  std::uint32_t weak_ = 0;
  waker receiver_;
  const void* waiting_for_ = nullptr;
  permit_queue<sync_memory> queue_;
  list<mpsc_watcher> watching_;
};

}  // namespace eddy::inline EDDY_ABI::detail
