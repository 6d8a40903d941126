#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/sync/detail/mpsc_receive.hpp>
#include <eddy/sync/detail/mpsc_send.hpp>
#include <eddy/sync/detail/mpsc_sender.hpp>
#include <eddy/sync/mpsc_permit.hpp>
#include <eddy/sync/send_error.hpp>
#include <eddy/task/detail/thread_waiter.hpp>
#include <eddy/time/clock.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync::mpsc {

template <class T>
class sender;
template <class T>
struct bounded_ends;
template <class T>
bounded_ends<T> channel(std::size_t n);

/// A way to a `sender` that does not keep the channel open: `upgrade()` gives one while there is another.
template <class T>
using weak_sender = detail::mpsc_weak_sender<T, sender<T>>;

/// The sending half of a bounded channel; copies send to the same receiver.
///
/// Senders that wait for a place get it in the order in which they came; nobody overtakes, neither one that
/// wants fewer places nor `try_send`.
/// Threads: any; in a build without the pool one loop's.
/// Lifetime: a sender outlives what it has made: awaits, permits (not owned ones).
template <class T>
class sender : public detail::mpsc_sender<T> {
  using base = detail::mpsc_sender<T>;
  using core = detail::mpsc_core<T>;

 public:
  using value_type = T;

  /// Waits for a place, and sends.
  ///
  /// Cancel safety: the message is not sent and goes with the operation; to keep it, `reserve()` first.
  /// Errors: `send_failed<T>` when the channel is or gets closed; `attempt` gives a `send_error<T>`, which
  /// has the message.
  /// Cost: no allocation but one block for every 32 messages that are in the channel at once, from the
  /// frame allocator; a wake if the receiver waits.
  detail::mpsc_send<T> send(T value) const {
    return detail::mpsc_send<T>(core_, std::in_place, std::move(value));
  }
  /// `send` of a message made from `args`. For aggregates, which must not stand inside an await
  /// (docs/pitfalls.md says why).
  /// Cancel safety: as `send`.
  template <class... A>
  detail::mpsc_send<T> emplace(A&&... args) const {
    return detail::mpsc_send<T>(core_, std::in_place, std::forward<A>(args)...);
  }
  /// `send` that waits for at most `limit`, counted from its first poll.
  ///
  /// Cancel safety: as `send`.
  /// Errors: as `send`, and a `send_error` equal to `errc::elapsed`. Polled outside of a runtime when there
  /// is no place at once, it ends the program with one line.
  template <class Rep, class Period>
  detail::mpsc_send_for<T> send_timeout(std::chrono::duration<Rep, Period> limit, T value) const {
    return emplace_timeout(limit, std::move(value));
  }
  /// `send_timeout` of a message made from `args`.
  /// Cancel safety: as `send`.
  template <class Rep, class Period, class... A>
  detail::mpsc_send_for<T> emplace_timeout(std::chrono::duration<Rep, Period> limit,
                                           A&&... args) const {
    return detail::mpsc_send_for<T>(detail::to_duration(limit), core_, std::in_place,
                                    std::forward<A>(args)...);
  }
  /// Sends if there is a place now.
  /// Errors: the message comes back; `is_full()` or `is_closed()` says why.
  result<void, send_error<T>> try_send(T value) const { return try_put(std::move(value)); }
  /// `try_send` of a message made from `args`.
  template <class... A>
  result<void, send_error<T>> try_emplace(A&&... args) const {
    return try_put(T(std::forward<A>(args)...));
  }
  /// `send` for an ordinary thread, which sleeps while it waits.
  /// Errors: the message comes back. On a thread that drives a loop: misuse.
  result<void, send_error<T>> blocking_send(T value) const {
    return blocking_emplace(std::move(value));
  }
  /// `blocking_send` of a message made from `args`.
  template <class... A>
  result<void, send_error<T>> blocking_emplace(A&&... args) const {
    detail::mpsc_send<T> leaf(core_, std::in_place, std::forward<A>(args)...);
    return detail::block_thread("blocking_send", leaf).take();
  }

