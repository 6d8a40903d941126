#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/core/detail/branch_set.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/task/spawn.hpp>
#include <eddy/time/timeout.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// What a scope runs: a child, or its body, which lives in the operation and is only pointed at.
class scope_part {
 public:
  using body_step = polled<result<void>> (*)(void* operation, context&) noexcept;
  explicit scope_part(future<>&& f) : child_(std::in_place, std::move(f)) {}
  scope_part(void* operation, body_step step) noexcept : operation_(operation), step_(step) {}
  polled<result<void>> poll(context& cx) noexcept {
    auto p = child_ ? child_->poll(cx) : step_(operation_, cx);
    if (p) spend(cx);
    return p;
  }

 private:
  std::optional<branch<future<>>> child_;
  void* operation_ = nullptr;
  body_step step_ = nullptr;
};

template <class F, class... A>
class scope_operation;

}  // namespace detail

/// What the body of a `scope` spawns its children with.
///
/// Threads: the scope's task.
/// Lifetime: the scope's own; used only inside of it, by its body and its children.
class task_scope {
 public:
  task_scope(const task_scope&) = delete;
  task_scope& operator=(const task_scope&) = delete;

  /// Runs `f` beside the body, inside the scope's task; it starts when the task is next polled. It may refer to
  /// whatever outlives the scope, so to the locals of whoever awaits it, because the scope does not return
  /// before `f` has ended. From the destructor of something that the ended scope drops: `f` is dropped.
  /// Errors: an empty future, or a coroutine made by calling a lambda with captures (they die with the
  /// lambda: spawn the lambda itself), throws `std::logic_error`.
  /// Cost: a block for the child, freed at its end.
  void spawn(future<> f) {
    if (!f.valid()) detail::awaited_empty_future();
    detail::refuse_closure(detail::future_access::promise(f));
    add(std::move(f));
  }
  template <class T>
    requires(!std::is_void_v<T>)
  void spawn(future<T>) {
    static_assert(
        detail::always_false<T>,
        "eddy: a child of a scope returns nothing (future<>): it leaves its value in what "
        "it borrows, or is a task of a join_set");
  }
  /// The same for a callable that returns a `future<>`; it and the arguments are kept as long as the child.
  template <class F, class... A>
    requires(!detail::is_future_v<std::remove_cvref_t<F>> &&
             std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  void spawn(F&& f, A&&... args) {
    using body = detail::call_body<std::decay_t<F>, std::decay_t<A>...>;
    static_assert(
        std::is_same_v<std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>, future<>>,
        "eddy: a child of a scope returns nothing (future<>): it leaves its value in what it "
        "borrows, or is a task of a join_set");
    add(run(body{std::forward<F>(f), {std::forward<A>(args)...}}));
  }
  /// Children that have not ended.
  std::size_t size() const noexcept { return parts_.size() - (body_runs_ ? 1 : 0); }

 private:
  template <class, class...>
  friend class detail::scope_operation;
  task_scope() = default;

  template <class Body>
  static future<> run(Body body) {
    co_await body.start();
  }
  void add(future<>&& f) {
    if (!over_) parts_.insert(0, detail::scope_part(std::move(f)));
  }
  void drop() noexcept {
    over_ = true;
    body_runs_ = false;
    parts_.clear();
  }

  detail::branch_set<detail::scope_part> parts_;
  bool body_runs_ = false;  // then it is one of the parts
  bool over_ = false;
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
    if (scope_.over_)
      return result<T>(error(errc::misuse, "a scope was polled after it had ended"));
    if (!begun_) {
      if (error e = begin()) return fail(std::move(e));
    }
    while (!scope_.parts_.empty()) {
      auto p = scope_.parts_.poll_next(cx);
      if (!p) return pending;
      if (!(*p)->outcome) return fail(std::move((*p)->outcome).error());
    }
    scope_.over_ = true;
    return or_failed_move<T, error>([&]() -> polled<result<T>> { return *std::move(outcome_); });
  }

 private:
  error begin() noexcept {
    begun_ = true;
#if EDDY_EXCEPTIONS
    try {
#endif
      body_.emplace(std::apply([this](auto&... a) { return callable_(scope_, a...); }, arguments_));
      scope_.parts_.insert(0, scope_part(this, &poll_body));
      scope_.body_runs_ = true;
      return {};
#if EDDY_EXCEPTIONS
    } catch (...) {
      return error::current_exception();
    }
#endif
  }
  static polled<result<void>> poll_body(void* operation, context& cx) noexcept {
    auto& self = *static_cast<scope_operation*>(operation);
    auto p = self.body_->poll(cx);
    if (!p) return pending;
    self.scope_.body_runs_ = false;
    if (!p->has_value()) return result<void>(std::move(*p).error());
    return or_failed_move<void, error>([&]() -> polled<result<void>> {
      self.outcome_.emplace(std::move(*p));
      return result<void>();
    });
  }
  polled<result<T>> fail(error e) noexcept {
    drop();
    return result<T>(std::move(e));
  }
  // Children first: they may refer to the body's locals.
  void drop() noexcept {
    scope_.drop();
    body_.reset();
  }

  F callable_;
  std::tuple<A...> arguments_;
  task_scope scope_;
  std::optional<branch<returned>> body_;
  std::optional<result<T>> outcome_;
  bool begun_ = false;
};

}  // namespace detail

/// Runs `f(task_scope&, args…)`, a coroutine, and every child that it spawns, and goes on when all have
/// ended, with what `f` returned. So children may refer to the locals of whoever awaits the scope:
/// `co_await eddy::scope([&](auto& s) -> eddy::future<> { s.spawn(work(local)); co_return; });`
///
/// Children are not tasks of their own but part of this one: concurrent, not parallel, each polled only when
/// it was woken itself. The first failure, of the body or a child, destroys all the others and is thrown.
/// A child must not refer to the body's own locals if the body may end before it.
/// Cancel safety: dropping the scope destroys the children, the newest first, then the body.
/// Cost: three blocks, and one a child; waking one of many costs as much as waking one of few.
template <class F, class... A>
  requires std::invocable<std::decay_t<F>&, task_scope&, std::decay_t<A>&...>
auto scope(F&& f, A&&... args) {
  return detail::scope_operation<std::decay_t<F>, std::decay_t<A>...>(
      std::in_place, std::forward<F>(f), std::forward<A>(args)...);
}

/// The same with a deadline: what has not ended after `d`, counted from the first poll, is destroyed, and
/// `elapsed` is thrown. For a point in time: `timeout_at(when, scope(f))`.
/// Cancel safety, Cost: as above.
template <class Rep, class Period, class F, class... A>
  requires std::invocable<std::decay_t<F>&, task_scope&, std::decay_t<A>&...>
auto scope(std::chrono::duration<Rep, Period> d, F&& f, A&&... args) {
  return timeout(d, scope(std::forward<F>(f), std::forward<A>(args)...));
}

}}  // namespace eddy::EDDY_ABI
