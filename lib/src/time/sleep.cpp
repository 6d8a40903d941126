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

bool timer_leaf::poll_elapsed(context& cx) noexcept {
  if (entry_.linked()) {
    if (cx.wakes_same(entry_.who)) return false;
    entry_.who = cx.get_waker();
    return false;
  }
  if (loop_ != nullptr) return true;  // it was in the wheel and has been taken out
  auto* l = loop::of(cx);
  if (l == nullptr) fatal("sleep or timeout polled outside a runtime");
  if (l->has_seen(entry_.deadline) ||
      (!l->is_far(entry_.deadline) && entry_.deadline <= l->now())) {
    loop_ = l;
    return true;
  }
  wait(*l, cx);
  return false;
}

bool timer_leaf::start(context& cx, duration limit) noexcept {
  auto* l = loop::of(cx);
  if (l == nullptr) fatal("sleep or timeout polled outside a runtime");
  if (limit <= duration::zero()) {
    loop_ = l;
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
  l.insert(entry_);
}

void timer_leaf::move_to(std::uint64_t deadline) noexcept {
  loop_->remove(entry_);
  entry_.deadline = deadline;
  if (deadline <= loop_->now())
    std::move(entry_.who).wake();
  else
    loop_->insert(entry_);
}

void timer_leaf::remove() noexcept {
  loop_->remove(entry_);
  loop_ = nullptr;
}

}  // namespace detail

}  // namespace eddy::inline EDDY_ABI
