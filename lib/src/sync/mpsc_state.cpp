#include <eddy/sync/mpsc_state.hpp>

namespace eddy::inline EDDY_ABI::detail {

void mpsc_state::retain() noexcept { count_up<sync_memory>(references_); }

bool mpsc_state::release_one() noexcept { return count_down<sync_memory>(references_); }

void mpsc_state::add_sender() noexcept {
  {
    const guard held(lock_);
    ++senders_;
  }
  retain();
}

bool mpsc_state::revive_sender() noexcept {
  {
    const guard held(lock_);
    if (senders_ == 0) return false;
    ++senders_;
  }
  retain();
  return true;
}

void mpsc_state::drop_sender() noexcept {
  wake_list wakes;
  const guard held(lock_);
  if (--senders_ == 0 && has_ended()) wake_receiver(wakes);
}

void mpsc_state::add_weak() noexcept {
  {
    const guard held(lock_);
    ++weak_;
  }
  retain();
}

void mpsc_state::drop_weak() noexcept {
  const guard held(lock_);
  --weak_;
}

bool mpsc_state::is_finished() noexcept {
  const guard held(lock_);
  return closed_ || senders_ == 0;
}

permit_answer mpsc_state::take_slowly(guard& held, waiter& node, std::uint32_t n, context& cx,
                                      wake_list& wakes) noexcept {
  using phase = waiter::phase;
  const auto where = node.where();
  if (where == phase::queued) {
    cx.store_waker(node.who);
    return permit_answer::pending;
  }
  if (!closed_) {
    if (where == phase::idle) {  // I3: all that is free goes with it
      queue_.enqueue(node, n - std::exchange(free_, 0), cx.get_waker());
      return permit_answer::pending;
    }
    if (!cx.proceed()) return permit_answer::pending;
    queue_.reset(node);
    return permit_answer::taken;
  }
  if (!cx.proceed()) return permit_answer::pending;
  if (where != phase::idle) give(held, queue_.leave(node, n), wakes);
  return permit_answer::closed;
}

void mpsc_state::leave_queue(waiter& node, std::uint32_t n) noexcept {
  wake_list wakes;
  waker who;  // dropped behind the lock
  guard held(lock_);
  const auto had = queue_.leave(node, n);
  std::swap(who, node.who);
  give(held, had, wakes);
}

void mpsc_state::give_slowly(guard& held, std::uint32_t n, wake_list& wakes) noexcept {
  n = queue_.give(n, wakes);
  while (n != 0 && !queue_.empty()) {
    held.unlock();
    wakes.wake_all();
    held.relock(lock_);
    n = queue_.give(n, wakes);
  }
  free_ += n;
  if (has_ended()) {
    if (wakes.full()) {
      held.unlock();
      wakes.wake_all();
      held.relock(lock_);
    }
    wake_receiver(wakes);
  }
}

void mpsc_state::close() noexcept {
  wake_list wakes;
  guard held(lock_);
  closed_ = true;
  for (;;) {
    const bool all_refused = queue_.refuse_all(wakes);
    while (!watching_.empty() && !wakes.full()) wakes.add(std::move(watching_.pop_front()->who));
    if (all_refused && watching_.empty() && !wakes.full()) break;
    held.unlock();
    wakes.wake_all();
    held.relock(lock_);
  }
  if (has_ended()) wake_receiver(wakes);
}

bool mpsc_state::poll_closed(mpsc_watcher& node, context& cx) noexcept {
  const guard held(lock_);
  if (closed_) return cx.proceed();
  cx.store_waker(node.who);
  if (!node.linked()) watching_.push_back(node);
  return false;
}

void mpsc_state::leave(mpsc_watcher& node) noexcept {
  const guard held(lock_);
  if (node.linked()) node.unlink();
}

bool mpsc_state::wait_for_message(guard& held, context& cx, const void* leaf) noexcept {
  if (has_ended()) return cx.proceed();
  if (cx.wakes_same(receiver_)) {
    waiting_for_ = leaf;
    return false;
  }
  waker before = cx.get_waker();
  std::swap(before, receiver_);
  waiting_for_ = leaf;
  held.unlock();  // `before` is dropped behind the lock
  return false;
}

void mpsc_state::stop_waiting(const void* leaf) noexcept {
  waker gone;
  const guard held(lock_);
  if (waiting_for_ != leaf) return;
  std::swap(gone, receiver_);
  waiting_for_ = nullptr;
}

}  // namespace eddy::inline EDDY_ABI::detail
