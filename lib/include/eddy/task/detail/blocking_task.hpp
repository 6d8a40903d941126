#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/task.hpp>
#include <eddy/task/join_handle.hpp>

// A task that no loop runs: a blocking job. It has a task's header, for its join handle, and beside it what the
// slab of a runtime keeps of other tasks.
//
// I1  `remote` has `merged` set from the start: its count is all there is. Two references at first: the handle's,
//     and the runner's.
// I2  Who takes `stage` from waiting, the runner or an abort, ends the task and is alone with its state until the
//     link is filled. From then on the outcome is the handle's.
// I3  The block comes from the frame allocator and is freed by the last reference.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct blocking_task {
  enum : std::uint32_t { waiting, running, ended };

  std::atomic<std::uint32_t> stage{waiting};  // partner: itself, I2
  std::uint64_t id = 0;
  const char* name = nullptr;
  const void* site = nullptr;
  scheduler* runtime = nullptr;  // kept by a reference: failures that nobody takes go to its hook
  task* header = nullptr;
  /// Calls what the block holds, puts the value or the failure into it, and destroys what it called.
  std::uint32_t (*run)(task&) noexcept = nullptr;
  /// Destroys it uncalled.
  void (*drop)(task&) noexcept = nullptr;
  /// Frees the block.
  void (*free)(task&) noexcept = nullptr;

  static blocking_task& of(task& t) noexcept { return *static_cast<blocking_task*>(t.frames.link); }
};

/// Makes the header a stray task's, with the link of its handle.
join_link* start_blocking_task(blocking_task& s, task& t, scheduler& where, const char* name,
                               const void* site) noexcept;
/// Runs it, if nobody has aborted it. The runner's reference stays.
void run_blocking_task(blocking_task& s) noexcept;
/// Ends it without running it; `why` is what its handle says.
void refuse_blocking_task(blocking_task& s, error why) noexcept;
/// The runner is done with it.
void leave_blocking_task(blocking_task& s) noexcept;

#if EDDY_EXCEPTIONS
/// Keeps the exception that is being handled as the task's failure.
void keep_failure(task& t) noexcept;
#endif

/// What a callable with arguments returns, in the block of a stray task.
template <class T, class F, class... A>
struct blocking_body : task_block<T>, blocking_task {
  struct called {
    [[no_unique_address]] F callable;
    [[no_unique_address]] std::tuple<A...> arguments;
  };
  template <class... B>
  explicit blocking_body(F&& f, B&&... args)
      : parts{std::move(f), std::tuple<A...>(std::forward<B>(args)...)} {
    this->task_block<T>::destroy = &task_block_end;
    blocking_task::run = &run_call;
    blocking_task::drop = &drop_call;
  }
  ~blocking_body() {}

  static blocking_body& of(task& t) noexcept { return static_cast<blocking_body&>(t); }
  static void task_block_end(task& t, block_part) noexcept {
    if constexpr (!std::is_void_v<T>) std::destroy_at(&of(t).value);
  }
  static void drop_call(task& t) noexcept { std::destroy_at(&of(t).parts); }
  static std::uint32_t run_call(task& t) noexcept {
    auto& self = of(t);
    struct at_end {
      blocking_body& self;
      ~at_end() { std::destroy_at(&self.parts); }
    };
#if EDDY_EXCEPTIONS
    try {
#endif
      const at_end guard{self};
      if constexpr (std::is_void_v<T>) {
        std::apply(std::move(self.parts.callable), std::move(self.parts.arguments));
        return 0;
      } else if constexpr (std::is_reference_v<T>) {
        self.value = &std::apply(std::move(self.parts.callable), std::move(self.parts.arguments));
        return task_state::has_value;
      } else {
        ::new (static_cast<void*>(&self.value))
            T(std::apply(std::move(self.parts.callable), std::move(self.parts.arguments)));
        return task_state::has_value;
      }
#if EDDY_EXCEPTIONS
    } catch (...) {
      keep_failure(t);
      return task_state::has_failure;
    }
#endif
  }

  union {
    called parts;
  };
};

}}}  // namespace eddy::EDDY_ABI::detail
