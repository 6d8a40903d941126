#pragma once

#include <concepts>
#include <coroutine>
#include <memory>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/base/send.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/chain.hpp>
#include <eddy/core/detail/task.hpp>
#include <eddy/core/poll.hpp>

namespace eddy { inline namespace EDDY_ABI {

template <class T = void>
class future;

namespace detail {

template <class T>
class coroutine_promise;
template <class Op>
struct or_return_operation;

[[noreturn]] void awaited_empty_future();

/// Awaits a future: takes its frame over to the chain and destroys it when its value is out.
/// Trivially destructible: from await_suspend on the chain owns the child.
template <class T>
class future_awaiter {
 public:
  explicit future_awaiter(future<T>& f) noexcept : future_(&f) {}

  static bool await_ready() noexcept { return false; }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    child_ = std::exchange(future_->frame_, {});
    promise_base& up = awaiting.promise();
    promise_base& down = child_.promise();
    chain& c = *up.owner;
    down.set_parent(awaiting);
    down.owner = &c;
    if (context_access::stack_base(*c.cx) - stack_here() < shallow_stack) [[likely]] {
      child_.resume();
      return c.next.address() != awaiting.address();  // equal: the child has ended, go on at once
    }
    c.next = child_;
    return true;
  }

  T await_resume() {
    struct destroy_at_end {
      typename future<T>::handle frame;
      ~destroy_at_end() { frame.destroy(); }
    } guard{child_};
    return child_.promise().take();
  }

 protected:
  future<T>* future_;
  typename future<T>::handle child_{};
};

/// Awaits a leaf, which lives as a temporary of the full expression or is the user's own.
template <class Leaf>
class leaf_awaiter {
 public:
  using answer = answer_of<Leaf>;
  using outcome = outcome_of<Leaf>;
  using value_type = typename outcome::value_type;

  explicit leaf_awaiter(Leaf& leaf) noexcept : leaf_(&leaf) {}

  static bool await_ready() noexcept { return false; }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    chain& c = *static_cast<promise_base&>(awaiting.promise()).owner;
    if (step(this, *c.cx)) return false;
    c.next = awaiting;
    c.leaf = this;
    c.step = &step;
    return true;
  }

  value_type await_resume() {
    if constexpr (outcome::fails) {
      auto& r = *answer_;
      if (!r.has_value()) raise(std::move(r).error());
      if constexpr (!std::is_void_v<value_type>) return *std::move(r);
    } else {
      return answer_.take();
    }
  }

 protected:
  static bool step(void* self, context& cx) noexcept {
    auto& a = *static_cast<leaf_awaiter*>(self);
    if constexpr (std::is_void_v<answer>) {
      return a.leaf_->poll(cx).is_ready();
    } else {
      // Made in place over the last answer, which was pending and owned nothing.
      ::new (static_cast<void*>(&a.answer_)) polled<answer>(a.leaf_->poll(cx));
      return a.answer_.is_ready();
    }
  }

  struct nothing {
    nothing(pending_t) noexcept {}
    static void take() noexcept {}
  };
  Leaf* leaf_;
  [[no_unique_address]] std::conditional_t<std::is_void_v<answer>, nothing, polled<answer>> answer_{
      pending};
};

template <class>
inline constexpr bool always_false = false;

/// What may stand behind co_await in an eddy coroutine. The defaulted location is the place of the
/// await; as a plain pointer it costs nothing.
template <class Promise>
struct await_rules {
  template <class U>
  future_awaiter<U> await_transform(future<U>&& f, const void* site = __builtin_source_location()) {
    note(site);
    if (!f.valid()) awaited_empty_future();
    return future_awaiter<U>(f);
  }
  template <class U>
  void await_transform(future<U>&) {
    static_assert(always_false<U>,
                  "eddy: a future is awaited once and consumed by it: co_await std::move(f)");
  }

