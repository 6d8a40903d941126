#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/sync/broadcast_received.hpp>
#include <eddy/sync/detail/broadcast_core.hpp>
#include <eddy/sync/detail/wait_list.hpp>
#include <eddy/sync/send_error.hpp>
#include <eddy/task/detail/thread_waiter.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync::broadcast {

template <class T>
class receiver;
template <class T>
class weak_sender;

}}}  // namespace eddy::EDDY_ABI::sync::broadcast

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct broadcast_access;

/// What a user asked for, rounded up to a power of two; misuse when it is 0 or too many.
std::size_t broadcast_capacity(std::size_t n);

/// Waits for the next value of a receiver.
template <class T>
class [[nodiscard]] broadcast_recv {
  using received = sync::broadcast::received<T>;
  static constexpr bool cannot_fail =
      std::is_nothrow_copy_constructible_v<T> && std::is_nothrow_move_constructible_v<T>;

 public:
  using answer = std::conditional_t<cannot_fail, received, result<received>>;

  broadcast_recv(broadcast_core<T>* core, std::uint64_t* next) noexcept
      : core_(core), next_(next) {}
  broadcast_recv(broadcast_recv&& other) noexcept : core_(other.core_), next_(other.next_) {}
  broadcast_recv& operator=(broadcast_recv&&) = delete;
  ~broadcast_recv() { place_.leave(core_->lock()); }

  polled<answer> poll(context& cx) noexcept {
    if constexpr (cannot_fail)
      return step(cx);
    else
      return or_failed_move<received, error>([&] { return step(cx); });
  }

 private:
  polled<answer> step(context& cx) {
    polled<answer> p(pending);  // the only thing returned, so that nothing is moved
    waker old;
    typename broadcast_core<T>::guard held(core_->lock());
    const bool has_all = core_->has_all(*next_);
    if (has_all && !core_->is_closed_now()) {
      core_->receiving.wait(place_, cx, old);
      return p;
    }
    place_.settle(old);
    if (!cx.proceed()) return p;
    if (has_all) {
      p.emplace(received());
    } else if (const auto missed = core_->missed(*next_)) [[unlikely]] {
      *next_ += missed;
      p.emplace(received(sync::broadcast::lagged{missed}));
    } else {
      core_->take(held, *next_, [&p](auto&& value) {
        using given = decltype(value);
        if constexpr (cannot_fail)
          p.emplace(std::in_place, std::forward<given>(value));
        else
          p.emplace(std::in_place, std::in_place, std::forward<given>(value));
      });
    }
    return p;
  }

  broadcast_core<T>* core_;
  std::uint64_t* next_;
  crowd_place place_;
};

/// Waits until a channel has no receiver.
template <class T>
class [[nodiscard]] broadcast_closed {
 public:
  explicit broadcast_closed(broadcast_core<T>* core) noexcept : core_(core) {}
  broadcast_closed(broadcast_closed&& other) noexcept : core_(other.core_) {}
  broadcast_closed& operator=(broadcast_closed&&) = delete;
  ~broadcast_closed() { place_.leave(core_->lock()); }

  polled<> poll(context& cx) noexcept {
    waker old;
    const typename broadcast_core<T>::guard held(core_->lock());
    if (core_->receivers_now() != 0) {
      core_->watching.wait(place_, cx, old);
      return pending;
    }
    place_.settle(old);
    if (!cx.proceed()) return pending;
    return ready;
  }

