#include "runtime/reactor.hpp"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>

#include <eddy/base/frame_pool.hpp>

#include "runtime/loop.hpp"

namespace eddy::inline EDDY_ABI::detail {

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
  while (io_waiter* const w = waiters.pop_front()) std::move(w->who).wake();
}

// As a rule there is one.
void wake(list<io_waiter>& waiters) noexcept {
  io_waiter* const w = waiters.pop_front();
  if (w == nullptr) return;
  std::move(w->who).wake();
  if (!waiters.empty()) [[unlikely]]
    wake_more(waiters);
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
  while (io_source* const s = sources_.pop_front()) s->orphan();
  wake(out_of_descriptors_);
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

void reactor::descriptor_closed() noexcept { wake(out_of_descriptors_); }

// ---- io_source: life

loop& io_source::home_loop() const noexcept { return loop::from(*home); }
reactor& io_source::owner() const noexcept { return home_loop().io(); }

io_source::io_source(loop& where, int descriptor) noexcept : io_state{&where, descriptor} {
  where.retain();
  poll_.data = this;
}

result<io_handle> io_source::adopt(int descriptor, const char* operation) noexcept {
  struct close_on_failure {
    int descriptor;
    ~close_on_failure() {
      if (descriptor >= 0) close_descriptor(descriptor);
    }
  } guard{descriptor};
  if (descriptor < 0) return error::system(EBADF, operation);
  if (this_thread().driving == nullptr)
    return error(errc::misuse, "a socket was made outside a runtime: await this in a task");
  loop& l = loop::from(*this_thread().driving);
  reactor& r = l.io();
  if (r.has_descriptor(descriptor)) {
    guard.descriptor = -1;  // the registration that is there will close it
    return error::system(EEXIST, operation);
  }
  void* const block = frame_allocate(sizeof(io_source));
  if (block == nullptr || !r.enter_descriptor(descriptor)) {
    if (block != nullptr) frame_release(block, sizeof(io_source));
    return error::system(ENOMEM, operation);
  }
  auto* const s = ::new (block) io_source(l, descriptor);
  if (const int rc = uv_poll_init(l.native(), &s->poll_, descriptor); rc == 0) {
    ++r.live_;
    r.sources_.push_back(*s);
  } else {
    r.forget_descriptor(descriptor);
    if (rc != UV_EPERM) {
      s->~io_source();
      frame_release(block, sizeof(io_source));
      l.scheduler::release();
      return error::system(rc, operation);
    }
    s->always_ready_ = true;
    s->ready = both;
    s->refs_.store(1, std::memory_order_relaxed);  // there is no registration
  }
  guard.descriptor = -1;
  return io_handle(s);
}

void io_source::drop() noexcept {
  if (owner().is_forked()) {
    // The block stays: libuv's lists in this copy of the process go through it.
    close_descriptor(fd);
    return;
  }
  if (is_owner_here()) return drop_here();
  if (always_ready_) return release();
  close_.source = this;
  close_.run = [](remote_op& op, scheduler&, bool) noexcept {
    static_cast<close_request&>(op).source->drop_here();
  };
  // Refused: the loop has ended, and closes or has closed the registration itself.
  if (!home->post(close_)) release();
}

void io_source::drop_here() noexcept {
  if (!always_ready_ && !closing_) {
    list<io_source>::erase(*this);
    begin_close();
  }
  wake_all();
  release();
}

void io_source::begin_close() noexcept {
  closing_ = true;
  ++owner().closing_;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), &on_closed);
}

void io_source::on_closed(uv_handle_t* h) {
  auto& s = *static_cast<io_source*>(h->data);
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

void io_source::orphan() noexcept {
  if (!owner().is_forked())
    begin_close();
  else
    --owner().live_;
  dead_.store(true, std::memory_order_release);
  wake_all();
}

void io_source::release() noexcept {
  // Release hands what this side has done to the last one's acquire.
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) finish();
}

void io_source::finish() noexcept {
  loop* const l = &home_loop();
  close_descriptor(fd);
  if (is_owner_here()) l->io().descriptor_closed();
  this->~io_source();
  frame_release(this, sizeof(io_source));
  l->scheduler::release();
}

