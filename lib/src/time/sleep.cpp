#include <eddy/time/sleep.hpp>

#include <utility>

#include <eddy/base/misuse.hpp>

#include "runtime/loop.hpp"

namespace eddy::inline EDDY_ABI {

clock::time_point clock::now() noexcept {
  auto* l = detail::loop::current();
  const auto ns = l != nullptr ? l->read_now() : detail::monotonic_now();
  return time_point(duration(static_cast<duration::rep>(ns)));
}

namespace detail {

// In a pool the task may have been stolen: then the wheel is another thread's. Hence the guards.

bool timer_leaf::poll_elapsed(context& cx) noexcept {
  if (loop_ == elapsed_mark()) return true;
  if (is_waiting()) {
    waker before;  // goes behind the guard
    const node_guard held(*loop_);
    if (entry_.linked()) {
      if (!cx.wakes_same(entry_.who)) before = std::exchange(entry_.who, cx.get_waker());
      return false;
    }
    loop_ = elapsed_mark();
    return true;
  }
  auto* l = loop::of(cx);
  if (l == nullptr) fatal("sleep or timeout polled outside a runtime");
  if (l->has_seen(entry_.deadline) ||
      (!l->is_far(entry_.deadline) && entry_.deadline <= l->now())) {
    loop_ = elapsed_mark();
    return true;
  }
  wait(*l, cx);
  return false;
}

bool timer_leaf::start(context& cx, duration limit) noexcept {
  auto* l = loop::of(cx);
  if (l == nullptr) fatal("sleep or timeout polled outside a runtime");
  if (limit <= duration::zero()) {
    loop_ = elapsed_mark();
    return true;
  }
  const instant now(duration(static_cast<duration::rep>(l->now())));
  entry_.deadline = to_nanoseconds(saturating_add(now, limit));
  wait(*l, cx);
  return false;
}

void timer_leaf::wait(loop& l, context& cx) noexcept {
  loop_ = &l;
  entry_.who = cx.get_waker();
  const node_guard held(l);
  l.timers().insert(entry_);
}

bool timer_leaf::has_fired() const noexcept {
  const node_guard held(*loop_);
  return !entry_.linked();
}

void timer_leaf::move_to(std::uint64_t deadline) noexcept {
  loop& l = *loop_;
  waker due;
  {
    const node_guard held(l);
    const bool fired = !entry_.linked();
    if (fired)
      loop_ = nullptr;
    else
      l.timers().remove(entry_);
    entry_.deadline = deadline;
    if (fired) return;
    if (deadline <= l.now())
      due = std::move(entry_.who);
    else
      l.timers().insert(entry_);
  }
  if (due)
    std::move(due).wake();
  else if (!l.is_driven_here())
    l.look_up();  // it may sleep until a later deadline
}

void timer_leaf::leave() noexcept {
  const node_guard held(*loop_);
  if (entry_.linked()) loop_->timers().remove(entry_);
}

}  // namespace detail

}  // namespace eddy::inline EDDY_ABI
