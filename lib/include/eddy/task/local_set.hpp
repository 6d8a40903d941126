#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/task/spawn_local.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// Keeps a thread inside a `local_set`: `spawn_local` means that one.
/// Lifetime: as `enter_guard`.
class [[nodiscard]] local_enter_guard {
 public:
  using not_send = void;
  local_enter_guard(const local_enter_guard&) = delete;

 private:
  friend class local_set;
  explicit local_enter_guard(std::shared_ptr<detail::local_core> set) noexcept
      : set_(std::move(set)), here_(detail::local_core::key(), &set_) {}
  std::shared_ptr<detail::local_core> set_;
  detail::local_entry here_;
};

class handle;
class runtime;

/// Tasks that stay on one loop and belong together: they may be awaited together, and go with the set.
///
/// It belongs to the runtime it was made on; in a pool to the loop of that worker: there it is made and used in a task
/// that stays, one of `spawn_local` or block_on's. Its tasks run whenever that loop
/// runs, whether or not anybody awaits the set. On a current_thread runtime plain `spawn_local` needs no set.
/// `co_await set` waits until none of its tasks is left; those that they spawn with `spawn_local` count.
/// Destroying it destroys what its tasks run, at once; their handles then say aborted.
/// Cancel safety: of awaiting it: nothing is lost.
/// Threads: stays on the thread of its loop; others may have it only while nobody drives that.
/// Cost: a block a task beside the task's own.
class local_set {
 public:
  using not_send = void;

  /// Errors: on a thread that is on no runtime it is misuse, and so in a pool outside of its tasks.
  local_set() : core_(std::make_shared<detail::local_core>(nullptr)) {}
  /// For the runtime of that handle.
  explicit local_set(const handle& of) : core_(make(of)) {}
  local_set(local_set&&) noexcept = default;
  local_set& operator=(local_set&&) = delete;
  ~local_set() {
    if (core_) core_->close();
  }

  /// As the function `spawn_local`: a task of this set. Its handle may be awaited anywhere.
  template <class T>
  join_handle<T> spawn_local(future<T> f, const void* site = __builtin_source_location()) const {
    return detail::spawn_pinned(detail::task_origin{nullptr, nullptr, site}, std::move(f), &core_);
  }
  template <class F>
    requires(!detail::is_future_v<std::remove_cvref_t<F>> && std::invocable<std::decay_t<F>>)
  auto spawn_local(F&& f, const void* site = __builtin_source_location()) const {
    return detail::spawn_pinned_call(detail::task_origin{nullptr, nullptr, site}, &core_,
                                     std::forward<F>(f));
  }
  template <class F, class... A>
    requires(sizeof...(A) > 0 && std::invocable<std::decay_t<F>, std::decay_t<A>...>)
  auto spawn_local(F&& f, A&&... args) const {
    return detail::spawn_pinned_call(detail::task_origin{nullptr, nullptr, nullptr}, &core_,
                                     std::forward<F>(f), std::forward<A>(args)...);
  }

  /// Awaits `x`, a future or a leaf, in the set: what it spawns with `spawn_local` is a task of this. It does not wait
  /// for the set's tasks.
  /// Cancel safety: that of `x`.
  template <class X>
    requires detail::awaitable<X>
  auto run_until(X&& x) const {
    return detail::local_scope<std::shared_ptr<detail::local_core>, X>(
        detail::local_core::key(), std::shared_ptr(core_), std::forward<X>(x));
  }
  /// `rt.block_on(run_until(x))`.
  template <class Runtime, class X>
    requires(std::is_same_v<Runtime, runtime> && detail::awaitable<X>)
  decltype(auto) block_on(Runtime& rt, X&& x) const {
    return rt.block_on(run_until(std::forward<X>(x)));
  }
  /// `spawn_local` on this thread is this set's while the guard lives.
  local_enter_guard enter() const noexcept { return local_enter_guard(core_); }

  /// Ready when no task is left.
  polled<> poll(context& cx) noexcept {
    if (!core_->poll_empty(cx) || !cx.proceed()) return pending;
    return ready;
  }

 private:
  static std::shared_ptr<detail::local_core> make(const handle& of);  // defined beside handle
  std::shared_ptr<detail::local_core> core_;
};

}}  // namespace eddy::EDDY_ABI
