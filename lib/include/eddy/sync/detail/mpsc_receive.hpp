#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/chain.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/sync/detail/mpsc_core.hpp>
#include <eddy/sync/detail/mpsc_send.hpp>
#include <eddy/task/detail/thread_waiter.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// What a leaf answers that hands messages over: a failure only if their move may throw.
template <class T, class V>
using mpsc_answer = std::conditional_t<std::is_nothrow_move_constructible_v<T>, V, result<V>>;

template <class T, class V, class F>
polled<mpsc_answer<T, V>> mpsc_move_out(F f) noexcept {
  if constexpr (std::is_nothrow_move_constructible_v<T>)
    return f();
  else
    return or_failed_move<V, error>(f);
}

/// One poll for a message; `leaf` is who waits when there is none.
template <class T>
polled<mpsc_answer<T, std::optional<T>>> mpsc_poll_recv(mpsc_core<T>& core, context& cx,
                                                        const void* leaf) noexcept {
  using answer = mpsc_answer<T, std::optional<T>>;
  switch (core.receive(cx, leaf, 1)) {
    case mpsc_state::receiving::pending:
      return pending;
    case mpsc_state::receiving::ended:
      return polled<answer>(answer());
    default:
      break;
  }
  // The message is moved once, into the answer, and goes behind that: unless it has thrown.
  return mpsc_move_out<T, std::optional<T>>([&]() -> polled<answer> {
    const mpsc_state::taking now(core);
    polled<answer> p(std::move(core.first()));
    core.drop_first();
    return p;
  });
}

/// Moves up to `limit` messages behind `into`, those that are there. True when there are or will be none.
template <class T>
bool mpsc_take_many(mpsc_core<T>& core, context& cx, std::vector<T>& into, std::size_t limit,
                    const void* leaf, std::size_t& got) {
  // Those whose move may throw are claimed one by one: what is claimed and stays is too many (mpsc_state.hpp, I6).
  constexpr bool at_once = std::is_nothrow_move_constructible_v<T>;
  switch (core.receive(cx, leaf, at_once ? limit : 1)) {
    case mpsc_state::receiving::pending:
      return false;
    case mpsc_state::receiving::ended:
      return true;
    default:
      break;
  }
  do {
    const auto n = std::min(limit - got, core.claimed());
    if (const auto wanted = into.size() + n; wanted > into.capacity())
      into.reserve(std::max(wanted, 2 * into.capacity()));
    const mpsc_state::taking now(core);
    for (const auto end = got + n; got != end; ++got) {
      into.push_back(std::move(core.first()));
      core.drop_first();
    }
  } while (!at_once && got != limit && core.try_receive() == mpsc_state::receiving::message);
  return true;
}

/// Waits for a message.
template <class T>
class [[nodiscard]] mpsc_recv {
 public:
  explicit mpsc_recv(mpsc_core<T>* core) noexcept : core_(core) {}
  mpsc_recv(mpsc_recv&& other) noexcept : core_(other.core_) {}
  mpsc_recv& operator=(mpsc_recv&&) = delete;
  ~mpsc_recv() {
    if (must_stop_) core_->stop_waiting(this);
  }
  polled<mpsc_answer<T, std::optional<T>>> poll(context& cx) noexcept {
    auto p = mpsc_poll_recv(*core_, cx, this);
    must_stop_ = !p && !is_task(context_access::target(cx));
    return p;
  }

 private:
  mpsc_core<T>* core_;
  bool must_stop_ = false;
};

/// Waits for messages, and takes as many as there are.
template <class T>
class [[nodiscard]] mpsc_recv_many {
 public:
  mpsc_recv_many(mpsc_core<T>* core, std::vector<T>& into, std::size_t limit) noexcept
      : core_(core), into_(&into), limit_(limit) {}
  mpsc_recv_many(mpsc_recv_many&& other) noexcept
      : core_(other.core_), into_(other.into_), limit_(other.limit_) {}
  mpsc_recv_many& operator=(mpsc_recv_many&&) = delete;
  ~mpsc_recv_many() {
    if (must_stop_) core_->stop_waiting(this);
  }
  polled<mpsc_answer<T, std::size_t>> poll(context& cx) noexcept {
    using answer = mpsc_answer<T, std::size_t>;
    return mpsc_move_out<T, std::size_t>([&]() -> polled<answer> {
      std::size_t got = 0;
      if (limit_ == 0) return polled<answer>(answer(got));
      const bool taken = mpsc_take_many(*core_, cx, *into_, limit_, this, got);
      must_stop_ = !taken && !is_task(context_access::target(cx));
      if (!taken) return pending;
      return polled<answer>(answer(got));
    });
  }

