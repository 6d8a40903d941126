#pragma once

#include <cassert>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>
#include <eddy/core/future.hpp>
#include <eddy/core/poll.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Anything that can be awaited.
template <class X>
concept awaitable = is_future_v<std::remove_cvref_t<X>> || pollable<X>;

/// One branch of a combinator: a future or a leaf by value, or a leaf (so also a `pinned` future) by
/// reference, which is polled in place and left alone otherwise. All answer `poll` with `polled<result<T, E>>`, and
/// `ask` with what they have: a result only if they can fail. A branch may be moved until its first poll.
template <class X>
class branch;

/// A future by value: a chain of its own, polled through.
template <class T>
class branch<future<T>> {
 public:
  using value_type = T;
  using error_type = error;
  static constexpr bool fails = true;

  explicit branch(future<T>&& f) {
    if (!f.valid()) awaited_empty_future();
    frame_ = future_access::release(f);
  }
  branch(branch&& other) noexcept : frame_(std::exchange(other.frame_, {})) {
    assert(!other.started_ && "eddy: a leaf moved after its first poll");
  }
  branch& operator=(branch&&) = delete;
  ~branch() { drop(); }

  polled<result<T>> poll(context& cx) noexcept {
    if (!frame_) return result<T>(error(errc::misuse, "a future was polled after it had ended"));
    if (!run(cx)) return pending;
    const destroy_at_end guard{std::exchange(frame_, {})};
    auto& p = guard.frame.promise();
#if EDDY_EXCEPTIONS
    if (p.failure) return result<T>(error::from_exception(std::move(p.failure)));
#endif
    return or_failed_move<T, error>([&]() -> polled<result<T>> {
      if constexpr (std::is_void_v<T>)
        return result<T>();
      else if constexpr (std::is_reference_v<T>)
        return result<T>(static_cast<T>(*p.value()));
      else
        return result<T>(std::in_place, std::move(p.value()));
    });
  }

  polled<result<T>> ask(context& cx) noexcept { return poll(cx); }

  /// The same for who keeps values and failures apart: true when it has ended. Then `take` has had its promise,
  /// with the value in it, or `failed` says why not.
  template <class Take>
  bool poll_into(context& cx, error& failed, Take take) noexcept {
    if (!frame_) {
      failed = error(errc::misuse, "a future was polled after it had ended");
      return true;
    }
    if (!run(cx)) return false;
    const destroy_at_end guard{std::exchange(frame_, {})};
    auto& p = guard.frame.promise();
#if EDDY_EXCEPTIONS
    if (p.failure) {
      failed = error::from_exception(std::move(p.failure));
      return true;
    }
    try {
#endif
      take(p);
#if EDDY_EXCEPTIONS
    } catch (...) {
      failed = error::current_exception();
    }
#endif
    return true;
  }

  /// Destroys what has not ended; nothing is left in flight.
  void drop() noexcept {
    const auto frame = std::exchange(frame_, {});
    if (!frame) return;
    if (started_)
      chain_.destroy();
    else
      frame.destroy();
  }

 private:
  using handle = std::coroutine_handle<coroutine_promise<T>>;
  struct destroy_at_end {
    handle frame;
    ~destroy_at_end() { frame.destroy(); }
  };

  bool run(context& cx) noexcept {
    if (!started_) {
      started_ = true;
      frame_.promise().owner = &chain_;
      chain_.next = frame_;
    }
    return chain_.run(cx);
  }

  handle frame_{};
  chain chain_;
  bool started_ = false;
};

template <class Leaf>
polled<result<typename outcome_of<Leaf>::value_type, typename outcome_of<Leaf>::error_type>>
poll_as_result(Leaf& leaf, context& cx) noexcept {
  using outcome = outcome_of<Leaf>;
  using answer = result<typename outcome::value_type, typename outcome::error_type>;
  auto p = leaf.poll(cx);
  if (!p) return pending;
  return or_failed_move<typename outcome::value_type, typename outcome::error_type>(
      [&]() -> polled<answer> {
        if constexpr (outcome::fails)
          return std::move(*p);
        else if constexpr (std::is_void_v<typename outcome::value_type>)
          return answer();
        else if constexpr (std::is_reference_v<typename outcome::value_type>)
          return answer(p.take());
        else
          return answer(std::in_place, p.take());
      });
}

/// A leaf by value.
template <class Leaf>
  requires(!std::is_reference_v<Leaf> && pollable<Leaf>)
class branch<Leaf> {
 public:
  using value_type = typename outcome_of<Leaf>::value_type;
  using error_type = typename outcome_of<Leaf>::error_type;
  static constexpr bool fails = outcome_of<Leaf>::fails;

  explicit branch(Leaf&& leaf) : leaf_(std::in_place, std::move(leaf)) {}
  polled<result<value_type, error_type>> poll(context& cx) noexcept {
    if (!leaf_) fatal("a leaf was polled after it had been dropped");
    return poll_as_result(*leaf_, cx);
  }
  auto ask(context& cx) noexcept {
    if (!leaf_) fatal("a leaf was polled after it had been dropped");
    return leaf_->poll(cx);
  }
  void drop() noexcept { leaf_.reset(); }
  /// The leaf, while it has not been dropped.
  Leaf& leaf() noexcept { return *leaf_; }

 private:
  std::optional<Leaf> leaf_;
};

/// A leaf of the user's own: polled in place, never dropped.
template <class Leaf>
  requires pollable<Leaf>
class branch<Leaf&> {
 public:
  using value_type = typename outcome_of<Leaf>::value_type;
  using error_type = typename outcome_of<Leaf>::error_type;
  static constexpr bool fails = outcome_of<Leaf>::fails;

  explicit branch(Leaf& leaf) noexcept : leaf_(&leaf) {}
  polled<result<value_type, error_type>> poll(context& cx) noexcept {
    return poll_as_result(*leaf_, cx);
  }
  auto ask(context& cx) noexcept { return leaf_->poll(cx); }
  void drop() noexcept {}

 private:
  Leaf* leaf_;
};

template <class T>
class branch<future<T>&> {
  static_assert(always_false<T>,
                "eddy: a future named as a branch would be left half run: pin it first "
                "(auto work = eddy::pin(f());) or give it away with std::move");
};

}}}  // namespace eddy::EDDY_ABI::detail