  template <pollable Leaf>
  leaf_awaiter<std::remove_reference_t<Leaf>> await_transform(
      Leaf&& leaf, const void* site = __builtin_source_location()) noexcept {
    note(site);
    return leaf_awaiter<std::remove_reference_t<Leaf>>(leaf);
  }
  template <class Op>
  auto await_transform(or_return_operation<Op> op, const void* site = __builtin_source_location()) {
    note(site);
    return op.template awaiter<Promise>();
  }
  template <class Other>
    requires(!pollable<Other>)
  void await_transform(Other&&) {
    static_assert(
        always_false<Other>,
        "eddy: only a future or a leaf (poll(context&) noexcept -> polled<T>) can be awaited "
        "in an eddy coroutine; from_callback brings other things in");
  }

 private:
  void note(const void* site) noexcept { static_cast<Promise*>(this)->site = site; }
};

struct final_awaiter {
  static bool await_ready() noexcept { return false; }
  template <class Promise>
  static void await_suspend(std::coroutine_handle<Promise> h) noexcept {
    h.promise().ended(h.address());
  }
  static void await_resume() noexcept {}
};

/// Whether a parameter lets its coroutine run on another thread; a future knows it of its own parameters.
template <class A>
bool may_move(const A&) noexcept {
  return is_send_v<A>;
}
template <class T>
bool may_move(const future<T>& f) noexcept;

/// Made with a coroutine's parameters, notes in its promise whether one of them is not is_send.
inline void note_parameters(promise_base& p, bool all_may_move) noexcept {
  if (EDDY_POOL && !all_may_move) p.set(promise_base::stays);
}

template <class T>
using promise_base_for = std::conditional_t<is_result_v<T>, result_promise_base, promise_base>;

/// Promise of an eddy coroutine that returns T.
template <class T>
class coroutine_promise : public promise_base_for<T>, public await_rules<coroutine_promise<T>> {
  using stored = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>;

 public:
  coroutine_promise() noexcept {
    static_assert(alignof(coroutine_promise) <= 16,
                  "eddy: a future's result has alignment 16 at most");
  }
  template <class... A>
    requires(sizeof...(A) > 0)
  explicit coroutine_promise(const A&... parameters) noexcept : coroutine_promise() {
    note_parameters(*this, (may_move(parameters) && ...));
  }
  ~coroutine_promise() {
    if (this->has(promise_base::has_value)) std::destroy_at(&value_);
  }

  future<T> get_return_object(const void* site = __builtin_source_location()) noexcept;
  static future<T> get_return_object_on_allocation_failure() noexcept;

  template <class U = T>
    requires(!std::is_reference_v<T> && std::is_constructible_v<T, U>)
  void return_value(U&& value) noexcept(std::is_nothrow_constructible_v<T, U>) {
    ::new (static_cast<void*>(&value_)) stored(std::forward<U>(value));
    this->set(promise_base::has_value);
  }
  void return_value(T value) noexcept
    requires std::is_reference_v<T>
  {
    value_ = &value;
    this->set(promise_base::has_value);
  }
#if EDDY_EXCEPTIONS
  void unhandled_exception() noexcept {
    // A local's destructor may throw after co_return.
    if (this->has(promise_base::has_value)) {
      std::destroy_at(&value_);
      this->clear(promise_base::has_value);
    }
    this->failure = std::current_exception();
  }
#else
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
#endif

  static final_awaiter final_suspend() noexcept { return {}; }

  /// The coroutine has ended, by co_return or by or_return: names what runs next.
  void ended(void* frame) noexcept {
    if constexpr (is_result_v<T>) {
      if (this->hand_error_to_parent != nullptr && this->has(promise_base::has_value) &&
          !value_.has_value()) {
        this->owner->next = {};
        this->owner->leaf = frame;
        return;
      }
    }
    if (this->has(promise_base::task_root) && this->has(promise_base::has_value))
      deliver<T>(*this, value_);
    promise_base::ended(frame);
  }

