#pragma once
// The leaves of a channel's sending side. Each holds its place in the queue, and leaves it when it goes.
//
// I1  `core_` is null once the leaf has ended; until then it is kept alive by the sender the leaf was made
//     by, which outlives it.

#include <chrono>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/sync/detail/mpsc_core.hpp>
#include <eddy/sync/send_error.hpp>
#include <eddy/time/clock.hpp>
#include <eddy/time/sleep.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

inline error mpsc_closed() noexcept { return error(errc::closed, "channel"); }
inline error mpsc_full() noexcept { return error::system(EAGAIN, "channel"); }

/// Waits for a place and puts its message there.
template <class T>
class [[nodiscard]] mpsc_send {
 public:
  using answer = result<void, sync::send_error<T>>;

  template <class... A>
  explicit mpsc_send(mpsc_core<T>* core, std::in_place_t, A&&... args)
      : value_(std::forward<A>(args)...), core_(core) {}
  mpsc_send(mpsc_send&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
      : value_(std::move(other.value_)), core_(std::exchange(other.core_, nullptr)) {}
  mpsc_send& operator=(mpsc_send&&) = delete;
  ~mpsc_send() {
    if (core_ != nullptr) core_->leave(node_, 1);
  }

  polled<answer> poll(context& cx) noexcept {
    if constexpr (std::is_nothrow_move_constructible_v<T>)
      return try_send(cx);
    else
      return or_failed_move<void, sync::send_error<T>>([&] { return try_send(cx); });
  }
  /// Ends the wait; the message is the caller's again.
  T give_up() {
    std::exchange(core_, nullptr)->leave(node_, 1);
    return std::move(value_);
  }

 private:
  polled<answer> try_send(context& cx) noexcept(std::is_nothrow_move_constructible_v<T>) {
    if (core_ == nullptr) [[unlikely]]
      return ended();
    switch (core_->begin_take(node_, 1, cx)) {
      [[likely]] case permit_answer::taken:
        std::exchange(core_, nullptr)->put_and_unlock(std::move(value_));
        return answer();
      case permit_answer::closed:
        core_ = nullptr;
        return refused();
      default:
        return pending;
    }
  }
  [[gnu::noinline, gnu::cold]] static polled<answer> ended() noexcept {
    return answer(unexpect, error(errc::misuse, "a send was polled after it had ended"));
  }
  [[gnu::noinline, gnu::cold]] polled<answer> refused() {
    return answer(unexpect, mpsc_closed(), std::move(value_));
  }

  T value_;
  mpsc_core<T>* core_;
  mpsc_state::waiter node_;
};

/// The same for a limited time.
template <class T>
class [[nodiscard]] mpsc_send_for {
 public:
  using answer = typename mpsc_send<T>::answer;

  template <class... A>
  explicit mpsc_send_for(duration limit, mpsc_core<T>* core, std::in_place_t in_place, A&&... args)
      : send_(core, in_place, std::forward<A>(args)...), limit_(limit) {}

  polled<answer> poll(context& cx) noexcept {
    auto p = send_.poll(cx);
    if (p || !has_elapsed(cx)) return p;
    return or_failed_move<void, sync::send_error<T>>([&]() -> polled<answer> {
      return answer(unexpect, error(errc::elapsed, "send_timeout"), send_.give_up());
    });
  }

 private:
  bool has_elapsed(context& cx) noexcept {
    if (std::exchange(started_, true)) return timer_.poll_elapsed(cx);
    return timer_.start(cx, limit_);
  }

  mpsc_send<T> send_;
  timer_leaf timer_{0};
  duration limit_;
  bool started_ = false;
};

/// Waits for `count` places and makes a `Permit` of them: `Permit(Holder, count)`. The holder is a bare
/// pointer or a sender of its own.
template <class T, class Holder, class Permit>
class [[nodiscard]] mpsc_reserve {
 public:
  using answer = result<Permit>;

  mpsc_reserve(mpsc_core<T>* core, Holder holder, std::size_t count) noexcept
      : holder_(std::move(holder)), core_(core), count_(clamped(count)) {}
  mpsc_reserve(mpsc_reserve&& other) noexcept
      : holder_(std::move(other.holder_)),
        core_(std::exchange(other.core_, nullptr)),
        count_(other.count_) {}
  mpsc_reserve& operator=(mpsc_reserve&&) = delete;
  ~mpsc_reserve() {
    if (core_ != nullptr) core_->leave(node_, count_);
  }

  polled<answer> poll(context& cx) noexcept {
    if (core_ == nullptr) [[unlikely]]
      return answer(error(errc::misuse, "a reserve was polled after it had ended"));
    if (count_ > core_->capacity()) {
      core_ = nullptr;
      return answer(error(errc::misuse, "reserve_many of more places than the channel has"));
    }
    const auto how = ask(cx);
    if (how == permit_answer::pending) return pending;
    core_ = nullptr;
    if (how == permit_answer::closed) return answer(mpsc_closed());
    return answer(Permit(std::move(holder_), count_));
  }

 private:
  static std::uint32_t clamped(std::size_t n) noexcept {
    return static_cast<std::uint32_t>(n <= mpsc_state::most ? n : mpsc_state::most + 1);
  }
  permit_answer ask(context& cx) noexcept {
    const auto how = core_->begin_take(node_, count_, cx);
    if (how == permit_answer::taken) core_->lock().unlock();
    return how;
  }

  Holder holder_;
  mpsc_core<T>* core_;
  std::uint32_t count_;
  mpsc_state::waiter node_;
};

/// Waits until the receiver is gone or has closed the channel.
class [[nodiscard]] mpsc_closed_leaf {
 public:
  explicit mpsc_closed_leaf(mpsc_state* state) noexcept : state_(state) {}
  mpsc_closed_leaf(mpsc_closed_leaf&& other) noexcept : state_(other.state_) {}
  mpsc_closed_leaf& operator=(mpsc_closed_leaf&&) = delete;
  ~mpsc_closed_leaf() {
    if (waited_) state_->leave(node_);
  }
  polled<> poll(context& cx) noexcept {
    if (state_->poll_closed(node_, cx)) return ready;
    waited_ = true;
    return pending;
  }

 private:
  mpsc_state* state_;
  mpsc_watcher node_;
  bool waited_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
