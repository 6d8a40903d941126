#pragma once
// Telling those who wait, without a value: `notify`, and what cancellation tokens, trackers and `set_once`
// wait with.
//
//   word: bits 0-1 empty, waiting or notified; the rest: how often all were told
//
// I1  `waiting` is set and left under the lock, and says that the queue is not empty. In every other state
//     the word alone decides, without the lock.
// I2  The count of `tell_all` goes up in the word, so whoever queues by a compare-and-swap of the word, or
//     under the lock while it says `waiting`, has seen every `tell_all` before it.
// I3  A node that has been told is out of the queue; the store of its phase is the last touch of it by
//     whoever tells, so its owner may destroy it at once.
// I4  `tell_all` moves the queue to a list of its own, on its stack but still under the lock: those who
//     queue while it wakes are not told, and those who leave meanwhile take themselves out.
// I5  No waker is copied, woken or dropped under the lock: all three may run a wake_target's own code.

#include <atomic>
#include <cstdint>
#include <utility>

#include <eddy/base/detail/list.hpp>
#include <eddy/base/detail/lock.hpp>
#include <eddy/base/detail/memory.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/wake_list.hpp>
#include <eddy/core/waker.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class Memory>
class basic_notify;

/// A place in the queue; part of the leaf that waits.
template <class Memory>
class notify_waiter : public list_node {
 public:
  enum class phase : std::uint8_t { idle, queued, told_one, told_last, told_all, done };

  /// Made at this count of `tell_all`.
  explicit notify_waiter(std::uint32_t calls) noexcept : calls_(calls) {}
  notify_waiter(notify_waiter&& other) noexcept
      : list_node(std::move(other)), calls_(other.calls_), phase_(other.where()) {}

  phase where() const noexcept { return phase_.load(std::memory_order_acquire); }

 private:
  friend basic_notify<Memory>;
  waker who_;  // empty: told all the same, but nobody is woken
  std::uint32_t calls_;
  typename Memory::template atomic<phase> phase_{phase::idle};  // partners: who tells, where
};

template <class Memory>
class basic_notify {
 public:
  using waiter = notify_waiter<Memory>;
  using phase = typename waiter::phase;

  basic_notify() noexcept = default;
  basic_notify(const basic_notify&) = delete;
  basic_notify& operator=(const basic_notify&) = delete;

  /// How often all were told; a new waiter starts with it.
  std::uint32_t calls() const noexcept { return calls_of(word_.load(std::memory_order_acquire)); }

  /// One poll of a leaf: true when it has been told.
  bool poll(waiter& node, context& cx) noexcept {
    switch (node.where()) {
      case phase::idle:
        if (!has_news(node)) break;
        if (!cx.proceed()) return false;
        if (take_news(node)) return true;
        break;
      case phase::queued:
        if (still_waits_for(node, cx)) return false;
        break;
      default:
        if (!cx.proceed()) return false;
        return finish(node);
    }
    return wait(node, cx.get_waker());
  }
  /// Queues a leaf without anybody to wake; true when it has been told.
  bool enable(waiter& node) noexcept {
    const auto at = node.where();
    if (at == phase::queued) return false;
    if (at != phase::idle || (has_news(node) && take_news(node))) return finish(node);
    return wait(node, waker());
  }
  /// A leaf goes away.
  void leave(waiter& node) noexcept {
    const auto at = node.where();
    if (at == phase::queued || at == phase::told_one || at == phase::told_last) leave_queued(node);
  }

  /// Tells the first or the last in the queue (`how` is the phase that says so), or else the next to come.
  void tell(phase how) noexcept {
    lock_.check();
    auto w = word_.load(std::memory_order_relaxed);
    while (state_of(w) != waiting)
      if (replace<Memory>(word_, w, with(w, notified), std::memory_order_acq_rel)) return;
    tell_queued(how);
  }
  void tell_all() noexcept {
    lock_.check();
    auto w = word_.load(std::memory_order_relaxed);
    while (state_of(w) != waiting)
      if (replace<Memory>(word_, w, w + one_call, std::memory_order_acq_rel)) return;
    tell_all_queued();
  }

 private:
  static constexpr std::uint32_t empty = 0, waiting = 1, notified = 2, mask = 3, one_call = 4;
  static std::uint32_t state_of(std::uint32_t w) noexcept { return w & mask; }
  static std::uint32_t calls_of(std::uint32_t w) noexcept { return w / one_call; }
  static std::uint32_t with(std::uint32_t w, std::uint32_t state) noexcept {
    return (w & ~mask) | state;
  }

