#include "runtime/reactor.hpp"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>

#include <eddy/base/detail/descriptor.hpp>
#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/core/detail/wake_list.hpp>

#include "runtime/loop.hpp"
#if EDDY_POOL
#include "task/task_pool.hpp"
#endif

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

// Counts the forks this process is away from the one that loaded the library. Only the single thread of
// a fresh child writes it.
std::atomic<std::uint32_t> process_generation{0};

std::uint32_t watch_for_fork() noexcept {
  static const int installed = pthread_atfork(
      nullptr, nullptr, [] { process_generation.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(installed);
  return process_generation.load(std::memory_order_relaxed);
}

[[gnu::noinline]] void wake_more(list<io_waiter>& waiters) noexcept {
  while (io_waiter* const w = waiters.pop_front()) {
    w->left();
    std::move(w->who).wake();
  }
}

// As a rule there is one.
void wake(list<io_waiter>& waiters) noexcept {
  io_waiter* const w = waiters.pop_front();
  if (w == nullptr) return;
  w->left();
  std::move(w->who).wake();
  if (!waiters.empty()) [[unlikely]]
    wake_more(waiters);
}

// Takes waiters out under their guard; false when the list of wakers is full.
bool collect(list<io_waiter>& waiters, wake_list& out) noexcept {
  while (!waiters.empty()) {
    if (out.full()) return false;
    io_waiter* const w = waiters.pop_front();
    out.add(std::move(w->who));
    w->left();
  }
  return true;
}

// Wakes all, with the guard of loop `l` where there is one.
void wake_all_of(loop& l, list<io_waiter>& waiters) noexcept {
  if (!l.is_shared()) return wake(waiters);
  for (bool all = false; !all;) {
    wake_list woken;
    const node_guard held(l);
    all = collect(waiters, woken);
  }
}

// close() is never repeated: after EINTR the descriptor is gone.
void close_descriptor(int fd) noexcept { ::close(fd); }

}  // namespace

// ---- reactor

reactor::reactor(loop& owner) noexcept : loop_(owner), generation_(watch_for_fork()) {}

bool reactor::is_forked() const noexcept {
  return process_generation.load(std::memory_order_relaxed) != generation_;
}

void reactor::shut_down() noexcept {
  while (watched_descriptor* const s = sources_.pop_front()) s->orphan();
  edges_.close();
  wake_all_of(loop_, out_of_descriptors_);
}

bool reactor::enter_descriptor(int fd) noexcept {
  const auto at = static_cast<std::size_t>(fd) / 64;
#if EDDY_EXCEPTIONS
  try {
#endif
    if (at >= registered_.size()) registered_.resize(at + 1);
#if EDDY_EXCEPTIONS
  } catch (const std::bad_alloc&) {
    return false;
  }
#endif
  registered_[at] |= std::uint64_t{1} << (fd % 64);
  return true;
}

bool reactor::has_descriptor(int fd) const noexcept {
  const auto at = static_cast<std::size_t>(fd) / 64;
  return at < registered_.size() && (registered_[at] >> (fd % 64) & 1U) != 0;
}

void reactor::forget_descriptor(int fd) noexcept {
  registered_[static_cast<std::size_t>(fd) / 64] &= ~(std::uint64_t{1} << (fd % 64));
}

void reactor::descriptor_closed() noexcept { wake_all_of(loop_, out_of_descriptors_); }

// ---- watched_descriptor: life

loop& watched_descriptor::home_loop() const noexcept { return loop::from(*home); }
reactor& watched_descriptor::owner() const noexcept { return home_loop().io(); }

watched_descriptor::watched_descriptor(loop& where, int descriptor) noexcept
    : readiness{&where, descriptor} {
  where.retain();
  poll_.data = this;
  if (where.is_shared()) word.fetch_or(shared_bit, std::memory_order_relaxed);
}

// 0 or a libuv error.
int watched_descriptor::start_watching(descriptor_kind what) noexcept {
  by_edges_ = what == descriptor_kind::tcp_stream && is_shared() &&
              owner().edges_.open(home_loop().native());
  if (by_edges_) return owner().edges_.add(fd, *this);
  return uv_poll_init(home_loop().native(), &poll_, fd);
}

result<registration> watched_descriptor::adopt(int raw, const char* operation,
                                               descriptor_kind what) noexcept {
  descriptor taken(raw);
  if (raw < 0) return error::system(EBADF, operation);
  if (this_thread().driving == nullptr)
    return error(errc::misuse, "a socket was made outside a runtime: await this in a task");
  loop& l = loop::from(*this_thread().driving);
  reactor& r = l.io();
  if (r.has_descriptor(raw)) {
    taken.release();  // the registration that is there will close it
    return error::system(EEXIST, operation);
  }
  void* const block = frame_allocate(sizeof(watched_descriptor));
  if (block == nullptr || !r.enter_descriptor(raw)) {
    if (block != nullptr) frame_release(block, sizeof(watched_descriptor));
    return error::system(ENOMEM, operation);
  }
  auto* const s = ::new (block) watched_descriptor(l, raw);
  if (const int rc = s->start_watching(what); rc == 0) {
    ++r.live_;
    r.sources_.push_back(*s);
  } else {
    r.forget_descriptor(raw);
    if (rc != UV_EPERM) {
      s->~watched_descriptor();
      frame_release(block, sizeof(watched_descriptor));
      l.scheduler::release();
      return error::system(rc, operation);
    }
    s->always_ready_ = true;
    s->word.fetch_or(both, std::memory_order_relaxed);
    s->refs_.store(1, std::memory_order_relaxed);  // there is no registration
  }
  taken.release();
  return registration(s);
}

void watched_descriptor::drop() noexcept {
  if (owner().is_forked()) {
    // The block stays: libuv's lists in this copy of the process go through it.
    close_descriptor(fd);
    return;
  }
  if (is_owner_here()) return drop_here();
  if (always_ready_) return release();
  // Refused: the loop has ended, and closes or has closed the registration itself.
  if (!ask(closing)) release();
}

// False: the loop has ended.
bool watched_descriptor::ask(std::uint8_t what) noexcept {
  {
    const node_guard held(home_loop());
    if (std::exchange(asked_, static_cast<std::uint8_t>(asked_ | what)) != 0) return true;
  }
  refs_.fetch_add(1, std::memory_order_relaxed);  // until it is answered
  run = [](remote_op& op, scheduler&, bool) noexcept {
    static_cast<watched_descriptor&>(op).answer();
  };
  if (home->post(*this)) return true;
  release();
  return false;
}

void watched_descriptor::answer() noexcept {
  std::uint8_t asked = 0;
  {
    const node_guard held(home_loop());
    asked = std::exchange(asked_, std::uint8_t{0});
  }
  if ((asked & arming) != 0) arm_for_waiters();
  if ((asked & closing) != 0) drop_here();
  release();
}

void watched_descriptor::drop_here() noexcept {
  const bool closes = !always_ready_ && !closing_;
  if (closes) {
    list<watched_descriptor>::erase(*this);
    begin_close();
  }
  wake_all();
  if (closes && by_edges_) release();
  release();
}

void watched_descriptor::begin_close() noexcept {
  {
    const node_guard held(home_loop());
    closing_ = true;
  }
  if (by_edges_) {
    owner().edges_.remove(fd, *this);
    owner().forget_descriptor(fd);
    --owner().live_;
    return;  // the registration's part goes when all are woken
  }
  ++owner().closing_;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), &on_closed);
}

