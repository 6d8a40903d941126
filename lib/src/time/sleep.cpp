#include <eddy/time/sleep.hpp>

#include <utility>

#include <eddy/base/detail/misuse.hpp>

#include "runtime/loop.hpp"

namespace eddy { inline namespace EDDY_ABI {

clock::time_point clock::now() noexcept {
  auto* l = detail::loop::current();
  const auto ns = l != nullptr ? l->read_now() : detail::monotonic_now();
  return time_point(duration(static_cast<duration::rep>(ns)));
}

namespace detail {

// In a pool the task may have been stolen: then the wheel is another thread's, and the entry may be taken out of it
// at any moment. Hence the guards, and the second look under them.

bool timer_leaf::poll_elapsed(context& cx) noexcept {
  loop* const where = entry_.where.load(std::memory_order_acquire);
  if (where == loop_timer::over()) return true;
  if (where != nullptr) {
    waker before;  // goes behind the guard
    const node_guard held(*where);
    if (!entry_.linked()) return true;
    if (!cx.wakes_same(entry_.who)) before = std::exchange(entry_.who, cx.get_waker());
    return false;
  }
  auto* l = loop::of(cx);
  if (l == nullptr) fatal("sleep or timeout polled outside a runtime");
  if (l->has_seen(entry_.deadline) ||
      (!l->is_far(entry_.deadline) && entry_.deadline <= l->now())) {
    entry_.where.store(loop_timer::over(), std::memory_order_relaxed);
    return true;
  }
  wait(*l, cx);
  return false;
}

bool timer_leaf::start(context& cx, duration limit) noexcept {
  auto* l = loop::of(cx);
  if (l == nullptr) fatal("sleep or timeout polled outside a runtime");
  if (limit <= duration::zero()) {
    entry_.where.store(loop_timer::over(), std::memory_order_relaxed);
    return true;
  }
  const instant now(duration(static_cast<duration::rep>(l->now())));
  entry_.deadline = to_nanoseconds(saturating_add(now, limit));
  wait(*l, cx);
  return false;
}

void timer_leaf::wait(loop& l, context& cx) noexcept {
  entry_.who = cx.get_waker();
  const node_guard held(l);
  entry_.where.store(&l, std::memory_order_relaxed);
  l.timers().insert(entry_);
}

void timer_leaf::move_to(loop& l, std::uint64_t deadline) noexcept {
  waker due;
  {
    const node_guard held(l);
    if (!entry_.linked()) {
      entry_.where.store(nullptr, std::memory_order_relaxed);
      entry_.deadline = deadline;
      return;
    }
    l.timers().remove(entry_);
    entry_.deadline = deadline;
    if (deadline <= l.now())
      due = entry_.expire();
    else
      l.timers().insert(entry_);
  }
  if (due)
    std::move(due).wake();
  else if (!l.is_driven_here())
    l.look_up();  // it may sleep until a later deadline
}

void timer_leaf::leave(loop& l) noexcept {
  const node_guard held(l);
  if (entry_.linked()) l.timers().remove(entry_);
}

}  // namespace detail

}}  // namespace eddy::EDDY_ABI
