#pragma once
// What the ends of a broadcast channel share: the last values, and a count of receivers to each.
//
// I1  Positions count up from 0; `tail_` is the next one. A receiver's is the next it reads. It has missed
//     what is older than `oldest()`.
// I2  A value's slot is null once every receiver it was sent to has taken it or gone: a node is there exactly
//     as long as `remaining` is not 0. So what a receiver has yet to read and not missed is there.
// I3  The ring grows only when the slot it needs is taken, up to the capacity; from then on the oldest value
//     goes instead. The sender waits for nobody.
// I4  No value is made, copied or destroyed under the lock, but copies that are a few plain instructions. A
//     node is held by its slot and by each receiver that is copying (`users`); the last receiver to take it
//     has the slot's share, and if nobody else is at it, takes the value itself.
//
// Threads: any of `Memory`; everything but the nodes' `users` is under the lock.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/base/detail/lock.hpp>
#include <eddy/base/detail/memory.hpp>
#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/wake_list.hpp>
#include <eddy/sync/detail/wait_list.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class Memory>
struct broadcast_node_base {
  typename Memory::template atomic<std::uint32_t> users{1};  // partner: itself
  std::uint32_t remaining = 0;                               // under the channel's lock
  broadcast_node_base* link = nullptr;  // of those to be released behind the lock
};

/// Without the values: positions, counts, who waits.
template <class Memory>
class broadcast_state {
 public:
  using node_base = broadcast_node_base<Memory>;
  using lock_type = basic_lock<Memory>;
  using guard = locked<lock_type>;

  explicit broadcast_state(std::size_t capacity) noexcept : capacity_(capacity) {}
  broadcast_state(const broadcast_state&) = delete;

  lock_type& lock() noexcept { return lock_; }
  bool release_one() noexcept { return count_down<Memory>(refs_); }

  // Each takes the lock.
  void add_sender() noexcept;
  void drop_sender() noexcept;
  void add_weak() noexcept;
  void drop_weak() noexcept;
  /// A sender more if there is one; false when the last is gone for good.
  bool revive_sender() noexcept;
  /// A receiver more; its position.
  std::uint64_t add_receiver() noexcept;
  std::size_t senders() noexcept;
  std::size_t weak_senders() noexcept;
  std::size_t receivers() noexcept;
  /// Values that somebody has yet to take.
  std::size_t length() noexcept;
  std::uint64_t tail() noexcept;

  // Under the lock.
  std::uint32_t receivers_now() const noexcept { return receivers_; }
  bool is_closed_now() const noexcept { return senders_ == 0; }
  bool has_all(std::uint64_t next) const noexcept { return next == tail_; }
  /// How many values a receiver at `next` has missed.
  std::uint64_t missed(std::uint64_t next) const noexcept {
    return tail_ - next > capacity_ ? tail_ - next - capacity_ : 0;
  }
  node_base*& slot(std::uint64_t position) noexcept { return ring_[position & (size_ - 1)]; }
  /// Puts `n` at the end, for all receivers; what had to go for it, or null.
  node_base* put(node_base& n) noexcept;
  /// One receiver fewer.
  void drop_receiver_now() noexcept { --receivers_; }

  crowd receiving;  // under the lock
  crowd watching;   // under the lock: senders that wait for the last receiver to go

 protected:
  ~broadcast_state() {
    if (ring_ != nullptr) frame_release(ring_, size_ * sizeof(node_base*));
  }
  std::uint64_t tail_now() const noexcept { return tail_; }
  std::uint64_t oldest_now() const noexcept { return tail_ > capacity_ ? tail_ - capacity_ : 0; }
  void hold() noexcept { count_up<Memory>(refs_); }

 private:
  void grow() noexcept;

  lock_type lock_;
  typename Memory::template atomic<std::uint32_t> refs_{2};  // handles; partner: itself
  std::uint64_t tail_ = 0;
  node_base** ring_ = nullptr;
  std::size_t size_ = 0;  // of the ring: 0 or a power of two, at most the capacity
  std::size_t capacity_;
  std::uint32_t receivers_ = 1;
  std::uint32_t senders_ = 1;
  std::uint32_t weak_ = 0;
};

template <class Memory>
void broadcast_state<Memory>::add_sender() noexcept {
  hold();
  const guard held(lock_);
  ++senders_;
}
template <class Memory>
void broadcast_state<Memory>::drop_sender() noexcept {
  wake_list wakes;
  guard held(lock_);
  if (--senders_ == 0) receiving.wake_all(held, lock_, wakes);
}
template <class Memory>
void broadcast_state<Memory>::add_weak() noexcept {
  hold();
  const guard held(lock_);
  ++weak_;
}
template <class Memory>
void broadcast_state<Memory>::drop_weak() noexcept {
  const guard held(lock_);
  --weak_;
}
template <class Memory>
bool broadcast_state<Memory>::revive_sender() noexcept {
  const guard held(lock_);
  if (senders_ == 0) return false;
  ++senders_;
  hold();
  return true;
}
template <class Memory>
std::uint64_t broadcast_state<Memory>::add_receiver() noexcept {
  hold();
  const guard held(lock_);
  ++receivers_;
  return tail_;
}
template <class Memory>
std::size_t broadcast_state<Memory>::senders() noexcept {
  const guard held(lock_);
  return senders_;
}
template <class Memory>
std::size_t broadcast_state<Memory>::weak_senders() noexcept {
  const guard held(lock_);
  return weak_;
}
template <class Memory>
std::size_t broadcast_state<Memory>::receivers() noexcept {
  const guard held(lock_);
  return receivers_;
}
template <class Memory>
std::uint64_t broadcast_state<Memory>::tail() noexcept {
  const guard held(lock_);
  return tail_;
}

