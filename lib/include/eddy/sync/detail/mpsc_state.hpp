#pragma once
// What a channel is without its messages: one lock, who holds it, free places, who waits. The messages are
// in mpsc_core.hpp.
//
// I1  Everything is under `lock_` but `references_`, a waiter's phase (permit_queue.hpp) and the receiver's own:
//     `claimed_`, `read_`, `taking_`. While the process has one thread, what the receiver does at once does without.
// I2  places free + messages + places held by permits, or by waiters that were granted some = capacity.
//     An unbounded channel has capacity 0 and counts the same, modulo 2^32.
// I3  While a sender waits no place is free: what comes free goes to the first in the queue.
// I4  `waiting_for_` is the leaf that waits, for a message or the end, and is set only while there is neither;
//     whoever changes that takes `receiver_` out and wakes it behind the lock. A task's leaf that goes away before
//     stays noted: the task's next one finds all as it should be, or it is woken once for nothing.
// I5  The channel has ended when it is closed or has no senders, and every place is free: no message is in
//     it and no permit can bring one.
// I6  The receiver claims messages before it takes them: one, or all that there are if places do not count. They
//     are out of the channel by the count, and their places are free. It claims more when it has taken them. So a
//     bounded channel may hold one message too many after its move has thrown.
//
// Threads: any; in a build without the pool one loop's.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <eddy/base/detail/list.hpp>
#include <eddy/base/detail/lock.hpp>
#include <eddy/base/detail/memory.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/wake_list.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/sync/detail/permit_queue.hpp>
#include <eddy/sync/detail/semaphore_core.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

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
  /// As the receiver counts them.
  std::size_t messages() noexcept { return read(&mpsc_state::count_) + claimed_; }
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
  /// One poll of the receiver: `message` when some are claimed, already or now, then up to `limit`. `leaf` is who
  /// waits when there are none.
  receiving receive(context& cx, const void* leaf, std::size_t limit) noexcept {
    check_receiver();
    if (claimed_ == 0) {
      // Without another thread what is changed at once needs no lock.
      if (!sync_memory::single_threaded() || !queue_.empty())
        return receive_slowly(cx, leaf, limit);
      if (count_ == 0) {
        if (waiting_for_ == nullptr || !cx.wakes_same(receiver_))
          return receive_slowly(cx, leaf, limit);
        waiting_for_ = leaf;
        return receiving::pending;
      }
      if (!cx.proceed()) return receiving::pending;
      free_ += claim(limit);
      return receiving::message;
    }
    return cx.proceed() ? receiving::message : receiving::pending;
  }
  /// The same for who does not wait: `pending` is "none now".
  receiving try_receive() noexcept;
  /// How many are.
  std::size_t claimed() const noexcept { return claimed_; }
  /// While it lives the receiver moves a message out, and nobody else may.
  class taking {
   public:
    explicit taking(mpsc_state& s) noexcept : of_(s) { of_.taking_ = true; }
    taking(const taking&) = delete;
    ~taking() { of_.taking_ = false; }

   private:
    mpsc_state& of_;
  };
  /// A leaf that did not wait for a task goes away: its waker must not stay.
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
  mpsc_state(std::uint32_t capacity, std::uint32_t write) noexcept
      : free_(capacity), write_(write), capacity_(capacity) {}
  ~mpsc_state() = default;

  /// Nothing is in the channel: its one block is used from the beginning (mpsc_core.hpp, I2).
  void rewind() noexcept;
  void rewind_locked() noexcept {
    if (read_ != 0) read_ = write_ = 0;
  }
  /// A message has come: wakes the receiver, and unlocks.
  void count_message_and_unlock() noexcept {
    ++count_;
    if (waiting_for_ != nullptr) [[unlikely]]
      wake_receiver_and_unlock();
    else
      lock_.unlock();
  }
  /// The receiver goes: its waker, to be dropped behind the lock.
  void forget_receiver(waker& gone) noexcept {
    std::swap(gone, receiver_);
    waiting_for_ = nullptr;
  }

 private:
  void check_receiver() noexcept {
    lock_.check();
    if (taking_) [[unlikely]]
      used_by_its_message();
  }
  [[noreturn]] static void used_by_its_message() noexcept;
  template <class Member>
  Member read(Member mpsc_state::* member) noexcept {
    const guard held(lock_);
    return this->*member;
  }
  permit_answer take_slowly(waiter& node, std::uint32_t n, context& cx) noexcept;
  void leave_queue(waiter& node, std::uint32_t n) noexcept;
  void give_slowly(std::uint32_t n, wake_list& wakes) noexcept;
  void give_slowly_and_unlock(std::uint32_t n) noexcept;
  receiving receive_slowly(context& cx, const void* leaf, std::size_t limit) noexcept;
  void claim_and_unlock(std::size_t limit) noexcept;
  /// Under the lock. The places that are free now.
  std::uint32_t claim(std::size_t limit) noexcept {
    claimed_ = capacity_ == 0 ? count_ : std::min(limit, count_);
    count_ -= claimed_;
    return static_cast<std::uint32_t>(claimed_);
  }
  receiving wait_and_unlock(context& cx, const void* leaf) noexcept;
  void wake_receiver_and_unlock() noexcept;
  void wake_receiver(wake_list& wakes) noexcept {
    if (std::exchange(waiting_for_, nullptr) != nullptr) wakes.add(std::move(receiver_));
  }

  sync_lock lock_;
  std::uint32_t free_;

 protected:
  std::size_t count_ = 0;  // messages that are not claimed
  std::uint32_t write_;    // where in the last block the next one goes
  bool receiver_gone_ = false;

 private:
  bool closed_ = false;
  std::uint32_t senders_ = 1;
  waker receiver_;
  const void* waiting_for_ = nullptr;
  permit_queue<sync_memory> queue_;
  list<mpsc_watcher> watching_;
  std::uint32_t weak_ = 0;
  sync_memory::atomic<std::uint32_t> references_{2};  // partners: retain, release_one
  const std::uint32_t capacity_;

 protected:
  // The receiver's own, so not beside what all write.
  std::uint32_t read_ = 0;  // where in the first block the next message is
  bool taking_ = false;
  std::size_t claimed_ = 0;
};

}}}  // namespace eddy::EDDY_ABI::detail
