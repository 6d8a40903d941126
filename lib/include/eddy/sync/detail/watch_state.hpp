#pragma once
// What the ends of a watch channel share but the value: its version, the lock of those who look at it and
// who change it, the counts of both ends, and who waits.
//
// I1  `version_` counts changes in its upper bits, the lowest says that no sender is left. It is changed
//     behind the change, with the value locked for writing, so that who borrows knows which version it sees.
// I2  Who waits looks at the version under `lock_` again before it waits, and who changes it takes `lock_`
//     afterwards: no change is missed.
// I3  `borrows_`: bit 0 written to, bit 1 somebody sleeps on the word, the rest: borrows. A reader is not held up by
//     a waiting writer, so a thread may borrow twice.
// I4  A thread that would wait for itself is told so: with one thread every wait is one, with more the
//     borrows of each thread are listed (in builds with assertions).
//
// Threads: any of `Memory`.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <eddy/base/detail/lock.hpp>
#include <eddy/base/detail/memory.hpp>
#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/wake_list.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/sync/detail/wait_list.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

// The watch channels that this thread has borrowed from, or is changing the value of, just now.
void note_borrow(const void* channel) noexcept;
void forget_borrow(const void* channel) noexcept;
bool has_borrowed(const void* channel) noexcept;

template <class Memory>
class watch_state {
 public:
  using lock_type = basic_lock<Memory>;
  using guard = locked<lock_type>;
  enum class news : std::uint8_t { none, changed, closed };
  static constexpr std::uint64_t step = 2;  // from version to version

  watch_state() noexcept = default;
  watch_state(const watch_state&) = delete;

  lock_type& lock() noexcept { return lock_; }
  bool release_one() noexcept { return count_down<Memory>(refs_); }

  std::uint64_t version() const noexcept {
    return version_.load(std::memory_order_acquire) & ~closed;
  }
  bool has_no_sender() const noexcept {
    return (version_.load(std::memory_order_acquire) & closed) != 0;
  }
  /// What a receiver that has seen `seen` finds: a change it has not seen comes before the end.
  news look(std::uint64_t seen) const noexcept {
    const auto v = version_.load(std::memory_order_acquire);
    if ((v & ~closed) != seen) return news::changed;
    return (v & closed) != 0 ? news::closed : news::none;
  }
  /// The same for a leaf: `none` means that it waits.
  news poll(std::uint64_t seen, crowd_place& place, context& cx) noexcept;

  void begin_borrow() noexcept;
  void end_borrow() noexcept;
  void begin_change() noexcept;
  /// The value is whole again; `changed`: it is another one.
  void end_change(bool changed) noexcept;

  void add_sender() noexcept;
  void drop_sender() noexcept;
  void add_receiver() noexcept;
  void drop_receiver() noexcept;
  std::size_t senders() noexcept;
  std::size_t receivers() noexcept;
  /// True when there is no receiver; otherwise the target of `cx` will be woken then.
  bool poll_abandoned(crowd_place& place, context& cx) noexcept;

 protected:
  ~watch_state() = default;

 private:
  static constexpr std::uint64_t closed = 1;
  static constexpr std::uint32_t writing = 1, sleeping = 2, one_reader = 4;
  using word = typename Memory::template atomic<std::uint32_t>;

  void wait_for_borrows(std::uint32_t seen, const char* in_itself) noexcept;
  void wake_sleepers(std::uint32_t before) noexcept;

  typename Memory::template atomic<std::uint64_t> version_{0};  // partners: all here
  word borrows_{0};                                             // partners: all here
  word refs_{2};                                                // handles; partner: itself
  lock_type lock_;
  std::uint32_t senders_ = 1;  // under lock_, as what follows
  std::uint32_t receivers_ = 1;
  crowd receiving_;
  crowd watching_;
};

template <class Memory>
auto watch_state<Memory>::poll(std::uint64_t seen, crowd_place& place, context& cx) noexcept
    -> news {
  waker old;
  const guard held(lock_);
  const auto found = look(seen);
  if (found == news::none)
    receiving_.wait(place, cx, old);
  else
    place.settle(old);
  return found;
}

template <class Memory>
void watch_state<Memory>::begin_borrow() noexcept {
  lock_.check();
  auto w = borrows_.load(std::memory_order_relaxed);
  for (;;) {
    if ((w & writing) != 0) [[unlikely]] {
      wait_for_borrows(
          w, "a watch channel was borrowed from by the function that was changing its value");
      w = borrows_.load(std::memory_order_relaxed);
    } else if (replace<Memory>(borrows_, w, w + one_reader, std::memory_order_acquire)) {
      break;
    }
  }
#ifndef NDEBUG
  note_borrow(this);  // also in one thread: another may start before it ends
#endif
}