  /// Waits for a place, and holds it: the message can be made when there is room for it.
  ///
  /// Cancel safety: only the place in the queue is lost.
  /// Errors: `errc::closed`.
  /// Cost: no allocation.
  detail::mpsc_reserve<T, core*, permit<T>> reserve() const noexcept {
    return detail::mpsc_reserve<T, core*, permit<T>>(core_, core_, 1);
  }
  /// Waits for `n` places at once.
  ///
  /// Cancel safety: only the place in the queue is lost; places that it had got go back.
  /// Errors: `errc::closed`; `n` above `max_capacity()` is misuse.
  detail::mpsc_reserve<T, core*, permits<T>> reserve_many(std::size_t n) const noexcept {
    return detail::mpsc_reserve<T, core*, permits<T>>(core_, core_, n);
  }
  /// `reserve` that gives this sender away and gets it back from the permit, which may live anywhere.
  ///
  /// Cancel safety: the sender goes with the operation; clone it before if it is still wanted.
  /// Errors: as `reserve`; the sender is gone then.
  detail::mpsc_reserve<T, sender, owned_permit<T>> reserve_owned() && noexcept {
    auto* const own = core_;
    return detail::mpsc_reserve<T, sender, owned_permit<T>>(own, std::move(*this), 1);
  }
  /// A place if there is one now; else an error equal to `std::errc::operation_would_block`, or
  /// `errc::closed`.
  result<permit<T>> try_reserve() const noexcept {
    const auto how = try_take(1);
    if (how != detail::permit_answer::taken) return why_not(how);
    return permit<T>(core_);
  }
  /// `n` places, if there are as many now.
  result<permits<T>> try_reserve_many(std::size_t n) const noexcept {
    const auto how = try_take(n);
    if (how != detail::permit_answer::taken) return why_not(how);
    return permits<T>(core_, static_cast<std::uint32_t>(n));
  }
  /// `try_reserve` that gives this sender away; if it fails the sender stays as it is.
  result<owned_permit<T>> try_reserve_owned() && noexcept {
    const auto how = try_take(1);
    if (how != detail::permit_answer::taken) return why_not(how);
    return owned_permit<T>(std::move(*this));
  }

  /// Messages that could be sent now without waiting: `max_capacity()` less those in the channel and the
  /// places that are held.
  std::size_t capacity() const noexcept { return core_->free_places(); }
  /// What the channel was made for.
  std::size_t max_capacity() const noexcept { return core_->capacity(); }
  /// A sender that does not keep the channel open.
  weak_sender<T> downgrade() const noexcept { return weak_sender<T>(core_); }

 private:
  template <class U>
  friend bounded_ends<U> channel(std::size_t n);
  template <class, class>
  friend class detail::mpsc_weak_sender;
  friend owned_permit<T>;
  using base::base;
  using base::core_;

  static error why_not(detail::permit_answer how) noexcept {
    return how == detail::permit_answer::closed ? detail::mpsc_closed() : detail::mpsc_full();
  }
  result<void, send_error<T>> try_put(T&& value) const {
    core_->lock().lock();
    const auto how = core_->try_take(1);
    if (how == detail::permit_answer::taken) {
      core_->put_and_unlock(std::move(value));
      return {};
    }
    core_->lock().unlock();
    return result<void, send_error<T>>(unexpect, why_not(how), std::move(value));
  }
  detail::permit_answer try_take(std::size_t n) const noexcept {
    const detail::mpsc_state::guard held(core_->lock());
    return core_->try_take(static_cast<std::uint32_t>(n <= core::most ? n : core::most + 1));
  }
};

/// The receiving half of a bounded channel.
///
/// Threads: one at a time, any; in a build without the pool one loop's.
/// Lifetime: a receiver outlives the awaits that it has made.
template <class T>
class receiver : public detail::mpsc_receiver<T> {
  using base = detail::mpsc_receiver<T>;

 public:
  using value_type = T;

  /// As `sender::capacity`.
  std::size_t capacity() const noexcept { return core_->free_places(); }
  /// What the channel was made for.
  std::size_t max_capacity() const noexcept { return core_->capacity(); }

 private:
  template <class U>
  friend bounded_ends<U> channel(std::size_t n);
  using base::base;
  using base::core_;
};

/// Both halves: `auto [tx, rx] = eddy::sync::mpsc::channel<int>(32);`
template <class T>
struct bounded_ends {
  sender<T> tx;    ///< sends
  receiver<T> rx;  ///< receives
};

/// Makes a channel for `n` messages that many senders and one receiver share. A sender that finds it full
/// waits.
///
/// Errors: 0, and more than 2^29 - 1, is misuse.
/// Cost: 128 bytes; memory for messages comes when they come, and goes when they are received.
template <class T>
bounded_ends<T> channel(std::size_t n) {
  if (n == 0) detail::misuse("a channel for no message at all");
  if (n > detail::mpsc_state::most) detail::misuse("a channel for more than 2^29 - 1 messages");
  auto* const core = detail::mpsc_core<T>::make(static_cast<std::uint32_t>(n));
  return {sender<T>(core), receiver<T>(core)};
}

}}}  // namespace eddy::EDDY_ABI::sync::mpsc