void watched_descriptor::on_closed(uv_handle_t* h) {
  auto& s = *static_cast<watched_descriptor*>(h->data);
  loop& l = s.home_loop();
  reactor& r = s.owner();
  --r.live_;
  --r.closing_;
  r.forget_descriptor(s.fd);
  {
    const owner_scope here(l);  // it may be a turn of the host's
    s.release();
  }
  l.finish_detach();  // the loop's handles, which are still open or just closed, keep it
}

void watched_descriptor::orphan() noexcept {
  if (!owner().is_forked())
    begin_close();
  else
    --owner().live_;
  dead_.store(true, std::memory_order_release);
  wake_all();
  if (by_edges_ && !owner().is_forked()) release();
}

void watched_descriptor::release() noexcept {
  // Release hands what this side has done to the last one's acquire.
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) finish();
}

void watched_descriptor::finish() noexcept {
  loop* const l = &home_loop();
  close_descriptor(fd);
  if (is_owner_here()) l->io().descriptor_closed();
  this->~watched_descriptor();
  frame_release(this, sizeof(watched_descriptor));
  l->scheduler::release();
}

void watched_descriptor::wake_all() noexcept {
  wake_all_of(home_loop(), readers_);
  wake_all_of(home_loop(), writers_);
}

// ---- watched_descriptor: readiness