  /// The value, moved out, or throws what the body threw.
  T take() {
#if EDDY_EXCEPTIONS
    if (this->failure) std::rethrow_exception(std::move(this->failure));
#endif
    if constexpr (std::is_reference_v<T>)
      return static_cast<T>(*value_);
    else
      return std::move(value_);
  }
  stored& value() noexcept { return value_; }

 private:
  union {
    stored value_;
  };
};

template <>
class coroutine_promise<void> : public promise_base, public await_rules<coroutine_promise<void>> {
 public:
  coroutine_promise() noexcept = default;
  template <class... A>
    requires(sizeof...(A) > 0)
  explicit coroutine_promise(const A&... parameters) noexcept {
    note_parameters(*this, (may_move(parameters) && ...));
  }
  future<void> get_return_object(const void* site = __builtin_source_location()) noexcept;
  static future<void> get_return_object_on_allocation_failure() noexcept;
  void return_void() noexcept {}
#if EDDY_EXCEPTIONS
  void unhandled_exception() noexcept { failure = std::current_exception(); }
#else
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
#endif
  static final_awaiter final_suspend() noexcept { return {}; }
  void take() {
#if EDDY_EXCEPTIONS
    if (failure) std::rethrow_exception(std::move(failure));
#endif
  }
};

struct future_access;

template <class T, class F>
struct then_result {
  using type = std::invoke_result_t<F, T>;
};
template <class F>
struct then_result<void, F> {
  using type = std::invoke_result_t<F>;
};
template <class R>
struct unwrap_future {
  using type = R;
};
template <class R>
struct unwrap_future<future<R>> {
  using type = R;
};
template <class T, class F>
using then_t = typename unwrap_future<typename then_result<T, F>::type>::type;

}  // namespace detail

