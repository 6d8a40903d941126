#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// What a task_local's scopes have set on this thread just now, innermost first. Entries live on the stack of
/// what polls, so that nothing is left behind when a task waits and another thread goes on with it.
class local_entry {
 public:
  local_entry(const void* key, void* value) noexcept;
  local_entry(const local_entry&) = delete;
  ~local_entry();

  /// What `key` is set to; null: nothing.
  static void* find(const void* key) noexcept;

 private:
  const void* key_;
  void* value_;
  local_entry* outer_;
};

template <class T, class X>
class [[nodiscard]] local_scope {
  using inner = branch<X>;
  using answer = result<typename inner::value_type, typename inner::error_type>;

 public:
  local_scope(const void* key, T&& value, X&& x)
      : key_(key),
        value_(std::in_place, std::move(value)),
        inner_(std::in_place, std::forward<X>(x)) {}
  local_scope(local_scope&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
      : key_(other.key_), value_(std::move(other.value_)), inner_(std::move(other.inner_)) {
    other.inner_.reset();
  }
  local_scope& operator=(local_scope&&) = delete;
  ~local_scope() { drop(); }

  polled<answer> poll(context& cx) noexcept {
    if (!inner_) {
      constexpr auto* over = "a task_local's scope was polled after its end";
      if constexpr (std::is_constructible_v<answer, unexpected<error>>)
        return answer(unexpected(error(errc::misuse, over)));
      else
        fatal(over);
    }
    const local_entry here(key_, value_ ? &*value_ : nullptr);
    auto p = inner_->poll(cx);
    if (p) inner_.reset();  // what it held goes while the value is there
    return p;
  }

  /// Takes the value back, once `x` has ended or before it was polled; one that is polled after that finds none.
  std::optional<T> take_value() noexcept(std::is_nothrow_move_constructible_v<T>) {
    std::optional<T> taken = std::move(value_);
    value_.reset();
    return taken;
  }

 private:
  void drop() noexcept {
    if (!inner_) return;
    const local_entry here(key_, value_ ? &*value_ : nullptr);
    inner_.reset();
  }

  const void* key_;
  std::optional<T> value_;
  std::optional<inner> inner_;
};

}  // namespace detail

/// A name under which a task finds a value of its own, however deep in its calls: a request's number, a
/// deadline. Made as a constant: `constexpr eddy::task_local<int> request;` at namespace scope, or `static`.
///
/// `request.scope(7, handle(r))` is `handle(r)` with the value set while it runs. A scope within it hides the
/// value for as long; tasks that are spawned do not inherit it.
/// Threads: any; each task sees its own.
/// Lifetime: must outlive its scopes; so must not be a local of a coroutine.
/// Cost: finding the value walks the scopes the task is in, innermost first; no allocation.
template <class T>
class task_local {
  static_assert(!std::is_reference_v<T> && !std::is_const_v<T>);

 public:
  constexpr task_local() noexcept = default;
  task_local(const task_local&) = delete;
  task_local& operator=(const task_local&) = delete;

  /// Awaits `x`, a future or a leaf, with the value set: while it is polled, and when it is destroyed. The value
  /// may be taken back from the scope: `auto s = request.scope(7, f()); co_await s; s.take_value();`
  /// Cancel safety: that of `x`.
  /// Errors: those of `x`.
  template <class X>
    requires detail::awaitable<X>
  detail::local_scope<T, X> scope(T value, X&& x) const {
    return detail::local_scope<T, X>(this, std::move(value), std::forward<X>(x));
  }
  /// Calls `f(args...)`, an ordinary function, with the value set.
  template <class F, class... A>
  decltype(auto) sync_scope(T value, F&& f, A&&... args) const {
    const detail::local_entry here(this, &value);
    return std::forward<F>(f)(std::forward<A>(args)...);
  }

  /// The value. It lives until the scope ends.
  /// Errors: where it is not set it is misuse.
  T& get() const {
    T* const found = try_get();
    if (found == nullptr) detail::misuse("task_local: no value is set here; await it in a scope");
    return *found;
  }
  /// The value, or null.
  T* try_get() const noexcept { return static_cast<T*>(detail::local_entry::find(this)); }
  /// `f(value, args...)`. Errors: as `get`.
  template <class F, class... A>
  decltype(auto) with(F&& f, A&&... args) const {
    return std::forward<F>(f)(get(), std::forward<A>(args)...);
  }
  /// The same as a result: an error equal to `errc::misuse` where the value is not set.
  template <class F, class... A>
  auto try_with(F&& f, A&&... args) const -> result<std::invoke_result_t<F, T&, A...>> {
    using R = std::invoke_result_t<F, T&, A...>;
    T* const found = try_get();
    if (found == nullptr) return error(errc::misuse, "task_local: no value is set here");
    if constexpr (std::is_void_v<R>) {
      std::forward<F>(f)(*found, std::forward<A>(args)...);
      return result<R>();
    } else {
      return result<R>(std::forward<F>(f)(*found, std::forward<A>(args)...));
    }
  }

 private:
  char named_ = 0;  // so that no two have one address
};

}}  // namespace eddy::EDDY_ABI