// What it could not arm is ready: the caller makes it an unusual event.
int watched_descriptor::arm(std::uint8_t kinds) noexcept {
  armed_ = kinds;
  ++owner().changes_;
  return kinds != 0 ? uv_poll_start(&poll_, kinds, &on_event) : uv_poll_stop(&poll_);
}

inline void watched_descriptor::event(std::uint8_t now) noexcept {
  const auto before = word.load(std::memory_order_relaxed);
  word.store((before + (1U << 16)) | now, std::memory_order_relaxed);
  // I3. What was ready before has no waiter (I4).
  int rc = 0;
  if (const unsigned unwanted = armed_ & now & before; unwanted != 0) [[unlikely]]
    rc = arm(static_cast<std::uint8_t>(armed_ & ~unwanted));
  if ((now & UV_READABLE) != 0) wake(readers_);
  if ((now & UV_WRITABLE) != 0) wake(writers_);
  if (rc != 0) [[unlikely]]
    unusual_event(rc, 0);
}

void watched_descriptor::shared_event(std::uint32_t now) noexcept {
  constexpr std::uint8_t most_repeats = 4;
  int rc = 0;
  for (bool all = false, first = true; !all; first = false) {
    wake_list woken;
    const node_guard held(home_loop());
    if (first) {
      auto before = word.load(std::memory_order_relaxed);
      while (!word.compare_exchange_weak(before, (before + (1U << 16)) | now,
                                         std::memory_order_acq_rel)) {
      }
      const unsigned unwanted = armed_ & now & before;
      repeats_ = unwanted == 0 ? 0 : static_cast<std::uint8_t>(repeats_ + 1);
      if (repeats_ > most_repeats) {
        repeats_ = 0;
        rc = arm(static_cast<std::uint8_t>(armed_ & ~unwanted));
      }
    }
    all = ((now & UV_READABLE) == 0 || collect(readers_, woken)) &&
          ((now & UV_WRITABLE) == 0 || collect(writers_, woken));
  }
  if (rc != 0) unusual_event(rc, 0);
}

void watched_descriptor::on_event(uv_poll_t* h, int status, int events) {
  auto& s = *static_cast<watched_descriptor*>(h->data);
  if (status != 0 || !s.is_owner_here()) [[unlikely]]
    return s.unusual_event(status, events);
  const auto now = static_cast<std::uint8_t>(events & both);
  s.is_shared() ? s.shared_event(now) : s.event(now);
}

[[gnu::noinline]] void watched_descriptor::unusual_event(int status, int events) noexcept {
  const owner_scope here(*home);  // it may be a turn of the host's
  if (status < 0) {
    // Some error of the socket's, and libuv has stopped watching. Which one, the next call on it says.
    const node_guard held(home_loop());
    armed_ = 0;
    events = both;
  }
  const auto now = static_cast<std::uint8_t>(events & both);
  is_shared() ? shared_event(now) : event(now);
}

bool watched_descriptor::is_reached_from(const context& cx) const noexcept {
  const scheduler* const here = context_access::runtime(cx);
  if (here == home) return true;
#if EDDY_POOL
  if (here != nullptr && here->worker() != nullptr && home->worker() != nullptr)
    return &here->worker()->pool() == &home->worker()->pool();
#endif
  return false;
}

// The kind is not ready, or this is not the source's home.
wait_result watched_descriptor::wait(direction kind, io_waiter& w, context& cx) noexcept {
  if (!is_reached_from(cx)) return wait_elsewhere();
  if (always_ready_) return wait_result::ready;
  if (is_shared()) return is_ready(kind) ? wait_result::ready : wait_shared(kind, w, cx);
  if (closing_) return wait_result::ended;
  cx.store_waker(w.who);
  if (w.linked()) return wait_result::waiting;
  w.enter(*this);
  waiters(kind).push_back(w);
  if ((armed_ & bit(kind)) != 0) [[likely]]
    return wait_result::waiting;
  // I3. If it cannot be armed, all is ready, and nobody waits any more.
  const auto ready = word.load(std::memory_order_relaxed);
  if (const int rc = arm(static_cast<std::uint8_t>((armed_ & ~ready) | bit(kind))); rc != 0)
    unusual_event(rc, 0);
  return is_ready(kind) ? wait_result::ready : wait_result::waiting;
}