/// A lazy computation: a coroutine that returns `future<T>` runs when it is awaited or spawned, not
/// before. Move-only; awaited once, as an rvalue.
///
/// Cancel safety: dropping a future destroys the coroutine where it stands: its locals, what it waits
/// for, and the coroutines it awaits, innermost first. Nothing stays behind.
/// Threads: a future that has not started may be moved to another thread.
/// Cost: one frame from a per-thread pool; 32 bytes of it are the promise (40 with a small result).
template <class T>
class [[nodiscard(
    "eddy: a future does nothing until it is awaited or spawned: co_await it, or eddy::spawn "
    "it")]] future {
 public:
  using value_type = T;
  using promise_type = detail::coroutine_promise<T>;

  /// An empty future; awaiting it is misuse.
  future() noexcept = default;
  future(future&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  future& operator=(future&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~future() {
    if (frame_) frame_.destroy();
  }

  /// False once moved from, awaited or spawned.
  bool valid() const noexcept { return static_cast<bool>(frame_); }

  /// Awaits this and gives the value to `f`; the result is what `f` returns, awaited if it is a future.
  template <class F>
  future<detail::then_t<T, F>> then(F f) &&;

 private:
  using handle = std::coroutine_handle<promise_type>;
  friend promise_type;
  friend detail::future_awaiter<T>;
  friend detail::future_access;
  explicit future(handle frame) noexcept : frame_(frame) {}

  handle frame_{};
};

namespace detail {

struct future_access {
  template <class T>
  static std::coroutine_handle<coroutine_promise<T>> release(future<T>& f) noexcept {
    return std::exchange(f.frame_, {});
  }
  template <class T>
  static coroutine_promise<T>& promise(future<T>& f) noexcept {
    return f.frame_.promise();
  }
  template <class T>
  static std::coroutine_handle<> peek(const future<T>& f) noexcept {
    return f.frame_;
  }
  template <class T>
  static future<T> adopt(std::coroutine_handle<coroutine_promise<T>> h) noexcept {
    return future<T>(h);
  }
};

template <class T>
future<T> coroutine_promise<T>::get_return_object(const void* place) noexcept {
  this->site = place;
  return future<T>(std::coroutine_handle<coroutine_promise>::from_promise(*this));
}
template <class T>
future<T> coroutine_promise<T>::get_return_object_on_allocation_failure() noexcept {
  return {};
}
inline future<void> coroutine_promise<void>::get_return_object(const void* place) noexcept {
  site = place;
  return future<void>(std::coroutine_handle<coroutine_promise>::from_promise(*this));
}
inline future<void> coroutine_promise<void>::get_return_object_on_allocation_failure() noexcept {
  return {};
}

template <class T>
bool may_move(const future<T>& f) noexcept {
  return is_send_v<T> && (!f.valid() || is_send_frame(future_access::peek(f)));
}

template <class>
inline constexpr bool is_future_v = false;
template <class T>
inline constexpr bool is_future_v<future<T>> = true;

template <class R, class T, class F>
future<R> run_then(future<T> first, F f) {
  using called = typename then_result<T, F>::type;
  if constexpr (std::is_void_v<T>) {
    co_await std::move(first);
    if constexpr (is_future_v<called>)
      co_return co_await std::move(f)();
    else
      co_return std::move(f)();
  } else {
    T value = co_await std::move(first);
    if constexpr (is_future_v<called>)
      co_return co_await std::move(f)(std::forward<T>(value));
    else
      co_return std::move(f)(std::forward<T>(value));
  }
}

/// A coroutine made by calling a lambda knows the closure's type by its first parameter; when the lambda
/// captures, the promise remembers it, so that spawn can refuse what would dangle.
template <class C>
consteval bool names_lambda() {
  const auto starts = [](const char* text, const char* with) {
    while (*with != 0 && *text == *with) ++text, ++with;
    return *with == 0;
  };
  const char* p = __PRETTY_FUNCTION__;
  while (*p != 0 && !starts(p, "C = ")) ++p;
  if (*p == 0) return false;
  p += 4;
#if defined(__clang__)
  return starts(p, "(lambda at ");
#else
  // "a::b()::<lambda(int)>": the last part outside of brackets. A class made from a lambda, or inside one, has
  // another last part.
  const char* last = p;
  for (int depth = 0; *p != 0 && (depth > 0 || (*p != ']' && *p != ';')); ++p) {
    if (*p == '<' || *p == '(' || *p == '[' || *p == '{') ++depth;
    if (*p == '>' || *p == ')' || *p == ']' || *p == '}') --depth;
    if (depth == 0 && *p == ':') last = p + 1;
  }
  return starts(last, "<lambda(");
#endif
}
template <class C>
concept closure_reference =
    std::is_lvalue_reference_v<C> && std::is_class_v<std::remove_cvref_t<C>> &&
    names_lambda<std::remove_cvref_t<C>>();

template <class T, class Closure>
struct closure_promise final : coroutine_promise<T> {
  closure_promise() noexcept {  // in the body the closure is a complete type
    if (!std::is_empty_v<Closure>) this->set(promise_base::capturing);
  }
  template <class... A>  // g++ passes the closure as well, clang does not
    requires(sizeof...(A) > 0)
  explicit closure_promise(const A&... parameters) noexcept : closure_promise() {
    note_parameters(*this, (may_move(parameters) && ...));
  }
};

}  // namespace detail

template <class T>
template <class F>
future<detail::then_t<T, F>> future<T>::then(F f) && {
  return detail::run_then<detail::then_t<T, F>>(std::move(*this), std::move(f));
}

}}  // namespace eddy::EDDY_ABI

template <class T, class Closure, class... A>
  requires eddy::detail::closure_reference<Closure>
struct std::coroutine_traits<eddy::future<T>, Closure, A...> {
  using promise_type = eddy::detail::closure_promise<T, std::remove_cvref_t<Closure>>;
};
