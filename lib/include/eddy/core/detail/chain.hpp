#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct promise_base;

/// Native stack, in bytes since the chain's loop, up to which a co_await runs its child in place.
/// Deeper ones are left to the loop, so that a chain of any length needs constant stack.
inline constexpr std::ptrdiff_t shallow_stack = 2048;

/// One chain of coroutines, each awaiting the next, that is polled as a whole.
///
/// A poll asks the leaf on which the innermost coroutine waits and resumes that coroutine alone; the
/// ones above it are not touched. The chain owns every frame from its root to the innermost.
///
/// I1  While `next` is set the chain can be polled: `next` is the innermost coroutine, `leaf` what it
///     waits for (null: it has not started).
/// I2  `next` is null only when the root has ended; `leaf` is then the root's frame, which its owner
///     (task, branch, pinned) destroys. `handle.done()` is never asked: a coroutine ended by or_return
///     is suspended at an await.
/// I3  A chain does not move once a frame points at it.
/// I4  Frames are destroyed by the chain's loop or its owner, never in their own await_suspend.
struct chain {
  using step_function = bool (*)(void* leaf, context&) noexcept;

  std::coroutine_handle<> next{};
  void* leaf = nullptr;
  step_function step = nullptr;
  union {
    context* cx = nullptr;  // of the poll that runs us now
    void* link;             // between polls the word is the owner's; a task's run queue uses it
  };

  /// Polls once. True: the root has ended, see I2.
  bool run(context& c) noexcept;
  /// Destroys all frames, innermost first, in a loop (constant stack).
  void destroy() noexcept;

 private:
  void hand_on() noexcept;
};

/// Part of every coroutine's promise that does not depend on its result: 32 bytes (24 without
/// exceptions). Frames come in 64-byte blocks, so the low bits of a frame's address are free and the
/// parent's word carries a few flags.
struct promise_base {
  enum flag : std::uintptr_t {
    has_value = 1,  // return_value was called; the value is alive in the promise
    task_root = 2,  // the chain is a task's, which takes the value at the end
    capturing = 4,  // made by calling a lambda with captures
    stays = 8,      // a parameter is not is_send
    flag_mask = 63,
  };

  promise_base() noexcept = default;
  promise_base(const promise_base&) = delete;
  promise_base& operator=(const promise_base&) = delete;

  static void* operator new(std::size_t bytes) noexcept { return frame_allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { frame_release(p, bytes); }

  static std::suspend_always initial_suspend() noexcept { return {}; }

  std::coroutine_handle<> parent() const noexcept {
    return std::coroutine_handle<>::from_address(
        reinterpret_cast<void*>(up & ~std::uintptr_t{flag_mask}));
  }
  void set_parent(std::coroutine_handle<> h) noexcept {
    up |= reinterpret_cast<std::uintptr_t>(h.address());
  }
  bool has(flag f) const noexcept { return (up & f) != 0; }
  void set(flag f) noexcept { up |= f; }
  void clear(flag f) noexcept { up &= ~std::uintptr_t{f}; }

  /// The promise of any eddy coroutine, from its handle.
  static promise_base& of(std::coroutine_handle<> h) noexcept {
    return std::coroutine_handle<promise_base>::from_address(h.address()).promise();
  }

  /// Names what runs after this coroutine: its parent, or nobody.
  void ended(void* frame) noexcept {
    owner->next = parent();
    if (!owner->next) owner->leaf = frame;
  }

  std::uintptr_t up = 0;   // parent's frame address and the flags
  chain* owner = nullptr;  // the chain that runs this coroutine, once it has started
  const void* site =
      nullptr;  // where it awaits (a std::source_location's word); at first its own place
#if EDDY_EXCEPTIONS
  std::exception_ptr failure;  // what the body threw
#endif
};

/// Promise of a coroutine that returns a result: `or_return` ends it early with an error, and its
/// own parent may have asked, through `hand_error_to_parent`, to be ended by such an error as well.
struct result_promise_base : promise_base {
  void (*hand_error_to_parent)(result_promise_base& child) noexcept = nullptr;
};

/// Whether another thread may run the coroutine, as far as its parameters' types tell; true in a build without
/// the pool.
inline bool is_send_frame(std::coroutine_handle<> frame) noexcept {
  return !promise_base::of(frame).has(promise_base::stays);
}

struct context_access {
  static char*& stack_base(context& cx) noexcept { return cx.stack_base_; }
  static scheduler* runtime(const context& cx) noexcept { return cx.scheduler_; }
  static target_word target(const context& cx) noexcept { return cx.target_; }
  static coop_budget*& budget(context& cx) noexcept { return cx.budget_; }
  static context make(target_word target, scheduler* s, coop_budget* budget) noexcept {
    return context(target, s, budget);
  }
};

inline char* stack_here() noexcept { return static_cast<char*>(__builtin_frame_address(0)); }

}}}  // namespace eddy::EDDY_ABI::detail