 private:
  broadcast_core<T>* core_;
  crowd_place place_;
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync::broadcast {

/// Sends values, each to all receivers there are. Copies send to the same ones; when the last is gone, the
/// receivers find the end behind the values.
///
/// Threads: any; in a build without the pool one loop's. One object is used by one thread at a time.
template <class T>
class [[nodiscard]] sender {
 public:
  sender(const sender& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) core_->add_sender();
  }
  sender(sender&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  sender& operator=(sender other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~sender() {
    if (core_ == nullptr) return;
    core_->drop_sender();
    core_->release();
  }

  /// Sends to all receivers, without waiting; how many they are. When the channel is full the oldest value
  /// goes, whether or not all have read it.
  ///
  /// Errors: `errc::closed` when there is no receiver; the value comes back in the error. Receivers may come
  /// later (`subscribe`).
  /// Cost: one block from the frame allocator; a wake for each receiver that waits.
  result<std::size_t, send_error<T>> send(T value) const { return emplace(std::move(value)); }
  /// The same with a value made from `args`.
  template <class... A>
    requires(std::is_constructible_v<T, A...>)
  result<std::size_t, send_error<T>> emplace(A&&... args) const {
    struct owned {
      typename core::node* n;
      ~owned() {
        if (n != nullptr) core::release(*n);
      }
    } mine{core::make_node(std::forward<A>(args)...)};
    if (const auto count = core_->send(*mine.n)) {
      mine.n = nullptr;
      return count;
    }
    return unexpected(
        send_error<T>(error(errc::closed, "broadcast send"), std::move(mine.n->value)));
  }

  /// A receiver of what is sent from now on.
  receiver<T> subscribe() const;
  /// Waits until there is no receiver.
  ///
  /// Cancel safety: nothing is lost.
  /// Lifetime: a sender of the channel stays alive while this is awaited.
  detail::broadcast_closed<T> closed() const noexcept { return detail::broadcast_closed<T>(core_); }
  /// A sender that does not keep the channel open.
  weak_sender<T> downgrade() const noexcept;

  /// Values that some receiver has yet to read.
  std::size_t len() const noexcept { return core_->length(); }
  /// True when every receiver has read all.
  bool is_empty() const noexcept { return len() == 0; }
  /// Receivers there are.
  std::size_t receiver_count() const noexcept { return core_->receivers(); }
  /// Senders there are.
  std::size_t strong_count() const noexcept { return core_->senders(); }
  /// Weak senders there are.
  std::size_t weak_count() const noexcept { return core_->weak_senders(); }
  /// True when both send into one channel.
  bool same_channel(const sender& other) const noexcept { return core_ == other.core_; }

 private:
  using core = detail::broadcast_core<T>;
  friend weak_sender<T>;
  friend detail::broadcast_access;
  explicit sender(core* c) noexcept : core_(c) {}

  core* core_;  // null: moved from
};

/// A way to a sender that does not keep the channel open.
template <class T>
class [[nodiscard]] weak_sender {
 public:
  weak_sender(const weak_sender& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) core_->add_weak();
  }
  weak_sender(weak_sender&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  weak_sender& operator=(weak_sender other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~weak_sender() {
    if (core_ == nullptr) return;
    core_->drop_weak();
    core_->release();
  }

  /// A sender, if there still is one; else nothing, and there never will be.
  std::optional<sender<T>> upgrade() const noexcept {
    if (!core_->revive_sender()) return std::nullopt;
    return sender<T>(core_);
  }
  /// Senders there are.
  std::size_t strong_count() const noexcept { return core_->senders(); }
  /// Weak senders there are.
  std::size_t weak_count() const noexcept { return core_->weak_senders(); }

 private:
  friend sender<T>;
  explicit weak_sender(detail::broadcast_core<T>* c) noexcept : core_(c) { core_->add_weak(); }

  detail::broadcast_core<T>* core_;  // null: moved from
};

/// Receives what is sent after it was made. Each receiver gets every value, as a copy made when it is read;
/// the last one to read a value gets the value itself.
///
/// Threads: any, one at a time; in a build without the pool one loop's.
template <class T>
class [[nodiscard]] receiver {
  static_assert(
      std::is_copy_constructible_v<T>,
      "eddy: a broadcast value is copied to each receiver; std::shared_ptr<const T> can be");

 public:
  receiver(receiver&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), next_(other.next_) {}
  receiver& operator=(receiver&& other) noexcept {
    std::swap(core_, other.core_);
    std::swap(next_, other.next_);
    return *this;
  }
  ~receiver() {
    if (core_ == nullptr) return;
    core_->drop_receiver(next_);
    core_->release();
  }

  /// The next value, or how many were missed because this receiver was slower than the channel's capacity
  /// (it goes on with the oldest that is left), or the end: see `received`.
  ///
  /// Cancel safety: nothing is lost.
  /// Lifetime: the receiver stays where it is while this is awaited.
  /// Errors: what the copy throws; that value is lost to this receiver.
  /// Cost: no allocation but the copy's own.
  detail::broadcast_recv<T> recv() noexcept { return detail::broadcast_recv<T>(core_, &next_); }
  /// The next value if it is there; else why not.
  result<T, recv_error> try_recv();
  /// Waits on an ordinary thread. Errors: as `recv`; misuse on a thread that drives a loop.
  received<T> blocking_recv() {
    auto leaf = recv();
    auto p = detail::block_thread("blocking_recv", leaf);
    if constexpr (std::is_same_v<typename detail::broadcast_recv<T>::answer, received<T>>)
      return p.take();
    else
      return std::move(*p).value();
  }

  /// Another receiver, of what is sent from now on.
  receiver resubscribe() const;
  /// Values sent and not yet read, those that are missed too.
  std::size_t len() const noexcept { return static_cast<std::size_t>(core_->tail() - next_); }
  /// True when it has read all.
  bool is_empty() const noexcept { return len() == 0; }
  /// True when there is no sender any more; values may be left.
  bool is_closed() const noexcept { return core_->senders() == 0; }
  /// Senders there are.
  std::size_t sender_strong_count() const noexcept { return core_->senders(); }
  /// Weak senders there are.
  std::size_t sender_weak_count() const noexcept { return core_->weak_senders(); }
  /// True when both receive from one channel.
  bool same_channel(const receiver& other) const noexcept { return core_ == other.core_; }

 private:
  using core = detail::broadcast_core<T>;
  friend sender<T>;
  friend detail::broadcast_access;
  receiver(core* c, std::uint64_t next) noexcept : core_(c), next_(next) {}

  core* core_;          // null: moved from
  std::uint64_t next_;  // position of what it reads next
};

template <class T>
receiver<T> sender<T>::subscribe() const {
  return receiver<T>(core_, core_->add_receiver());
}
template <class T>
weak_sender<T> sender<T>::downgrade() const noexcept {
  return weak_sender<T>(core_);
}
template <class T>
receiver<T> receiver<T>::resubscribe() const {
  return receiver<T>(core_, core_->add_receiver());
}

template <class T>
result<T, recv_error> receiver<T>::try_recv() {
  using answer = result<T, recv_error>;
  typename core::guard held(core_->lock());
  if (core_->has_all(next_)) {
    if (core_->is_closed_now()) return answer(unexpect, error(errc::closed, "broadcast try_recv"));
    return answer(unexpect, error::system(EAGAIN, "broadcast try_recv"));
  }
  if (const auto missed = core_->missed(next_)) {
    next_ += missed;
    return answer(unexpect, error(errc::lagged, "broadcast try_recv"), missed);
  }
  std::optional<T> taken;
  core_->take(held, next_,
              [&taken](auto&& value) { taken.emplace(std::forward<decltype(value)>(value)); });
  return answer(std::in_place, *std::move(taken));
}

/// Both ends of a channel.
template <class T>
struct ends {
  sender<T> tx;    ///< sends
  receiver<T> rx;  ///< receives
};

}}}  // namespace eddy::EDDY_ABI::sync::broadcast

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct broadcast_access {
  template <class T>
  static sync::broadcast::ends<T> make(std::size_t capacity) {
    auto* const c = broadcast_core<T>::make(broadcast_capacity(capacity));
    return {sync::broadcast::sender<T>(c), sync::broadcast::receiver<T>(c, 0)};
  }
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync::broadcast {

/// A channel whose every value reaches every receiver: `auto [tx, rx] = eddy::sync::broadcast::channel<int>(16);`
/// It keeps the last `capacity` values (rounded up to a power of two) for receivers that are slower.
///
/// Errors: a capacity of 0, or above 2^31, is misuse.
/// Cost: one block; room for values is made as they pile up, not before.
template <class T>
ends<T> channel(std::size_t capacity) {
  return detail::broadcast_access::make<T>(capacity);
}

}}}  // namespace eddy::EDDY_ABI::sync::broadcast
