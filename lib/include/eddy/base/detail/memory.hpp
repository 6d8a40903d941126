#pragma once
// Which memory a primitive of `sync` works in: shared by threads, or one loop's own. Primitives are
// templates over it, so that the model checker of the tests can bring a third one.
//
// A memory has `atomic<T>` (std::atomic's interface as far as it is used), `single_threaded()` (plain
// loads and stores will do just now), `spins` (how often a lock tries before it sleeps) and `check` (debug: is this thread one that may be here?).

#include <atomic>
#include <cstdint>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Who uses an object of a build without the pool; see `loop_memory`.
struct affinity_check {
  std::uint32_t loop = 0;
  std::uint32_t thread = 0;
};
/// Ends the program with one line when the marked object belongs to another loop, or to a loop of
/// another thread.
void check_loop_local(affinity_check& mark) noexcept;

/// Memory that threads share. While the process has one thread (the C library knows) the atomic
/// operations on it are plain ones: an atomic read-modify-write costs twenty plain instructions.
struct shared_memory {
  template <class T>
  using atomic = std::atomic<T>;
  struct mark {};
  static void check(mark&) noexcept {}
  static constexpr int spins = 100;  // sections are some ten instructions long
  static bool single_threaded() noexcept {
#if __has_include(<sys/single_threaded.h>)
    return __libc_single_threaded != 0;
#else
    return false;
#endif
  }
};

/// Memory of one loop: no lock, no atomic operation. In builds with assertions every use is checked.
struct loop_memory {
  template <class T>
  class atomic {
   public:
    constexpr atomic(T value = T()) noexcept : value_(value) {}
    T load(std::memory_order) const noexcept { return value_; }
    void store(T value, std::memory_order) noexcept { value_ = value; }

   private:
    T value_;
  };
  using mark = affinity_check;
  static void check([[maybe_unused]] mark& m) noexcept {
#ifndef NDEBUG
    check_loop_local(m);
#endif
  }
  static constexpr bool single_threaded() noexcept { return true; }
};

#if EDDY_POOL
using sync_memory = shared_memory;
#else
using sync_memory = loop_memory;
#endif

/// Replaces the value that was loaded from `word` as `expected`. False: it has changed meanwhile, and
/// `expected` is what it is now.
template <class Memory, class T>
bool replace(typename Memory::template atomic<T>& word, T& expected, T desired,
             std::memory_order order) noexcept {
  if (Memory::single_threaded()) {
    word.store(desired, std::memory_order_relaxed);
    return true;
  }
  if constexpr (requires { word.compare_exchange_weak(expected, desired, order, order); })
    return word.compare_exchange_weak(expected, desired, order, std::memory_order_relaxed);
  else
    return false;  // not reached: the memory is one thread's
}

/// Sets `bits` in `word`, or clears them; what the word was before.
template <class Memory, class T>
T set_bits(typename Memory::template atomic<T>& word, T bits, std::memory_order order) noexcept {
  T before = word.load(std::memory_order_relaxed);
  while (!replace<Memory>(word, before, static_cast<T>(before | bits), order)) {
  }
  return before;
}
template <class Memory, class T>
T clear_bits(typename Memory::template atomic<T>& word, T bits, std::memory_order order) noexcept {
  T before = word.load(std::memory_order_relaxed);
  while (!replace<Memory>(word, before, static_cast<T>(before & ~bits), order)) {
  }
  return before;
}
/// Adds to a count of references, or takes one away: then true when it was the last.
template <class Memory, class T>
void count_up(typename Memory::template atomic<T>& count) noexcept {
  T before = count.load(std::memory_order_relaxed);
  while (!replace<Memory>(count, before, static_cast<T>(before + 1), std::memory_order_relaxed)) {
  }
}
template <class Memory, class T>
bool count_down(typename Memory::template atomic<T>& count) noexcept {
  T before = count.load(std::memory_order_relaxed);
  while (!replace<Memory>(count, before, static_cast<T>(before - 1), std::memory_order_acq_rel)) {
  }
  return before == 1;
}

}}}  // namespace eddy::EDDY_ABI::detail