template <class Memory>
void watch_state<Memory>::end_borrow() noexcept {
#ifndef NDEBUG
  forget_borrow(this);
#endif
  auto w = borrows_.load(std::memory_order_relaxed);
  for (;;) {
    const auto left = w - one_reader;
    if (replace<Memory>(borrows_, w, left < one_reader ? 0 : left, std::memory_order_release)) {
      if (left < one_reader) wake_sleepers(w);
      return;
    }
  }
}

template <class Memory>
void watch_state<Memory>::begin_change() noexcept {
  lock_.check();
  auto w = borrows_.load(std::memory_order_relaxed);
  for (;;) {
    if ((w & ~sleeping) != 0) [[unlikely]] {
      wait_for_borrows(w,
                       "a watch channel was sent to while this thread borrowed its value, or was "
                       "changing it");
      w = borrows_.load(std::memory_order_relaxed);
    } else if (replace<Memory>(borrows_, w, w | writing, std::memory_order_acquire)) {
      break;
    }
  }
#ifndef NDEBUG
  note_borrow(this);  // also in one thread: another may start before it ends
#endif
}

template <class Memory>
void watch_state<Memory>::end_change(bool changed) noexcept {
#ifndef NDEBUG
  forget_borrow(this);
#endif
  if (changed) {
    auto v = version_.load(std::memory_order_relaxed);
    while (!replace<Memory>(version_, v, v + step, std::memory_order_release)) {
    }
  }
  auto w = borrows_.load(std::memory_order_relaxed);
  while (!replace<Memory>(borrows_, w, std::uint32_t{0}, std::memory_order_release)) {
  }
  wake_sleepers(w);
  if (!changed) return;
  wake_list wakes;
  guard held(lock_);
  receiving_.wake_all(held, lock_, wakes);
}

template <class Memory>
void watch_state<Memory>::wait_for_borrows(std::uint32_t seen, const char* in_itself) noexcept {
  if (Memory::single_threaded()) fatal(in_itself);
  if constexpr (requires { borrows_.wait(seen, std::memory_order_relaxed); }) {
#ifndef NDEBUG
    if (has_borrowed(this)) fatal(in_itself);
#endif
    if ((seen & sleeping) == 0 &&
        !replace<Memory>(borrows_, seen, seen | sleeping, std::memory_order_relaxed))
      return;
    borrows_.wait(seen | sleeping, std::memory_order_relaxed);
  }
}

template <class Memory>
void watch_state<Memory>::wake_sleepers(std::uint32_t before) noexcept {
  if constexpr (requires { borrows_.notify_all(); }) {
    if ((before & sleeping) != 0) [[unlikely]]
      borrows_.notify_all();
  }
}

template <class Memory>
void watch_state<Memory>::add_sender() noexcept {
  count_up<Memory>(refs_);
  const guard held(lock_);
  ++senders_;
}
template <class Memory>
void watch_state<Memory>::drop_sender() noexcept {
  wake_list wakes;
  guard held(lock_);
  if (--senders_ != 0) return;
  set_bits<Memory>(version_, closed, std::memory_order_release);
  receiving_.wake_all(held, lock_, wakes);
}
template <class Memory>
void watch_state<Memory>::add_receiver() noexcept {
  count_up<Memory>(refs_);
  const guard held(lock_);
  ++receivers_;
}
template <class Memory>
void watch_state<Memory>::drop_receiver() noexcept {
  wake_list wakes;
  guard held(lock_);
  if (--receivers_ == 0) watching_.wake_all(held, lock_, wakes);
}
template <class Memory>
std::size_t watch_state<Memory>::senders() noexcept {
  const guard held(lock_);
  return senders_;
}
template <class Memory>
std::size_t watch_state<Memory>::receivers() noexcept {
  const guard held(lock_);
  return receivers_;
}
template <class Memory>
bool watch_state<Memory>::poll_abandoned(crowd_place& place, context& cx) noexcept {
  waker old;
  const guard held(lock_);
  if (receivers_ != 0) {
    watching_.wait(place, cx, old);
    return false;
  }
  place.settle(old);
  return true;
}

extern template class watch_state<sync_memory>;

}}}  // namespace eddy::EDDY_ABI::detail