  bool has_news(const waiter& node) noexcept {
    lock_.check();
    const auto w = word_.load(std::memory_order_acquire);
    return calls_of(w) != node.calls_ || state_of(w) == notified;
  }
  /// For an idle node: told by an earlier `tell_all`, or else by a `tell` that nobody has taken yet.
  bool take_news(waiter& node) noexcept {
    auto w = word_.load(std::memory_order_acquire);
    if (calls_of(w) == node.calls_ &&
        (state_of(w) != notified ||
         !replace<Memory>(word_, w, with(w, empty), std::memory_order_acq_rel)))
      return false;
    return finish(node);
  }
  bool still_waits_for(const waiter& node, const context& cx) noexcept {
    const locked held(lock_);
    return node.where() == phase::queued && cx.wakes_same(node.who_);
  }
  static bool finish(waiter& node) noexcept {
    node.phase_.store(phase::done, std::memory_order_relaxed);
    return true;
  }

  bool wait(waiter& node, waker who) noexcept;
  void leave_queued(waiter& node) noexcept;
  void tell_queued(phase how) noexcept;
  waker tell_locked(phase how) noexcept;
  void tell_all_queued() noexcept;
  static waker settle(waiter& node, phase how) noexcept;

  typename Memory::template atomic<std::uint32_t> word_{empty};  // partners: all here
  basic_lock<Memory> lock_;
  list<waiter> queue_;  // under lock_
};

template <class Memory>
bool basic_notify<Memory>::wait(waiter& node, waker who) noexcept {
  const locked held(lock_);  // `who`, and what it replaces, is dropped behind it
  if (node.where() == phase::idle) {
    for (;;) {
      if (take_news(node)) return true;
      auto w = word_.load(std::memory_order_acquire);
      if (calls_of(w) != node.calls_ || state_of(w) == notified) continue;
      if (state_of(w) == waiting ||
          replace<Memory>(word_, w, with(w, waiting), std::memory_order_acq_rel))
        break;
    }
    node.phase_.store(phase::queued, std::memory_order_relaxed);
    queue_.push_back(node);
  } else if (node.where() != phase::queued) {  // told meanwhile
    return finish(node);
  }
  std::swap(node.who_, who);
  return false;
}

template <class Memory>
waker basic_notify<Memory>::settle(waiter& node, phase how) noexcept {
  list<waiter>::erase(node);
  auto who = std::move(node.who_);
  node.phase_.store(how, std::memory_order_release);
  return who;
}

template <class Memory>
void basic_notify<Memory>::leave_queued(waiter& node) noexcept {
  waker own, next;
  {
    const locked held(lock_);
    const auto at = node.where();
    if (at == phase::queued) {
      own = settle(node, phase::done);
      const auto w = word_.load(std::memory_order_relaxed);
      if (state_of(w) == waiting && queue_.empty())
        word_.store(with(w, empty), std::memory_order_release);
    } else if (at != phase::told_all) {
      next = tell_locked(at);  // it was chosen and never heard: the next one is
    }
  }
  std::move(next).wake();
}

template <class Memory>
void basic_notify<Memory>::tell_queued(phase how) noexcept {
  waker chosen;
  {
    const locked held(lock_);
    chosen = tell_locked(how);
  }
  std::move(chosen).wake();
}

template <class Memory>
waker basic_notify<Memory>::tell_locked(phase how) noexcept {
  auto w = word_.load(std::memory_order_relaxed);
  while (state_of(w) != waiting)
    if (replace<Memory>(word_, w, with(w, notified), std::memory_order_acq_rel)) return {};
  auto who = settle(how == phase::told_last ? *queue_.back() : *queue_.front(), how);
  if (queue_.empty()) word_.store(with(w, empty), std::memory_order_release);
  return who;
}

template <class Memory>
void basic_notify<Memory>::tell_all_queued() noexcept {
  wake_list wakes;
  list<waiter> told;
  locked held(lock_);
  auto w = word_.load(std::memory_order_relaxed);
  while (!replace<Memory>(word_, w, with(w, state_of(w) == notified ? notified : empty) + one_call,
                          std::memory_order_acq_rel)) {
  }
  told.splice_back(queue_);
  while (!told.empty()) {
    if (wakes.full()) {
      held.unlock();
      wakes.wake_all();
      held.relock(lock_);
      continue;
    }
    wakes.add(settle(*told.front(), phase::told_all));
  }
}

extern template class basic_notify<sync_memory>;

}}}  // namespace eddy::EDDY_ABI::detail
