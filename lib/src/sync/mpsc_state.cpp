#include <eddy/sync/detail/mpsc_state.hpp>

#include <utility>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

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

permit_answer mpsc_state::take_slowly(waiter& node, std::uint32_t n, context& cx) noexcept {
  using phase = waiter::phase;
  const auto where = node.where();
  auto answer = permit_answer::pending;
  wake_list wakes;
  waker old;  // dropped behind the lock
  if (where == phase::queued) {
    if (!cx.wakes_same(node.who)) old = std::exchange(node.who, cx.get_waker());
  } else if (where == phase::idle && !closed_) {  // I3: all that is free goes with it
    queue_.enqueue(node, n - std::exchange(free_, 0), cx.get_waker());
  } else if (cx.proceed()) {
    if (!closed_) {
      queue_.reset(node);
      return permit_answer::taken;
    }
    if (where != phase::idle) give(queue_.leave(node, n), wakes);
    answer = permit_answer::closed;
  }
  lock_.unlock();
  return answer;
}

void mpsc_state::leave_queue(waiter& node, std::uint32_t n) noexcept {
  waker who;  // dropped behind the lock
  lock_.lock();
  std::swap(who, node.who);
  give_slowly_and_unlock(queue_.leave(node, n));
}

void mpsc_state::give_slowly(std::uint32_t n, wake_list& wakes) noexcept {
  n = queue_.give(n, wakes);
  while (n != 0 && !queue_.empty()) {
    lock_.unlock();
    wakes.wake_all();
    lock_.lock();
    n = queue_.give(n, wakes);
  }
  free_ += n;
  if (!has_ended()) return;
  if (wakes.full()) {
    lock_.unlock();
    wakes.wake_all();
    lock_.lock();
  }
  wake_receiver(wakes);
}

void mpsc_state::give_slowly_and_unlock(std::uint32_t n) noexcept {
  wake_list wakes;
  give_slowly(n, wakes);
  lock_.unlock();
}

void mpsc_state::wake_receiver_and_unlock() noexcept {
  waker who = std::move(receiver_);
  waiting_for_ = nullptr;
  lock_.unlock();
  std::move(who).wake();
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
  waker old;  // dropped behind the lock
  const guard held(lock_);
  if (closed_) return cx.proceed();
  if (!cx.wakes_same(node.who)) old = std::exchange(node.who, cx.get_waker());
  if (!node.linked()) watching_.push_back(node);
  return false;
}

void mpsc_state::leave(mpsc_watcher& node) noexcept {
  const guard held(lock_);
  if (node.linked()) node.unlink();
}

mpsc_state::receiving mpsc_state::receive_slowly(context& cx, const void* leaf,
                                                 std::size_t limit) noexcept {
  lock_.lock();
  if (count_ == 0) [[unlikely]]
    return wait_and_unlock(cx, leaf);
  if (!cx.proceed()) [[unlikely]] {
    lock_.unlock();
    return receiving::pending;
  }
  claim_and_unlock(limit);
  return receiving::message;
}

mpsc_state::receiving mpsc_state::try_receive() noexcept {
  check_receiver();
  if (claimed_ != 0) return receiving::message;
  lock_.lock();
  if (count_ != 0) {
    claim_and_unlock(1);
    return receiving::message;
  }
  const bool ended = has_ended();
  lock_.unlock();
  return ended ? receiving::ended : receiving::pending;
}

void mpsc_state::rewind() noexcept {
  const guard held(lock_);
  if (count_ == 0 && claimed_ == 0) rewind_locked();
}

void mpsc_state::used_by_its_message() noexcept {
  fatal("a message's own move or destructor used the channel that was moving it");
}

inline void mpsc_state::claim_and_unlock(std::size_t limit) noexcept {
  const auto places = claim(limit);
  if (!queue_.empty()) return give_slowly_and_unlock(places);
  free_ += places;
  lock_.unlock();
}

mpsc_state::receiving mpsc_state::wait_and_unlock(context& cx, const void* leaf) noexcept {
  rewind_locked();
  auto answer = receiving::pending;
  waker before;  // dropped behind the lock
  if (has_ended()) {
    if (cx.proceed()) answer = receiving::ended;
  } else {
    waiting_for_ = leaf;
    if (!cx.wakes_same(receiver_)) {
      before = cx.get_waker();
      std::swap(before, receiver_);
    }
  }
  lock_.unlock();
  return answer;
}

void mpsc_state::stop_waiting(const void* leaf) noexcept {
  waker gone;
  const guard held(lock_);
  if (waiting_for_ != leaf) return;
  waiting_for_ = nullptr;
  std::swap(gone, receiver_);
}

}}}  // namespace eddy::EDDY_ABI::detail
