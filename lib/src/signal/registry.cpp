#include "signal/registry.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>

#include <eddy/core/detail/wake_list.hpp>
#include <eddy/signal/signal.hpp>

#include "base/make_pipe.hpp"
#include "task/scheduler.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

// What the handler reads (I1). Never destroyed: a signal may come after the destructors of statics.
struct heard {
  std::atomic<std::uint32_t> count{0};       // partner: signal_listening::has_news
  std::atomic<std::uint32_t> listeners{0};   // partner: listen, end
  std::atomic<bool> guarded{false};          // partner: guard, end_guard
  std::atomic<std::uintptr_t> next{0};       // the handler before ours (I5); partner: add_user
  std::atomic<bool> next_wants_info{false};  // the same
};
constinit heard heard_of[signal_numbers];
constinit std::atomic<int> writing_end{-1};                 // partner: open_pipe
constinit std::atomic<void (*)() noexcept> before_death{};  // partner: set_before_death
constinit std::atomic<bool> shutdown_is_awaited{false};     // partner: begin_wait_for_shutdown
constinit std::atomic<int> requested_shutdown{0};           // partner: shutdown_request

static_assert(std::atomic<std::uint32_t>::is_always_lock_free &&
              std::atomic<std::uintptr_t>::is_always_lock_free);

constexpr bool asks_to_end(int number) noexcept { return number == SIGINT || number == SIGTERM; }

// The default action happens once the handler has returned: until then the signal is blocked here.
void die_by(int number) noexcept {
  if (auto* const f = before_death.load(std::memory_order_acquire)) f();
  struct sigaction fatal = {};
  fatal.sa_handler = SIG_DFL;
  ::sigaction(number, &fatal, nullptr);
  ::raise(number);
}

// Whether this signal ends the program.
bool is_deadly(int number, const heard& h) noexcept {
  if (asks_to_end(number)) {
    if (requested_shutdown.load(std::memory_order_acquire) != 0) return true;
    int none = 0;
    if (shutdown_is_awaited.load(std::memory_order_acquire))
      return !requested_shutdown.compare_exchange_strong(none, number, std::memory_order_acq_rel);
  }
  return h.guarded.load(std::memory_order_acquire) &&
         h.listeners.load(std::memory_order_acquire) == 0;
}

void call_next(const heard& h, int number, siginfo_t* info, void* machine) noexcept {
  const auto next = h.next.load(std::memory_order_acquire);
  if (next == 0) return;
  if (h.next_wants_info.load(std::memory_order_acquire))
    reinterpret_cast<void (*)(int, siginfo_t*, void*)>(next)(number, info, machine);
  else
    reinterpret_cast<void (*)(int)>(next)(number);
}

void on_signal(int number, siginfo_t* info, void* machine) {
  const int kept = errno;
  heard& h = heard_of[number];
  if (is_deadly(number, h)) {
    die_by(number);
  } else {
    h.count.fetch_add(1, std::memory_order_release);
    // A full pipe is as good: nobody has read what is in it.
    const char byte = 0;
    static_cast<void>(!::write(writing_end.load(std::memory_order_acquire), &byte, 1));
    call_next(h, number, info, machine);
  }
  errno = kept;
}

bool is_ours(const struct sigaction& a) noexcept {
  return (a.sa_flags & SA_SIGINFO) != 0 && a.sa_sigaction == &on_signal;
}
bool is_function(const struct sigaction& a) noexcept {
  return (a.sa_flags & SA_SIGINFO) != 0 || (a.sa_handler != SIG_DFL && a.sa_handler != SIG_IGN);
}
bool is_default(const struct sigaction& a) noexcept {
  return (a.sa_flags & SA_SIGINFO) == 0 && a.sa_handler == SIG_DFL;
}

// I5. These ask the program to end, and a handler for one as a rule ends it.
bool is_taken_over(int number) noexcept {
  return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

bool can_be_listened_to(int number) noexcept {
  switch (number) {
    case SIGKILL:
    case SIGSTOP:
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
      return false;
    default:
      return number > 0 && number < signal_numbers;
  }
}

}  // namespace

// ---- one listener

bool signal_listening::has_news() const noexcept {
  return heard_of[number_].count.load(std::memory_order_acquire) !=
         seen_.load(std::memory_order_relaxed);
}