wait_result watched_descriptor::wait_shared(direction kind, io_waiter& w, context& cx) noexcept {
  waker before;  // goes behind the guard
  int rc = 0;
  {
    const node_guard held(home_loop());
    if (is_ready(kind)) return wait_result::ready;
    if (closing_) return wait_result::ended;
    if (!cx.wakes_same(w.who)) before = std::exchange(w.who, cx.get_waker());
    if (w.linked()) return wait_result::waiting;
    w.enter(*this);
    waiters(kind).push_back(w);
    if (by_edges_) return wait_result::waiting;
    repeats_ = 0;
    if ((armed_ & bit(kind)) != 0) return wait_result::waiting;
    if (is_owner_here()) {
      const auto ready = word.load(std::memory_order_relaxed);
      rc = arm(static_cast<std::uint8_t>((armed_ & ~ready) | bit(kind)));
    }
  }
  if (!is_owner_here()) {
    // Refused: the loop has ended, and so have all that could wait.
    static_cast<void>(ask(arming));
    return wait_result::waiting;
  }
  if (rc == 0) return wait_result::waiting;
  unusual_event(rc, 0);
  return wait_result::ready;
}

// The loop's thread, asked by a waiter on another worker.
void watched_descriptor::arm_for_waiters() noexcept {
  int rc = 0;
  {
    const node_guard held(home_loop());
    const auto wanted = static_cast<std::uint8_t>((readers_.empty() ? 0 : UV_READABLE) |
                                                  (writers_.empty() ? 0 : UV_WRITABLE));
    if (!closing_ && (wanted & ~armed_) != 0) rc = arm(static_cast<std::uint8_t>(armed_ | wanted));
  }
  if (rc != 0) unusual_event(rc, 0);
}

wait_result watched_descriptor::wait_elsewhere() const noexcept {
  if (always_ready_) return wait_result::ready;
  return dead_.load(std::memory_order_acquire) ? wait_result::ended : wait_result::elsewhere;
}

void watched_descriptor::wait_for_descriptor(io_waiter& w, context& cx) noexcept {
  waker before;
  const node_guard held(home_loop());
  if (!cx.wakes_same(w.who)) before = std::exchange(w.who, cx.get_waker());
  if (w.linked()) return;
  w.enter(*this);
  owner().out_of_descriptors_.push_back(w);
}

bool watched_descriptor::stay(io_waiter& w, context& cx) noexcept {
  waker before;
  const node_guard held(home_loop());
  if (!w.linked()) return false;
  if (!cx.wakes_same(w.who)) before = std::exchange(w.who, cx.get_waker());
  return true;
}

void watched_descriptor::leave(io_waiter& w) noexcept {
  const node_guard held(home_loop());
  if (w.linked()) w.unlink();
  w.left();
}

// ---- registration

result<registration> registration::adopt(int fd, const char* operation,
                                         descriptor_kind what) noexcept {
  return watched_descriptor::adopt(fd, operation, what);
}
namespace {
watched_descriptor& source_of(readiness& s) noexcept { return static_cast<watched_descriptor&>(s); }
}  // namespace

wait_result readiness::wait(direction kind, io_waiter& w, context& cx) noexcept {
  if (fd < 0) [[unlikely]]
    return wait_result::ended;
  return source_of(*this).wait(kind, w, cx);
}
void readiness::clear_tried(direction kind, std::uint16_t before) noexcept {
  if (fd >= 0) source_of(*this).clear_tried(kind, before);
}
// Without a tick from before the call only the loop's own thread can tell that no event has come since.
void readiness::clear_now(direction kind) noexcept {
  if (this_thread().driving == home) clear_tried(kind, tick());
}
bool readiness::is_always_ready() const noexcept {
  return fd >= 0 && static_cast<const watched_descriptor*>(this)->is_always_ready();
}
void readiness::wait_for_descriptor(io_waiter& w, context& cx) noexcept {
  source_of(*this).wait_for_descriptor(w, cx);
}
bool io_waiter::stay(context& cx) noexcept {
  return is_waiting() && source_of(io()).stay(*this, cx);
}
void io_waiter::leave() noexcept { source_of(io()).leave(*this); }
registration::~registration() {
  if (valid()) source_of(*state_).drop();
}

error awaited_elsewhere() noexcept {
  return error(errc::misuse, "a socket is awaited on the runtime it was made on");
}
error awaited_after_the_end(const char* operation) noexcept {
  return error(errc::closed, operation, "on a runtime that has ended");
}

}}}  // namespace eddy::EDDY_ABI::detail
