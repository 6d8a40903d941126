#include "process/exit_watch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "process/orphans.hpp"
#include "process/pidfd.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {
constinit std::atomic<bool> pidfds_are_used{true};  // partner: use_pidfds
}

void exit_watch::use_pidfds(bool yes) noexcept {
  pidfds_are_used.store(yes, std::memory_order_relaxed);
}

exit_watch::exit_watch(::pid_t pid, bool kill_on_drop) noexcept
    : pid_(pid),
      kill_on_drop_(kill_on_drop),
      pidfd_(pidfds_are_used.load(std::memory_order_relaxed) ? open_pidfd(pid) : -1) {}

exit_watch::~exit_watch() {
  if (!ended() && kill_on_drop_) static_cast<void>(send_to_child(pid_, pidfd_, SIGKILL));
  static_cast<void>(look());
  if (!ended())
    collect_orphan(pid_, pidfd_);
  else if (pidfd_ >= 0)
    ::close(pidfd_);
}

result<std::optional<exit_watch::status>> exit_watch::look() noexcept {
  if (!ended()) {
    const auto c = collect_child(pid_, pidfd_);
    if (c.what == collected::state::ended) status_.emplace(c.status);
    lost_ = c.what == collected::state::lost;
  }
  if (lost_) return error::system(ECHILD, "wait", "another part of the program has collected it");
  return status_;
}

int exit_watch::send(int number) noexcept {
  return ended() ? ESRCH : send_to_child(pid_, pidfd_, number);
}

polled<result<exit_watch::status>> exit_watch::poll(context& cx, io_waiter& w) noexcept {
  using answer = result<status>;
  for (bool woken = true; woken;) {
    auto now = look();
    if (!now) return answer(std::move(now).error());
    if (*now) {
      if (!cx.proceed()) return pending;
      end_watch(w);
      sigchld_.reset();
      return answer(**now);
    }
    woken = false;
    auto r = pidfd_ >= 0 ? wait_by_pidfd(cx, w, woken) : wait_by_signal(cx, woken);
    if (!r) return answer(std::move(r).error());
  }
  return pending;
}

// The waiter first: on another worker the watch's loop may let it go at any time.
void exit_watch::end_watch(io_waiter& w) noexcept {
  if (w.is_waiting()) w.leave();
  watch_ = {};
}

// `woken`: it may have ended. Otherwise the task will be woken.
result<void> exit_watch::wait_by_pidfd(context& cx, io_waiter& w, bool& woken) noexcept {
  for (bool made = false;;) {
    if (!watch_.valid()) {
      const int again = ::fcntl(pidfd_, F_DUPFD_CLOEXEC, 0);
      if (again < 0) return error::system(errno, "wait");
      auto watch = registration::adopt(again, "wait");
      if (!watch) return std::move(watch).error();
      watch_ = std::move(*watch);
      made = true;
    }
    auto& state = watch_.state();
    switch (state.poll_ready(direction::read, w, cx)) {
      case wait_result::waiting:
        // I2: the watch stands now; what came before it is an event for it too.
        return {};
      case wait_result::ready:
        state.clear(direction::read, state.tick());
        woken = true;
        return {};
      default:
        if (made) return awaited_after_the_end("wait");
        end_watch(w);  // I3
    }
  }
}

result<void> exit_watch::wait_by_signal(context& cx, bool& woken) noexcept {
  if (sigchld_) {
    auto p = poll_signal(*sigchld_, cx);
    if (!p) return {};
    woken = true;
    if (p->has_value()) return {};
    sigchld_.reset();  // I3
  }
  auto l = listen_to(SIGCHLD);
  if (!l) return std::move(l).error();
  sigchld_ = std::move(*l);
  woken = true;  // I2
  return {};
}

}}}  // namespace eddy::EDDY_ABI::detail
