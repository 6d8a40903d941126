#include <eddy/io/detail/byte_pipe.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <eddy/base/error.hpp>
#include <eddy/core/detail/wake_list.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

byte_pipe::byte_pipe(std::size_t room)
    : bytes_(std::make_unique_for_overwrite<char[]>(room)), room_(room) {}

bool byte_pipe::poll_ready(pipe_side side, waiter& w, context& cx) noexcept {
  waker old;  // the last one goes behind the lock
  const locked held(lock_);
  if (is_ready(side)) return true;
  w.used = true;
  if (!w.linked()) waiting(side).push_back(w);
  if (!cx.wakes_same(w.who)) {
    old = std::move(w.who);
    w.who = cx.get_waker();
  }
  return false;
}

void byte_pipe::leave(waiter& w) noexcept {
  const locked held(lock_);
  if (w.linked()) w.unlink();
}

// Unlocks.
void byte_pipe::wake(pipe_side side, locked<sync_lock>& held) noexcept {
  wake_list woken;
  auto& all = waiting(side);
  while (waiter* const w = all.pop_front()) {
    woken.add(std::move(w->who));
    if (!woken.full()) continue;
    held.unlock();
    woken.wake_all();
    held.relock(lock_);
  }
  held.unlock();
}

std::size_t byte_pipe::take(io::buffer to, bool& ended) noexcept {
  locked held(lock_);
  const auto n = std::min(to.size(), size_);
  ended = size_ == 0 && write_closed_;
  if (n == 0) return 0;
  const auto straight = std::min(n, room_ - first_);
  auto* const out = static_cast<char*>(to.data());
  std::memcpy(out, bytes_.get() + first_, straight);
  std::memcpy(out + straight, bytes_.get(), n - straight);
  first_ = (first_ + n) % room_;
  size_ -= n;
  wake(pipe_side::write, held);
  return n;
}

std::size_t byte_pipe::put(io::const_buffer from, bool& broken) noexcept {
  locked held(lock_);
  broken = write_closed_ || read_closed_;
  const auto n = broken ? 0 : std::min(from.size(), room_ - size_);
  if (n == 0) return 0;
  const auto last = (first_ + size_) % room_;
  const auto straight = std::min(n, room_ - last);
  const auto* const in = static_cast<const char*>(from.data());
  std::memcpy(bytes_.get() + last, in, straight);
  std::memcpy(bytes_.get(), in + straight, n - straight);
  size_ += n;
  wake(pipe_side::read, held);
  return n;
}

void byte_pipe::close(pipe_side side) noexcept {
  locked held(lock_);
  (side == pipe_side::write ? write_closed_ : read_closed_) = true;
  // An end of writing is read; either end fails who still wants to write.
  wake(pipe_side::read, held);
  held.relock(lock_);
  wake(pipe_side::write, held);
}

result<std::size_t> try_read(byte_pipe& p, io::buffer to) noexcept {
  bool ended = false;
  const auto n = p.take(to, ended);
  if (n == 0 && !ended && !to.empty()) return error::system(EAGAIN, "read");
  return n;
}

result<std::size_t> try_write(byte_pipe& p, io::const_buffer from) noexcept {
  bool broken = false;
  const auto n = p.put(from, broken);
  if (broken) return error::system(EPIPE, "write");
  if (n == 0 && !from.empty()) return error::system(EAGAIN, "write");
  return n;
}

// Somebody else may take what was there between the look and the taking: then we wait again.
polled<result<std::size_t>> pipe_read_leaf::poll(context& cx) noexcept {
  if (to_.empty()) return result<std::size_t>(0);
  while (poll_ready(cx)) {
    bool ended = false;
    const auto n = pipe_->take(to_, ended);
    if (n != 0 || ended) return result<std::size_t>(n);
  }
  return pending;
}

polled<result<std::size_t>> pipe_write_leaf::poll(context& cx) noexcept {
  if (from_.empty()) return try_write(*pipe_, from_);
  while (poll_ready(cx)) {
    bool broken = false;
    const auto n = pipe_->put(from_, broken);
    if (broken) return result<std::size_t>(error::system(EPIPE, "write"));
    if (n != 0) return result<std::size_t>(n);
  }
  return pending;
}

polled<result<void>> pipe_write_all_leaf::poll(context& cx) noexcept {
  bool broken = false;
  while (!rest_.empty()) {
    if (!poll_ready(cx)) return pending;
    const auto n = pipe_->put(rest_, broken);
    if (broken) return result<void>(error::system(EPIPE, "write_all"));
    rest_ = io::const_buffer(static_cast<const char*>(rest_.data()) + n, rest_.size() - n);
  }
  return result<void>();
}

}}}  // namespace eddy::EDDY_ABI::detail
