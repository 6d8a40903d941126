#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/detail/chain.hpp>

// The task, its states and who may touch what. The transitions are in src/task/task.cpp, which draws
// them; spawn.hpp makes tasks, join_handle.hpp takes their results.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class scheduler;

/// Task states. Written by the owner's thread only, with plain stores; other threads may read.
struct task_state {
  static constexpr std::uint32_t scheduled = 1;      // in the run queue, or to be put there
  static constexpr std::uint32_t running = 2;        // being polled, or being destroyed
  static constexpr std::uint32_t done = 4;           // has ended; its frames are gone
  static constexpr std::uint32_t abort = 8;          // asked to end
  static constexpr std::uint32_t aborted = 16;       // ended because it was asked to
  static constexpr std::uint32_t joinable = 32;      // somebody may still want the result
  static constexpr std::uint32_t has_value = 64;     // the block holds a value
  static constexpr std::uint32_t has_failure = 128;  // the header holds an exception
  static constexpr std::uint32_t has_body = 512;     // the block holds a callable
  static constexpr std::uint32_t arriving = 1024;    // made elsewhere, not yet seen by its owner
  static constexpr std::uint32_t misused = 2048;     // only join_poll's answer to a wrong thread
  static constexpr std::uint32_t root = 4096;        // block_on's own
};

/// A task's remote word: what other threads ask of it (docs/design.md, "Tasks").
struct task_remote {
  static constexpr std::int32_t queued = 1;  // on its owner's inbox, or about to be
  static constexpr std::int32_t wake = 2;
  static constexpr std::int32_t merged = 4;  // the owner is gone; the count is all there is
  static constexpr std::int32_t abort = 8;
  static constexpr std::int32_t unjoin = 16;  // the join handle was dropped elsewhere
  static constexpr std::int32_t failed = 32;  // with it a failure that nobody took
  static constexpr std::int32_t unit = 64;  // references made elsewhere less those given back there
  static constexpr std::int32_t net(std::int32_t word) noexcept { return word >> 6; }
};

/// A task's header: 64 bytes, in a slab of the runtime's.
struct alignas(16) task {
  std::int32_t refs = 0;                // references on the owner's thread; plain, may be negative
  std::atomic<std::uint32_t> state{0};  // task_state; written by the owner only
  std::atomic<std::int32_t> remote{0};  // task_remote; partners: foreign, take_remote in task.cpp
  std::uint32_t owner = 0;  // id of the loop or pool it lives on; ids are never used again
  task* inbox_next = nullptr;
  chain frames;            // frames.link: next in the run queue while scheduled
  target_word joiner = 0;  // who awaits the end

  /// In `owner`: a pool's task, which any of its workers may run. Its `remote` is a pool_word.
  static constexpr std::uint32_t movable = std::uint32_t{1} << 31;
  /// In `owner`: no loop's, but a runtime's that has ended, or a blocking_task's.
  static constexpr std::uint32_t dead = movable - 1;
  static constexpr std::uint32_t blocking = movable - 2;
  bool is_movable() const noexcept { return EDDY_POOL != 0 && (owner & movable) != 0; }

  static task& of(chain& c) noexcept {
    return *reinterpret_cast<task*>(reinterpret_cast<char*>(&c) - offsetof(task, frames));
  }
  bool is(std::uint32_t bits) const noexcept {
    return (state.load(std::memory_order_relaxed) & bits) != 0;
  }
  void set(std::uint32_t bits) noexcept {  // owner only: a plain read and a plain write
    state.store(state.load(std::memory_order_relaxed) | bits, std::memory_order_relaxed);
  }
  void clear(std::uint32_t bits) noexcept {
    state.store(state.load(std::memory_order_relaxed) & ~bits, std::memory_order_relaxed);
  }
};
static_assert(sizeof(task) == 64, "a task's header is one cache line");

/// A block that holds more than the header says how to destroy it.
enum class block_part : std::uint8_t { value, body };
struct extended_task : task {
  void (*destroy)(task&, block_part) noexcept = nullptr;
};

/// A task that yields a T. The result moves here when the root ends, so that the frame with the
/// coroutine's parameters goes at once, whether or not anybody awaits the task.
template <class T>
struct task_block : extended_task {
  using stored = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>;
  static_assert(alignof(stored) <= 16, "a task's result has alignment 16 at most: box it");
  union {
    stored value;
  };
  task_block() noexcept {}
  ~task_block() {}

  static void destroy_parts(task& t, block_part) noexcept {
    std::destroy_at(&static_cast<task_block&>(t).value);
  }
};
template <>
struct task_block<void> : extended_task {};

/// A task made from a callable and arguments, which must live as long as the coroutine they made.
template <class T, class Body>
struct task_with_body : task_block<T> {
  union {
    Body body;
  };
  template <class... A>
  explicit task_with_body(A&&... args) : body(std::forward<A>(args)...) {}
  ~task_with_body() {}

  static void destroy_parts(task& t, block_part part) noexcept {
    auto& self = static_cast<task_with_body&>(t);
    if constexpr (!std::is_void_v<T>) {
      if (part == block_part::value) {
        std::destroy_at(&self.value);
        return;
      }
    }
    std::destroy_at(&self.body);
  }
};

/// Puts the root's value into its task; called from the root's final suspend. Dropped when nobody can
/// ask for it any more.
template <class T, class Value>
void deliver(promise_base& p, Value& value) noexcept {
  task& t = task::of(*p.owner);
  if (!t.is(task_state::joinable)) return;
#if EDDY_EXCEPTIONS
  try {
#endif
    ::new (static_cast<void*>(&static_cast<task_block<T>&>(t).value))
        typename task_block<T>::stored(std::move(value));
    t.set(task_state::has_value);
#if EDDY_EXCEPTIONS
  } catch (...) {
    p.failure = std::current_exception();
  }
#endif
}

}}}  // namespace eddy::EDDY_ABI::detail
