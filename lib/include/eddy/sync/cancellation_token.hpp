#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/result.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/sync/detail/notify_core.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync {
class cancellation_token;
class drop_guard;
}}}  // namespace eddy::EDDY_ABI::sync

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct cancel_node;

/// Counted handles of a node; the last to go takes it out of its tree.
cancel_node* cancel_root();
cancel_node* cancel_child(cancel_node& parent);
void cancel_retain(cancel_node& n) noexcept;
void cancel_release(cancel_node& n) noexcept;
void cancel_tree(cancel_node& n) noexcept;
bool cancel_asked(const cancel_node& n) noexcept;
bool cancel_poll(cancel_node& n, notify_waiter<sync_memory>& at, context& cx) noexcept;
void cancel_leave(cancel_node& n, notify_waiter<sync_memory>& at) noexcept;

/// Waits for a token that somebody else keeps.
class [[nodiscard]] cancelled_leaf {
 public:
  explicit cancelled_leaf(cancel_node& n) noexcept : node_(&n) {}
  cancelled_leaf(cancelled_leaf&& other) noexcept
      : node_(std::exchange(other.node_, nullptr)), at_(std::move(other.at_)) {}
  cancelled_leaf& operator=(cancelled_leaf&&) = delete;
  ~cancelled_leaf() {
    if (node_ != nullptr) cancel_leave(*node_, at_);
  }
  polled<> poll(context& cx) noexcept {
    if (cancel_poll(*node_, at_, cx)) return ready;
    return pending;
  }

 private:
  cancel_node* node_;
  notify_waiter<sync_memory> at_{0};  // a token is told once
};

class owned_cancelled_leaf;
template <class X>
class run_until_cancelled_operation;

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

/// Asks tasks to end in their own time: they look at `is_cancelled()`, or wait for `cancelled()` beside their
/// work, and clean up with `co_await`. (To end one at once and without its help, drop its future or `abort` it.)
///
/// Copies are handles of the same token. A child is cancelled with its parent, also when tokens in between
/// are gone; cancelling a child leaves its parent alone.
/// Threads: any, also at once; in a build without the pool one loop's.
/// Lifetime: a handle may outlive all others. Only a moved-from one is empty; it can be assigned to and
/// destroyed.
/// Cost: a token is one block; a copy is a counter; waiting allocates nothing. Making and dropping children
/// takes a lock of the whole tree for a few instructions.
class cancellation_token {
 public:
  cancellation_token() : node_(detail::cancel_root()) {}
  cancellation_token(const cancellation_token& other) noexcept : node_(other.node_) {
    detail::cancel_retain(*node_);
  }
  cancellation_token(cancellation_token&& other) noexcept
      : node_(std::exchange(other.node_, nullptr)) {}
  cancellation_token& operator=(cancellation_token other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~cancellation_token() {
    if (node_ != nullptr) detail::cancel_release(*node_);
  }

  /// A token that is cancelled with this one, or alone. Cancelled at once if this is.
  cancellation_token child_token() const {
    return cancellation_token(detail::cancel_child(*node_));
  }
  /// Cancels this token and all below it, and wakes everybody who waits for one of them. Once and for all.
  void cancel() const noexcept { detail::cancel_tree(*node_); }
  /// True once it, or one above it, is cancelled.
  bool is_cancelled() const noexcept { return detail::cancel_asked(*node_); }
  /// Waits until the token is cancelled.
  ///
  /// Cancel safety: nothing is lost.
  /// Lifetime: some handle of the token must outlive it.
  /// Cost: no allocation.
  detail::cancelled_leaf cancelled() const noexcept { return detail::cancelled_leaf(*node_); }
  /// The same with a handle of its own.
  /// Cancel safety, Cost: as `cancelled`.
  detail::owned_cancelled_leaf cancelled_owned() const noexcept;
  /// Cancels the token when the guard is destroyed.
  [[nodiscard]] sync::drop_guard drop_guard() const noexcept;

  /// Awaits `x`, a future or a leaf, until the token is cancelled: its value in an optional (a `unit` for
  /// void, a pointer for a reference), empty when it was cancelled first; then what has not ended is
  /// destroyed before the await goes on.
  ///
  /// If the token is cancelled already `x` is not even polled; later, if both happen at once, `x` wins.
  /// Cancel safety: that of `x`.
  /// Lifetime: some handle of the token must outlive it; the owned form keeps one.
  /// Cost: no allocation.
  template <class X>
    requires detail::awaitable<X>
  auto run_until_cancelled(X&& x) const {
    return detail::run_until_cancelled_operation<X>(*node_, std::nullopt, std::forward<X>(x));
  }
  /// The same with a handle of its own.
  /// Cancel safety, Cost: as `run_until_cancelled`.
  template <class X>
    requires detail::awaitable<X>
  auto run_until_cancelled_owned(X&& x) const {
    return detail::run_until_cancelled_operation<X>(*node_, *this, std::forward<X>(x));
  }

  /// Equal are handles of one token.
  friend bool operator==(const cancellation_token& a, const cancellation_token& b) noexcept {
    return a.node_ == b.node_;
  }

 private:
  friend std::hash<cancellation_token>;
  friend detail::owned_cancelled_leaf;
  explicit cancellation_token(detail::cancel_node* n) noexcept : node_(n) {}

  detail::cancel_node* node_;
};

/// Cancels a token when it is destroyed: `const auto guard = token.drop_guard();`.
class [[nodiscard]] drop_guard {
 public:
  drop_guard(drop_guard&& other) noexcept : token_(std::move(other.token_)) {
    other.token_.reset();
  }
  drop_guard& operator=(drop_guard&& other) noexcept {
    token_.swap(other.token_);
    return *this;
  }
  ~drop_guard() {
    if (token_) token_->cancel();
  }
  /// The token; from now on nothing is cancelled. Twice: misuse.
  cancellation_token disarm() {
    if (!token_) detail::misuse("a drop_guard was disarmed twice, or after it was moved from");
    auto token = std::move(*token_);
    token_.reset();
    return token;
  }