polled<result<void>> signal_listening::poll(context& cx) noexcept {
  signal_registry& all = signal_registry::get();
  bool stored = false;
  for (;;) {
    if (has_news()) {
      if (!cx.proceed()) return pending;
      stop_waiting();
      seen_.store(heard_of[number_].count.load(std::memory_order_acquire),
                  std::memory_order_relaxed);
      return result<void>();
    }
    if (!std::exchange(stored, true)) {
      waits_ = true;
      all.store_waker(*this, cx);
      continue;
    }
    switch (io_.state().poll_ready(direction::read, waiter_, cx)) {
      case wait_result::waiting:
        return pending;
      case wait_result::elsewhere:
        return result<void>(awaited_elsewhere());
      case wait_result::ended:
        return result<void>(awaited_after_the_end("signal"));
      case wait_result::ready:
        break;
    }
    const auto tick = io_.state().tick();
    if (all.empty_pipe())
      all.wake_changed();
    else
      io_.state().clear(direction::read, tick);
  }
}

void signal_listening::stop_waiting() noexcept {
  if (!std::exchange(waits_, false)) return;
  if (waiter_.is_waiting()) waiter_.leave();
  waiter_.who.reset();
  signal_registry::get().forget_waker(*this);
}

// ---- the registry

signal_registry& signal_registry::get() noexcept {
  static signal_registry& it = *new signal_registry;  // never destroyed: see `heard`
  return it;
}

signal_registry::signal_registry() noexcept {
  ::pthread_atfork([] { get().mutex_.lock(); }, [] { get().mutex_.unlock(); },
                   [] {
                     get().begin_anew();
                     get().mutex_.unlock();
                   });
}

int signal_registry::open() noexcept {
  const std::lock_guard lock(mutex_);
  return open_pipe();
}

int signal_registry::open_pipe() noexcept {
  if (reading_end_ >= 0) return 0;
  int ends[2];
  if (!make_pipe(ends, pipe_kind::non_blocking)) return errno;
  reading_end_ = ends[0];
  writing_end.store(ends[1], std::memory_order_release);
  return 0;
}

int signal_registry::add_user(int number) noexcept {
  auto& s = slots_[static_cast<std::size_t>(number)];
  if (s.users == 0) {
    struct sigaction before;
    if (::sigaction(number, nullptr, &before) != 0) return errno;
    if (is_ours(before)) {
      s.buried = false;
    } else {
      s.before = before;
      heard& h = heard_of[number];
      s.buried = s.buried && is_function(before);
      if (!s.buried) {  // I5
        h.next_wants_info.store((before.sa_flags & SA_SIGINFO) != 0, std::memory_order_release);
        h.next.store(is_function(before) && !is_taken_over(number)
                         ? reinterpret_cast<std::uintptr_t>(before.sa_handler)
                         : 0,
                     std::memory_order_release);
      }
      struct sigaction ours = {};
      ours.sa_sigaction = &on_signal;
      ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
      ::sigfillset(&ours.sa_mask);
      if (::sigaction(number, &ours, nullptr) != 0) return errno;
    }
  }
  ++s.users;
  return 0;
}

void signal_registry::remove_user(int number) noexcept {
  auto& s = slots_[static_cast<std::size_t>(number)];
  if (--s.users != 0) return;
  struct sigaction now;
  if (::sigaction(number, nullptr, &now) != 0) return;
  if (is_ours(now) || is_default(now))
    ::sigaction(number, &s.before, nullptr);
  else
    s.buried = true;
}

result<signal_listening*> signal_registry::listen(int number) noexcept {
  const auto failed = [number](int code) {
    return error::system(code, "signal", signal::kind(number).name());
  };
  if (!can_be_listened_to(number)) return failed(EINVAL);
  if (this_thread().driving == nullptr)
    return error(errc::misuse, "a signal was listened to outside a runtime: do it in a task");
  int end = -1;
  {
    const std::lock_guard lock(mutex_);
    if (const int code = open_pipe(); code != 0) return failed(code);
    end = ::fcntl(reading_end_, F_DUPFD_CLOEXEC, 0);
  }
  if (end < 0) return failed(errno);
  auto io = registration::adopt(end, "signal");
  if (!io) return std::move(io).error();
  auto* const made = new (std::nothrow) signal_listening(number, std::move(*io));
  if (made == nullptr) return failed(ENOMEM);
  const std::lock_guard lock(mutex_);
  if (const int code = add_user(number); code != 0) {
    delete made;
    return failed(code);
  }
  heard& h = heard_of[number];
  h.listeners.fetch_add(1, std::memory_order_release);
  made->seen_.store(h.count.load(std::memory_order_acquire), std::memory_order_relaxed);
  slots_[static_cast<std::size_t>(number)].listeners.push_back(*made);
  return made;
}

