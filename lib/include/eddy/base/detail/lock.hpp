#pragma once
// A lock of one word for short critical sections, in which no user's code is run but moves of values.
//
//   0  free      1  held      2  held, and somebody may sleep on the word
//
// I1  Whoever leaves the word at 2 wakes one sleeper as it unlocks; a sleeper that gets the lock sets 2
//     again, for it cannot know whether it was the last.
// I2  While the process has one thread the word is kept by plain stores. It says the same, so that a
//     thread that starts in between finds a held lock held.
// I3  Locking what this thread holds already would wait for ever. Where there is one thread it is seen,
//     and ends the program with one line.

#include <atomic>
#include <cstdint>

#include <eddy/base/detail/memory.hpp>
#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class Memory>
class basic_lock {
 public:
  basic_lock() noexcept = default;
  basic_lock(const basic_lock&) = delete;
  basic_lock& operator=(const basic_lock&) = delete;

  void lock() noexcept {
    Memory::check(mark_);
    if (Memory::single_threaded()) {
      if (word_.load(std::memory_order_relaxed) != 0) [[unlikely]]
        fatal(
            "a value's own constructor or destructor used the channel or lock that was moving it");
      word_.store(1, std::memory_order_relaxed);
      return;
    }
    if constexpr (can_wait) {
      std::uint32_t free = 0;
      if (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                         std::memory_order_relaxed)) [[unlikely]]
        wait();
    }
  }
  void unlock() noexcept {
    if (Memory::single_threaded()) {
      word_.store(0, std::memory_order_relaxed);
      return;
    }
    if constexpr (can_wait) {
      if (word_.exchange(0, std::memory_order_release) == 2) [[unlikely]]
        word_.notify_one();
    }
  }
  /// For operations that need no lock on their way: the same check as `lock`.
  void check() noexcept { Memory::check(mark_); }

 private:
  using word = typename Memory::template atomic<std::uint32_t>;
  static constexpr bool can_wait = requires(word& w) { w.notify_one(); };

  [[gnu::noinline, gnu::cold]] void wait() noexcept {
    for (int i = 0; i < Memory::spins; ++i) {
      std::uint32_t free = 0;
      if (word_.load(std::memory_order_relaxed) == 0 &&
          word_.compare_exchange_weak(free, 1, std::memory_order_acquire,
                                      std::memory_order_relaxed))
        return;
      pause();
    }
    while (word_.exchange(2, std::memory_order_acquire) != 0)
      word_.wait(2, std::memory_order_relaxed);
  }
  static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }

  word word_{0};  // partners: lock and unlock, here
  [[no_unique_address]] typename Memory::mark mark_;
};

using sync_lock = basic_lock<sync_memory>;

/// Holds a lock while it lives, or until `unlock`.
template <class Lock = sync_lock>
class locked {
 public:
  explicit locked(Lock& l) noexcept : lock_(&l) { l.lock(); }
  locked(const locked&) = delete;
  locked& operator=(const locked&) = delete;
  ~locked() {
    if (lock_ != nullptr) lock_->unlock();
  }
  void unlock() noexcept {
    lock_->unlock();
    lock_ = nullptr;
  }
  /// Takes it again after `unlock`.
  void relock(Lock& l) noexcept {
    l.lock();
    lock_ = &l;
  }

 private:
  Lock* lock_;
};

}}}  // namespace eddy::EDDY_ABI::detail
