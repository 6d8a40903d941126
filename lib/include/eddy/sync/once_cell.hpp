#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/base/unexpected.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/core/future.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/sync/detail/semaphore_core.hpp>
#include <eddy/sync/once_value.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync {
template <class T>
class once_cell;
}}}  // namespace eddy::EDDY_ABI::sync

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Waits for a cell's value, and makes it if nobody else does. One permit says who may; it is closed when there
/// is a value.
template <class T, class F, class... A>
class [[nodiscard]] once_init {
  using work = std::invoke_result_t<F, A...>;
  using cell = sync::once_cell<T>;

 public:
  once_init(cell& of, F f, std::tuple<A...> args)
      : of_(&of), place_(1), call_(std::move(f), std::move(args)) {}
  once_init(once_init&& other) noexcept(std::is_nothrow_move_constructible_v<F> &&
                                        std::is_nothrow_move_constructible_v<std::tuple<A...>>)
      : of_(other.of_), place_(std::move(other.place_)), call_(std::move(other.call_)) {}
  once_init& operator=(once_init&&) = delete;
  ~once_init() { of_->may_make_.leave(place_); }

  polled<result<T&>> poll(context& cx) noexcept {
    if (!turn_) {
      if (of_->initialized()) {
        if (!cx.proceed()) return pending;
        return result<T&>(*of_->get());
      }
      switch (of_->may_make_.poll(place_, cx)) {
        case permit_answer::pending:
          return pending;
        case permit_answer::closed:
          return result<T&>(*of_->get());
        default:
          turn_ = turn(of_);
      }
    }
    return or_failed_move<T&, error>([&]() -> polled<result<T&>> {
      turn mine = std::exchange(turn_, turn());  // given back if this ends, also by throwing
      if (!running_)
        running_.emplace(std::apply(
            [&](A&... a) { return std::move(call_.first)(std::move(a)...); }, call_.second));
      auto p = running_->poll(cx);
      if (!p) {
        turn_ = std::move(mine);
        return pending;
      }
      running_.reset();
      if (!p->has_value()) return result<T&>(unexpected(std::move(*p).error()));
      if constexpr (std::is_same_v<typename work::value_type, T>) {
        return result<T&>(of_->make(std::move(**p)));
      } else {
        if (!(**p).has_value()) return result<T&>(unexpected(std::move(**p).error()));
        return result<T&>(of_->make(std::move(***p)));
      }
    });
  }

 private:
  using turn = typename cell::turn;

  cell* of_;
  permits::slot place_;
  turn turn_;
  std::pair<F, std::tuple<A...>> call_;  // lives as long as the future it made
  std::optional<branch<work>> running_;
};

template <class R, class T>
concept makes = is_future_v<R> && std::is_same_v<typename R::value_type, T>;

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

/// A value that is made when it is first asked for, by whoever asks first; the others wait for it.
///
/// If making it fails or is dropped, the next in the queue makes it, by its own function.
/// Threads: any; in a build without the pool one loop's.
/// Lifetime: outlives every call on it. The value stays where it is until the cell is destroyed or emptied.
template <class T>
class once_cell {
 public:
  once_cell() noexcept : may_make_(1) {}
  /// Set from the beginning.
  explicit once_cell(T value) : may_make_(1) {
    make(std::move(value));
    may_make_.close();
  }

  /// True when there is a value.
  bool initialized() const noexcept { return value_.is_set(); }
  /// The value; null when there is none yet.
  T* get() noexcept { return value_.get(); }
  const T* get() const noexcept { return value_.get(); }

  /// The value; if there is none, awaits the future that `f(args...)` gives, and keeps what it gives.
  /// `co_await cell.get_or_init(connect, address)`. `f` and `args` live as long as that future.
  ///
  /// Cancel safety: the place in the queue, or the making, which the next one begins anew.
  /// Errors: what `f` or its future throws; the cell stays empty.
  /// Cost: no allocation but the frame of that future.
  template <class F, class... A>
    requires detail::makes<std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>, T>
  detail::once_init<T, std::decay_t<F>, std::decay_t<A>...> get_or_init(F&& f, A&&... args) {
    return {*this, std::forward<F>(f), std::tuple<std::decay_t<A>...>(std::forward<A>(args)...)};
  }
  /// The same for a function whose future gives a `result<T>`: its error is the await's, and nothing is kept.
  /// Cancel safety, Errors, Cost: as `get_or_init`.
  template <class F, class... A>
    requires detail::makes<std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>, result<T>>
  detail::once_init<T, std::decay_t<F>, std::decay_t<A>...> get_or_try_init(F&& f, A&&... args) {
    return {*this, std::forward<F>(f), std::tuple<std::decay_t<A>...>(std::forward<A>(args)...)};
  }

  /// Sets the value. Else it comes back in the error: there is one, or somebody is making one. If its move
  /// throws, that comes out of here, and nothing is set.
  result<void, set_error<T>> set(T value) {
    if (may_make_.try_take(1) != detail::permit_answer::taken)
      return unexpected(set_error<T>(std::move(value), !initialized()));
    const turn mine(this);
    make(std::move(value));
    return {};
  }

  /// The value, moved out, and the cell is as new; only when nobody else uses it meanwhile.
  std::optional<T> take() {
    auto value = value_.take();
    if (value) std::construct_at(&(std::destroy_at(&may_make_), may_make_), 1U);
    return value;
  }
  /// As `take`.
  std::optional<T> into_inner() && { return take(); }

 private:
  template <class, class, class...>
  friend class detail::once_init;

  /// The permit to make the value; given back when it was not made.
  class turn {
   public:
    turn() noexcept = default;
    explicit turn(once_cell* of) noexcept : of_(of) {}
    turn(turn&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    turn& operator=(turn&& other) noexcept {
      std::swap(of_, other.of_);
      return *this;
    }
    ~turn() {
      if (of_ == nullptr) return;
      if (of_->initialized())
        of_->may_make_.close();
      else
        of_->may_make_.give(1);
    }
    explicit operator bool() const noexcept { return of_ != nullptr; }

   private:
    once_cell* of_ = nullptr;
  };

  template <class V>
  T& make(V&& value) {
    value_.make(std::forward<V>(value));
    return *value_.get();
  }

  detail::once_value<T> value_;
  detail::permits may_make_;  // one, for who makes the value; closed behind it
};

}}}  // namespace eddy::EDDY_ABI::sync