 private:
  friend cancellation_token;
  explicit drop_guard(cancellation_token t) noexcept : token_(std::move(t)) {}
  std::optional<cancellation_token> token_;
};

inline sync::drop_guard cancellation_token::drop_guard() const noexcept {
  return sync::drop_guard(*this);
}

}}}  // namespace eddy::EDDY_ABI::sync

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class [[nodiscard]] owned_cancelled_leaf {
 public:
  explicit owned_cancelled_leaf(sync::cancellation_token t) noexcept
      : token_(std::move(t)), leaf_(*token_.node_) {}
  polled<> poll(context& cx) noexcept { return leaf_.poll(cx); }

 private:
  sync::cancellation_token token_;
  cancelled_leaf leaf_;
};

template <class X>
class [[nodiscard]] run_until_cancelled_operation {
  using inner = branch<X>;
  using T = typename inner::value_type;
  using value_type = std::conditional_t<
      std::is_reference_v<T>, std::remove_reference_t<T>*,
      std::optional<std::conditional_t<std::is_reference_v<T>, int, void_to_unit<T>>>>;
  using answer = result<value_type, typename inner::error_type>;

 public:
  run_until_cancelled_operation(cancel_node& n, std::optional<sync::cancellation_token> keep, X&& x)
      : node_(&n), keep_(std::move(keep)), leaf_(n), inner_(std::forward<X>(x)) {}

  polled<answer> poll(context& cx) noexcept {
    if (!started_ && cancel_asked(*node_)) return give_up(cx);
    started_ = true;
    if (auto p = inner_.poll(cx)) return hand_over(*p);
    if (!leaf_.poll(cx)) return pending;
    inner_.drop();
    return answer(value_type());
  }

 private:
  polled<answer> give_up(context& cx) noexcept {
    if (!cx.proceed()) return pending;
    inner_.drop();
    return answer(value_type());
  }
  static polled<answer> hand_over(result<T, typename inner::error_type>& r) noexcept {
    if (!r.has_value()) return answer(unexpected(std::move(r).error()));
    return or_failed_move<value_type, typename inner::error_type>([&]() -> polled<answer> {
      if constexpr (std::is_void_v<T>)
        return answer(value_type(std::in_place));
      else if constexpr (std::is_reference_v<T>)
        return answer(std::addressof(*r));
      else
        return answer(std::in_place, std::in_place, std::move(*r));
    });
  }

  cancel_node* node_;
  std::optional<sync::cancellation_token> keep_;
  cancelled_leaf leaf_;
  inner inner_;
  bool started_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

inline detail::owned_cancelled_leaf cancellation_token::cancelled_owned() const noexcept {
  return detail::owned_cancelled_leaf(*this);
}

}}}  // namespace eddy::EDDY_ABI::sync

template <>
struct std::hash<eddy::sync::cancellation_token> {
  std::size_t operator()(const eddy::sync::cancellation_token& t) const noexcept {
    return std::hash<const void*>()(t.node_);
  }
};