void io_source::wake_all() noexcept {
  wake(readers_);
  wake(writers_);
}

// ---- io_source: readiness

void io_source::arm(std::uint8_t kinds) noexcept {
  armed_ = kinds;
  ++owner().changes_;
  const int rc = kinds != 0 ? uv_poll_start(&poll_, kinds, &on_event) : uv_poll_stop(&poll_);
  if (rc != 0) unusual_event(rc, 0);
}

inline void io_source::event(std::uint8_t now) noexcept {
  ++tick;
  const auto before = ready;
  ready = static_cast<std::uint8_t>(before | now);
  // I3. What was ready before has no waiter (I4).
  if (const unsigned unwanted = armed_ & now & before; unwanted != 0) [[unlikely]]
    arm(static_cast<std::uint8_t>(armed_ & ~unwanted));
  if ((now & UV_READABLE) != 0) wake(readers_);
  if ((now & UV_WRITABLE) != 0) wake(writers_);
}

void io_source::on_event(uv_poll_t* h, int status, int events) {
  auto& s = *static_cast<io_source*>(h->data);
  if (status == 0 && s.is_owner_here()) [[likely]]
    s.event(static_cast<std::uint8_t>(events & both));
  else
    s.unusual_event(status, events);
}

[[gnu::noinline]] void io_source::unusual_event(int status, int events) noexcept {
  const owner_scope here(*home);  // it may be a turn of the host's
  if (status < 0) {
    // Some error of the socket's, and libuv has stopped watching. Which one, the next call on it says.
    armed_ = 0;
    events = both;
  }
  event(static_cast<std::uint8_t>(events & both));
}

// The kind is not ready, or this is not the source's home.
io_poll io_source::wait(interest kind, io_waiter& w, context& cx) noexcept {
  if (context_access::runtime(cx) != home) return wait_elsewhere();
  if (always_ready_) return io_poll::ready;
  if (closing_) return io_poll::ended;
  cx.store_waker(w.who);
  if (w.linked()) return io_poll::waiting;
  waiters(kind).push_back(w);
  if ((armed_ & bit(kind)) != 0) [[likely]]
    return io_poll::waiting;
  arm(static_cast<std::uint8_t>((armed_ & ~ready) | bit(kind)));  // I3
  // It could not be armed: all is ready, and nobody waits any more.
  return is_ready(kind) ? io_poll::ready : io_poll::waiting;
}

io_poll io_source::wait_elsewhere() const noexcept {
  if (always_ready_) return io_poll::ready;
  return dead_.load(std::memory_order_acquire) ? io_poll::ended : io_poll::elsewhere;
}

void io_source::clear_now(interest kind) noexcept {
  if (is_owner_here() && !always_ready_) forget(kind);
}

void io_source::wait_for_descriptor(io_waiter& w, context& cx) noexcept {
  cx.store_waker(w.who);
  if (!w.linked()) owner().out_of_descriptors_.push_back(w);
}

// ---- io_handle

result<io_handle> io_handle::adopt(int fd, const char* operation) noexcept {
  return io_source::adopt(fd, operation);
}
namespace {
io_source& source_of(io_state& s) noexcept { return static_cast<io_source&>(s); }
}  // namespace

io_poll io_state::wait(interest kind, io_waiter& w, context& cx) noexcept {
  if (fd < 0) [[unlikely]]
    return io_poll::ended;
  return source_of(*this).wait(kind, w, cx);
}
void io_state::clear_now(interest kind) noexcept {
  if (fd >= 0) source_of(*this).clear_now(kind);
}
bool io_state::is_always_ready() const noexcept {
  return fd >= 0 && static_cast<const io_source*>(this)->is_always_ready();
}
void io_state::wait_for_descriptor(io_waiter& w, context& cx) noexcept {
  source_of(*this).wait_for_descriptor(w, cx);
}
io_handle::~io_handle() {
  if (valid()) source_of(*state_).drop();
}

error awaited_elsewhere() noexcept {
  return error(errc::misuse, "a socket is awaited on the runtime it was made on");
}
error awaited_after_the_end(const char* operation) noexcept {
  return error(errc::closed, operation, "on a runtime that has ended");
}

}  // namespace eddy::inline EDDY_ABI::detail