// Who has yet to take a value has yet to take all later ones: the slots are null up to some position, and none
// is behind it.
template <class Memory>
std::size_t broadcast_state<Memory>::length() noexcept {
  const guard held(lock_);
  auto low = tail_ - std::min<std::uint64_t>(tail_, size_);
  auto high = tail_;
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    if (slot(middle) == nullptr)
      low = middle + 1;
    else
      high = middle;
  }
  return static_cast<std::size_t>(tail_ - low);
}

template <class Memory>
auto broadcast_state<Memory>::put(node_base& n) noexcept -> node_base* {
  if (size_ < capacity_ && (size_ == 0 || slot(tail_) != nullptr)) grow();
  n.remaining = receivers_;
  return std::exchange(slot(tail_++), &n);
}

template <class Memory>
void broadcast_state<Memory>::grow() noexcept {
  constexpr std::size_t first = 8;
  const auto size = std::min(std::max(first, 2 * size_), capacity_);
  void* const place = frame_allocate(size * sizeof(node_base*));
  if (place == nullptr) fatal("out of memory");
  auto** const ring = static_cast<node_base**>(place);
  std::fill_n(ring, size, nullptr);
  for (auto p = tail_ - std::min<std::uint64_t>(tail_, size_); p != tail_; ++p)
    ring[p & (size - 1)] = slot(p);
  if (ring_ != nullptr) frame_release(ring_, size_ * sizeof(node_base*));
  ring_ = ring;
  size_ = size;
}

extern template class broadcast_state<sync_memory>;

/// The shared block of a channel of `T`, with its handles' references.
template <class T, class Memory = sync_memory>
class broadcast_core final : public broadcast_state<Memory> {
  using base = broadcast_state<Memory>;
  using typename base::node_base;
  static constexpr bool plain_copy = std::is_trivially_copyable_v<T> && sizeof(T) <= 64;

 public:
  using typename base::guard;

  struct node final : node_base {
    template <class... A>
    explicit node(A&&... args) : value(std::forward<A>(args)...) {}
    T value;
  };

  static broadcast_core* make(std::size_t capacity) {
    void* p = frame_allocate(sizeof(broadcast_core));
    if (p == nullptr) fatal("out of memory");
    return ::new (p) broadcast_core(capacity);
  }
  void release() noexcept {
    if (!this->release_one()) return;
    this->~broadcast_core();
    frame_release(this, sizeof(broadcast_core));
  }

  template <class... A>
  static node* make_node(A&&... args) {
    struct memory {
      void* place = frame_allocate(sizeof(node));
      ~memory() {
        if (place != nullptr) frame_release(place, sizeof(node));
      }
    } block;
    if (block.place == nullptr) fatal("out of memory");
    node* const made = ::new (block.place) node(std::forward<A>(args)...);
    block.place = nullptr;
    return made;
  }
  static void release(node& n) noexcept {
    if (!count_down<Memory>(n.users)) return;
    n.~node();
    frame_release(&n, sizeof(node));
  }

  /// Sends to all receivers; how many they are. 0: `n` is still the caller's.
  std::size_t send(node& n) noexcept {
    wake_list wakes;
    guard held(this->lock());
    const auto count = this->receivers_now();
    if (count == 0) return 0;
    node_base* const old = this->put(n);
    this->receiving.wake_all(held, this->lock(), wakes);
    held.unlock();
    if (old != nullptr) release(static_cast<node&>(*old));
    return count;
  }

  /// The value at `next`, which is there; unlocks. Throws what the copy throws; the value counts as taken.
  template <class Into>
  void take(guard& held, std::uint64_t& next, Into into) {
    node_base*& place = this->slot(next++);
    auto& n = static_cast<node&>(*place);
    const bool last = --n.remaining == 0;
    if (last) place = nullptr;
    if constexpr (plain_copy) {
      into(std::as_const(n.value));
      held.unlock();
      if (last) release(n);
    } else {
      if (!last) count_up<Memory>(n.users);
      held.unlock();
      struct release_at_end {
        node& n;
        ~release_at_end() { release(n); }
      } at_end{n};
      if (last && n.users.load(std::memory_order_acquire) == 1)
        into(std::move(n.value));
      else
        into(std::as_const(n.value));
    }
  }

  /// A receiver that has read up to `next` goes.
  void drop_receiver(std::uint64_t next) noexcept {
    constexpr int batch = 64;
    wake_list wakes;
    guard held(this->lock());
    this->drop_receiver_now();
    const auto until = this->tail_now();
    if (this->receivers_now() == 0) this->watching.wake_all(held, this->lock(), wakes);
    for (;;) {
      node_base* gone = nullptr;
      next = std::max(next, this->oldest_now());
      for (int i = 0; i < batch && next < until; ++i) {
        node_base*& place = this->slot(next++);
        if (--place->remaining != 0) continue;
        place->link = std::exchange(gone, place);
        place = nullptr;
      }
      held.unlock();
      while (gone != nullptr) release(static_cast<node&>(*std::exchange(gone, gone->link)));
      if (next >= until) return;
      held.relock(this->lock());
    }
  }

 private:
  using base::base;
  ~broadcast_core() = default;
};

}}}  // namespace eddy::EDDY_ABI::detail