void signal_registry::end(signal_listening& l) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (l.linked()) {  // not in a fresh child
      list<signal_listening>::erase(l);
      heard_of[l.number_].listeners.fetch_sub(1, std::memory_order_release);
      remove_user(l.number_);
    }
  }
  delete &l;
}

void signal_registry::store_waker(signal_listening& l, context& cx) noexcept {
  waker
      before;  // goes after the lock: it may be the last reference to a task with a listener in it
  const std::lock_guard lock(mutex_);
  if (cx.wakes_same(l.who_)) return;
  before = std::exchange(l.who_, cx.get_waker());
}

void signal_registry::forget_waker(signal_listening& l) noexcept {
  waker before;
  const std::lock_guard lock(mutex_);
  before = std::exchange(l.who_, waker());
}

bool signal_registry::empty_pipe() noexcept {
  char bytes[256];
  bool any = false;
  for (;;) {
    const ::ssize_t n = ::read(reading_end_, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return any;
    any = true;
    if (static_cast<std::size_t>(n) < sizeof bytes) return true;
  }
}

void signal_registry::wake_changed() noexcept {
  wake_list woken;
  std::unique_lock lock(mutex_);
  for (auto& s : slots_) {
    auto* l = s.listeners.front();
    while (l != nullptr) {
      if (woken.full()) {
        lock.unlock();
        woken.wake_all();
        lock.lock();
        l = s.listeners.front();  // those that were woken have no waker any more
        continue;
      }
      if (l->who_ && l->has_news()) woken.add(std::exchange(l->who_, waker()));
      l = s.listeners.after(*l);
    }
  }
}

// ---- guards and shutdown

bool signal_registry::guard(int number) noexcept {
  const std::lock_guard lock(mutex_);
  if (add_user(number) != 0) return false;
  if (!is_default(slots_[static_cast<std::size_t>(number)].before)) {
    remove_user(number);
    return false;
  }
  heard_of[number].guarded.store(true, std::memory_order_release);
  return true;
}

void signal_registry::end_guard(int number) noexcept {
  const std::lock_guard lock(mutex_);
  if (!heard_of[number].guarded.exchange(false, std::memory_order_acq_rel)) return;
  remove_user(number);
}

void signal_registry::set_before_death(void (*f)() noexcept) noexcept {
  before_death.store(f, std::memory_order_release);
}

void signal_registry::begin_wait_for_shutdown() noexcept {
  const std::lock_guard lock(mutex_);
  if (++shutdown_waits_ == 1) shutdown_is_awaited.store(true, std::memory_order_release);
}

void signal_registry::end_wait_for_shutdown() noexcept {
  const std::lock_guard lock(mutex_);
  if (shutdown_waits_ == 0) return;  // a fresh child's
  if (--shutdown_waits_ == 0) shutdown_is_awaited.store(false, std::memory_order_release);
  if (shutdown_request() == 0 || std::exchange(shutdown_kept_, true)) return;
  for (const int number : {SIGINT, SIGTERM}) static_cast<void>(add_user(number));
}

int signal_registry::shutdown_request() noexcept {
  return requested_shutdown.load(std::memory_order_acquire);
}

void signal_registry::begin_anew() noexcept {
  for (int number = 1; number < signal_numbers; ++number) {
    auto& s = slots_[static_cast<std::size_t>(number)];
    while (s.listeners.pop_front() != nullptr) {
    }
    if (s.users != 0) {
      s.users = 1;
      remove_user(number);
    }
    heard_of[number].listeners.store(0, std::memory_order_relaxed);
    heard_of[number].guarded.store(false, std::memory_order_relaxed);
  }
  if (reading_end_ >= 0) {
    ::close(std::exchange(reading_end_, -1));
    ::close(writing_end.exchange(-1, std::memory_order_relaxed));
  }
  shutdown_waits_ = 0;
  shutdown_kept_ = false;
  shutdown_is_awaited.store(false, std::memory_order_relaxed);
  requested_shutdown.store(0, std::memory_order_relaxed);
}

// ---- what the public headers call

void end_listening::operator()(signal_listening* l) const noexcept {
  signal_registry::get().end(*l);
}

result<signal_listening_ptr> listen_to(int number) noexcept {
  auto made = signal_registry::get().listen(number);
  if (!made) return std::move(made).error();
  return signal_listening_ptr(*made);
}

polled<result<void>> poll_signal(signal_listening& l, context& cx) noexcept { return l.poll(cx); }

void stop_waiting(signal_listening& l) noexcept { l.stop_waiting(); }

}}}  // namespace eddy::EDDY_ABI::detail
