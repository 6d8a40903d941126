#pragma once
// Who waits for permits, in order of arrival: the part that semaphore, mutex, rw_lock and the bounded
// channel have in common. Passive: no lock and no count of its own, both are its owner's.
//
// I1  Everything here is under the owner's lock, but `permit_waiter::granted()`.
// I2  While the queue is not empty the owner has no permit to give: what comes in goes to the first in
//     the queue, who may have some of them for a long time, and keeps its place.
// I3  A granted node is out of the queue; the store of `granted` is the last touch of it by whoever
//     grants, so its owner may destroy it at once.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>

#include <eddy/base/detail/list.hpp>
#include <eddy/base/detail/memory.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/wake_list.hpp>
#include <eddy/core/waker.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A place in the queue; part of the leaf that waits.
template <class Memory>
class permit_waiter : public list_node {
 public:
  enum class phase : std::uint8_t { idle, queued, granted, refused };

  phase where() const noexcept { return phase_.load(std::memory_order_acquire); }

  waker who;
  std::uint32_t lacking = 0;  // of the permits it asked for

 private:
  template <class>
  friend class permit_queue;
  typename Memory::template atomic<phase> phase_{phase::idle};  // partners: grant, where
};

template <class Memory>
class permit_queue {
 public:
  using waiter = permit_waiter<Memory>;
  using phase = typename waiter::phase;

  bool empty() const noexcept { return waiting_.empty(); }

  /// Last in the queue, for `lacking` permits.
  void enqueue(waiter& w, std::uint32_t lacking, waker who) noexcept {
    w.lacking = lacking;
    w.who = std::move(who);
    w.phase_.store(phase::queued, std::memory_order_relaxed);
    waiting_.push_back(w);
  }
  /// Gives `n` permits to the first ones; those who have all they need are woken by `wakes`. What is left
  /// over, because nobody waits or `wakes` is full: in the second case the queue is not empty, and the
  /// caller goes on after waking.
  std::uint32_t give(std::uint32_t n, wake_list& wakes) noexcept {
    while (!waiting_.empty() && !wakes.full()) {
      waiter& first = *waiting_.front();
      const auto part = std::min(n, first.lacking);
      first.lacking -= part;
      n -= part;
      if (first.lacking != 0) break;
      settle(first, phase::granted, wakes);
    }
    return n;
  }
  /// Wakes everybody, or as many as fit, with nothing. True when the queue is empty.
  bool refuse_all(wake_list& wakes) noexcept {
    while (!waiting_.empty() && !wakes.full()) settle(*waiting_.front(), phase::refused, wakes);
    return waiting_.empty();
  }
  /// The node's owner goes without the permits. How many of the `wanted` it has had already, queued,
  /// granted or refused: the caller's again.
  std::uint32_t leave(waiter& w, std::uint32_t wanted) noexcept {
    if (w.where() == phase::queued) waiting_.erase(w);
    reset(w);
    return wanted - w.lacking;
  }
  /// The node's owner has taken over what was granted.
  static void reset(waiter& w) noexcept { w.phase_.store(phase::idle, std::memory_order_relaxed); }

 private:
  void settle(waiter& w, phase how, wake_list& wakes) noexcept {
    waiting_.erase(w);
    wakes.add(std::move(w.who));
    w.phase_.store(how, std::memory_order_release);
  }

  list<waiter> waiting_;
};

}}}  // namespace eddy::EDDY_ABI::detail
