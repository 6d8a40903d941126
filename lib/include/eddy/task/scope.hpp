#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/branch.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/spawn.hpp>
#include <eddy/task/branch_set.hpp>
#include <eddy/time/timeout.hpp>

namespace eddy::inline EDDY_ABI {

namespace detail {
template <class F, class... A>
class scope_operation;
}

/// What the body of a `scope` spawns its children with.
///
/// Lifetime: the scope's own; used only inside of it, by its body and its children.
class task_scope {
 public:
  task_scope(const task_scope&) = delete;
  task_scope& operator=(const task_scope&) = delete;

  /// Runs `f` beside the body, inside the scope's task. It may refer to whatever outlives the scope, and to
  /// the body's caller's locals, because the scope does not return before it has ended.
  /// Cost: a block for the child, freed at its end.
  void spawn(future<> f) {
    if (!f.valid()) detail::awaited_empty_future();
    detail::refuse_closure(detail::future_access::promise(f));
    children_.insert(0, std::move(f));
  }
  /// The same for a callable that returns a `future<>`; it and the arguments are kept as long as the child.
  template <class F, class... A>
    requires(!detail::is_future_v<std::remove_cvref_t<F>> &&
             std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  void spawn(F&& f, A&&... args) {
    children_.insert(0, run<std::decay_t<F>, std::decay_t<A>...>(
                            detail::call_body<std::decay_t<F>, std::decay_t<A>...>{
                                std::forward<F>(f), {std::forward<A>(args)...}}));
  }
  /// Children that have not ended.
  std::size_t size() const noexcept { return children_.size(); }

 private:
  template <class, class...>
  friend class detail::scope_operation;
  task_scope() = default;
  template <class F, class... A>
  static future<> run(detail::call_body<F, A...> body) {
    co_await body.start();
  }

  detail::branch_set<future<>> children_;
};

namespace detail {

template <class F, class... A>
class [[nodiscard]] scope_operation {
  using returned = std::invoke_result_t<F&, task_scope&, A&...>;
  static_assert(is_future_v<returned>, "eddy: a scope's body is a coroutine: it returns a future");
  using T = typename returned::value_type;

 public:
  template <class G, class... B>
  explicit scope_operation(std::in_place_t, G&& f, B&&... args)
      : callable_(std::forward<G>(f)), arguments_(std::forward<B>(args)...) {}
  scope_operation(scope_operation&& other) noexcept(std::is_nothrow_move_constructible_v<F> &&
                                                    (std::is_nothrow_move_constructible_v<A> &&
                                                     ...))
      : callable_(std::move(other.callable_)), arguments_(std::move(other.arguments_)) {}
  scope_operation& operator=(scope_operation&&) = delete;
  ~scope_operation() { drop(); }

  polled<result<T>> poll(context& cx) noexcept {
    if (over_) return result<T>(error(errc::misuse, "a scope was polled after it had ended"));
    if (!begun_ && !begin()) return fail();
    if (!outcome_) {
      auto p = body_->poll(cx);
      if (p) {
        if (!p->has_value()) {
          failure_ = std::move(*p).error();
          return fail();
        }
        keep(*p);
        body_.reset();
      }
    }
    while (!scope_.children_.empty()) {
      auto p = scope_.children_.poll_next(cx);
      if (!p) return pending;
      if ((*p)->outcome) continue;
      failure_ = std::move((*p)->outcome).error();
      return fail();
    }
    if (!outcome_) return pending;
    over_ = true;
    return or_failed_move<T, error>([&]() -> polled<result<T>> { return *std::move(outcome_); });
  }

 private:
  bool begin() noexcept {
    begun_ = true;
#if EDDY_EXCEPTIONS
    try {
#endif
      body_.emplace(std::apply([this](auto&... a) { return callable_(scope_, a...); }, arguments_));
      return true;
#if EDDY_EXCEPTIONS
    } catch (...) {
      failure_ = error::current_exception();
      return false;
    }
#endif
  }
  void keep(result<T>& r) noexcept {
#if EDDY_EXCEPTIONS
    try {
#endif
      outcome_.emplace(std::move(r));
#if EDDY_EXCEPTIONS
    } catch (...) {
      outcome_.emplace(error::current_exception());
    }
#endif
  }
  polled<result<T>> fail() noexcept {
    over_ = true;
    drop();
    return result<T>(std::move(failure_));
  }
  // Children first: they may refer to the body's locals.
  void drop() noexcept {
    scope_.children_.clear();
    body_.reset();
  }

  F callable_;
  std::tuple<A...> arguments_;
  task_scope scope_;
  std::optional<branch<returned>> body_;
  std::optional<result<T>> outcome_;
  error failure_;
  bool begun_ = false;
  bool over_ = false;
};

}  // namespace detail

/// Runs `f(task_scope&, args…)`, a coroutine, and every child that it spawns, and goes on when all have
/// ended, with what `f` returned. So children may refer to the locals of whoever awaits the scope:
/// `co_await eddy::scope([&](auto& s) -> eddy::future<> { s.spawn(work(local)); co_return; });`
///
/// Children are not tasks of their own but part of this one: concurrent, not parallel, each polled only when
/// it was woken itself. The first failure, of the body or a child, destroys all the others and is thrown.
/// A child must not refer to the body's own locals if the body may end before it.
/// Cancel safety: dropping the scope destroys the children, then the body.
/// Cost: a block a child.
template <class F, class... A>
  requires std::invocable<std::decay_t<F>&, task_scope&, std::decay_t<A>&...>
auto scope(F&& f, A&&... args) {
  return detail::scope_operation<std::decay_t<F>, std::decay_t<A>...>(
      std::in_place, std::forward<F>(f), std::forward<A>(args)...);
}

/// The same with a deadline: what has not ended after `d` is destroyed, and `elapsed` is thrown.
/// Cancel safety, Cost: as above.
template <class Rep, class Period, class F, class... A>
  requires std::invocable<std::decay_t<F>&, task_scope&, std::decay_t<A>&...>
auto scope(std::chrono::duration<Rep, Period> d, F&& f, A&&... args) {
  return timeout(d, scope(std::forward<F>(f), std::forward<A>(args)...));
}

}  // namespace eddy::inline EDDY_ABI
