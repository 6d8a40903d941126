// Children whose handle was dropped while they ran.
//
// I1  Everything is under `mutex`; the thread holds it but while it sleeps in poll, where it looks at copies of the
//     descriptors. Only the thread closes one that it may be looking at.
// I2  The state is never destroyed, the thread is detached and blocks all signals: the program ends when it ends.
// I3  A child made by fork has no such thread: it starts its own, and has nobody's children.

#include "process/orphans.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

#include "base/detached_thread.hpp"
#include "base/make_pipe.hpp"
#include "process/pidfd.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

constexpr int look_again_ms = 100;  // without a pidfd, or a bell

class orphanage {
 public:
  static orphanage& get() noexcept {
    static orphanage& it = *new orphanage;  // I2
    return it;
  }

  void add(::pid_t pid, int pidfd) noexcept {
    const std::lock_guard lock(mutex_);
    if (of_ != ::getpid()) begin();
    children_.push_back({pid, pidfd});
    if (!runs_) runs_ = start_thread();
    if (bell_[1] >= 0) static_cast<void>(!::write(bell_[1], "", 1));
  }
  std::size_t count() noexcept {
    const std::lock_guard lock(mutex_);
    return children_.size();
  }

 private:
  struct orphan {
    ::pid_t pid;
    int pidfd;
  };

  orphanage() noexcept {
    ::pthread_atfork([] { get().mutex_.lock(); }, [] { get().mutex_.unlock(); },
                     [] { get().mutex_.unlock(); });
  }

  void begin() noexcept {  // I3
    of_ = ::getpid();
    for (const auto& c : children_)
      if (c.pidfd >= 0) ::close(c.pidfd);
    children_.clear();
    for (int& end : bell_)
      if (end >= 0) ::close(std::exchange(end, -1));
    runs_ = false;
  }

  void open_bell() noexcept {
    int ends[2];
    if (make_pipe(ends, pipe_kind::non_blocking)) std::copy(ends, ends + 2, bell_);
  }

  bool start_thread() noexcept {
    if (bell_[0] < 0) open_bell();
    return start_detached([](void*) { get().work(); }, nullptr) == 0;
  }

  void work() noexcept {
    std::vector<pollfd> watched;
    std::unique_lock lock(mutex_);
    for (;;) {
      std::erase_if(children_, [](const orphan& c) {
        if (collect_child(c.pid, c.pidfd).what == collected::state::runs) return false;
        if (c.pidfd >= 0) ::close(c.pidfd);
        return true;
      });
      if (children_.empty()) break;
      watched.assign(1, {bell_[0], POLLIN, 0});
      for (const auto& c : children_) watched.push_back({c.pidfd, POLLIN, 0});  // -1 is passed over
      const bool blind = bell_[0] < 0 || std::any_of(
                                             children_.begin(), children_.end(),
                                             [](const orphan& c) { return c.pidfd < 0; });
      lock.unlock();
      // More than the limit of descriptors is refused.
      if (::poll(watched.data(), watched.size(), blind ? look_again_ms : -1) < 0)
        ::poll(nullptr, 0, look_again_ms);
      char rung[64];
      while (::read(watched[0].fd, rung, sizeof rung) > 0) {
      }
      lock.lock();
    }
    runs_ = false;
    for (int& end : bell_)
      if (end >= 0) ::close(std::exchange(end, -1));
  }

  std::mutex mutex_;
  std::vector<orphan> children_;
  int bell_[2] = {-1, -1};  // a byte: look again; none when descriptors had run out
  bool runs_ = false;
  ::pid_t of_ = -1;
};

}  // namespace

void collect_orphan(::pid_t pid, int pidfd) noexcept { orphanage::get().add(pid, pidfd); }
std::size_t orphan_count() noexcept { return orphanage::get().count(); }

}}}  // namespace eddy::EDDY_ABI::detail