 private:
  mpsc_core<T>* core_;
  std::vector<T>* into_;
  std::size_t limit_;
  bool must_stop_ = false;
};

/// The receiving half of either kind of channel; see `sync::mpsc::receiver` and `unbounded_receiver`.
template <class T>
class mpsc_receiver {
 public:
  mpsc_receiver(mpsc_receiver&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  mpsc_receiver& operator=(mpsc_receiver&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  /// Closes the channel. What is in it is destroyed, and sends that wait fail.
  ~mpsc_receiver() {
    if (core_ == nullptr) return;
    core_->drop_receiver();
    core_->release();
  }

  /// Waits for the next message: nothing when the channel has ended, that is when the last sender is gone,
  /// or the channel is closed, and no message is left.
  ///
  /// Cancel safety: nothing is lost; a message is taken only when the await goes on.
  /// Errors: what the message's own move throws; then it stays the first in the channel.
  /// Cost: no allocation.
  mpsc_recv<T> recv() noexcept { return mpsc_recv<T>(core_); }
  /// Waits for messages and appends up to `limit` of them to `into`: how many; 0 when the channel has
  /// ended, or `limit` is 0.
  ///
  /// Cancel safety: nothing is lost.
  /// Lifetime: `into` outlives the await.
  /// Errors: what a message's own move throws; those before it are in `into`.
  /// Cost: no allocation but what `into` needs; one wake and one look at the channel for all of them.
  mpsc_recv_many<T> recv_many(std::vector<T>& into, std::size_t limit) noexcept {
    return mpsc_recv_many<T>(core_, into, limit);
  }
  /// For leaves of one's own: what `recv()` would answer now. Pending keeps the context's waker until the
  /// next call or the receiver's end.
  ///
  /// Cancel safety: nothing is lost.
  auto poll_recv(context& cx) noexcept { return mpsc_poll_recv(*core_, cx, this); }
  /// The next message if there is one; else an error equal to `std::errc::operation_would_block`, or to
  /// `errc::closed` when none will come any more.
  result<T> try_recv() {
    switch (core_->try_receive()) {
      case mpsc_state::receiving::pending:
        return mpsc_full();
      case mpsc_state::receiving::ended:
        return mpsc_closed();
      default:
        return take_first();
    }
  }
  /// `recv` for an ordinary thread, which sleeps meanwhile.
  ///
  /// Errors: misuse on a thread that drives a loop.
  std::optional<T> blocking_recv() {
    auto leaf = recv();
    return take_answer(block_thread("blocking_recv", leaf));
  }
  /// `recv_many` for an ordinary thread.
  /// Errors: misuse on a thread that drives a loop.
  std::size_t blocking_recv_many(std::vector<T>& into, std::size_t limit) {
    auto leaf = recv_many(into, limit);
    return take_answer(block_thread("blocking_recv_many", leaf));
  }

  /// No more is sent from now on: sends fail, those that wait too. What is in the channel, and what holders
  /// of permits still send, can be received.
  void close() noexcept { core_->close(); }
  /// True when it was closed, or every sender is gone. Messages may be left.
  bool is_closed() const noexcept { return core_->is_finished(); }
  bool is_empty() const noexcept { return core_->messages() == 0; }
  /// Messages in the channel, just now.
  std::size_t len() const noexcept { return core_->messages(); }
  /// Senders, and owned permits, which hold one.
  std::size_t sender_strong_count() const noexcept { return core_->senders(); }
  std::size_t sender_weak_count() const noexcept { return core_->weak_senders(); }

 protected:
  explicit mpsc_receiver(mpsc_core<T>* core) noexcept : core_(core) {}

  mpsc_core<T>* core_;  // null: moved from

 private:
  // One variable is all it returns, so that the message is moved once: a second move could throw it away.
  result<T> take_first() {
    const mpsc_state::taking now(*core_);
    result<T> taken(std::in_place, std::move(core_->first()));
    core_->drop_first();
    return taken;
  }
  template <class V>
  static V take_answer(polled<V> p) {
    return p.take();
  }
  template <class V>
  static V take_answer(polled<result<V>> p) {
    return std::move(*p).value();
  }
};

}}}  // namespace eddy::EDDY_ABI::detail
