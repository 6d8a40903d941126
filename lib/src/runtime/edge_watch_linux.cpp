#include "runtime/edge_watch.hpp"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "runtime/reactor.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

// No partner: written while no runtime is there.
std::atomic<bool> allowed_here{true};

constexpr std::uint32_t beside_bytes = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;  // I4

constexpr std::uint32_t as_word(std::uint32_t events) noexcept {
  constexpr auto read = static_cast<std::uint32_t>(direction::read);
  constexpr auto write = static_cast<std::uint32_t>(direction::write);
  return ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 ? read : 0) |
         ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 ? write : 0) |
         ((events & beside_bytes) != 0 ? readiness::exact_bit : 0);
}

}  // namespace

struct edge_watch::batch {
  static constexpr int most = 64;
  ::epoll_event events[most];
  int count;
  int next;
};

void edge_watch::allow(bool allowed) noexcept {
  allowed_here.store(allowed, std::memory_order_relaxed);
}

edge_watch::~edge_watch() {
  if (fd_ >= 0) ::close(fd_);
}

bool edge_watch::open(uv_loop_t* loop) noexcept {
  if (fd_ >= 0) return true;
  if (refused_ || !allowed_here.load(std::memory_order_relaxed)) return false;
  refused_ = true;  // not tried again: a loop's streams are all watched in one way
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return false;
  if (uv_poll_init(loop, &handle_, fd) != 0) {
    ::close(fd);
    return false;
  }
  handle_.data = this;
  fd_ = fd;
  uv_poll_start(&handle_, UV_READABLE, &on_ready);
  return true;
}

int edge_watch::add(int fd, watched_descriptor& s) noexcept {
  int on = 1;
  if (::ioctl(fd, FIONBIO, &on) != 0) return -errno;
  ::epoll_event e{};
  e.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
  e.data.ptr = &s;
  return ::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : -errno;
}

void edge_watch::remove(int fd, watched_descriptor& s) noexcept {
  ::epoll_event ignored{};
  ::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, &ignored);
  if (now_ == nullptr) return;
  for (int i = now_->next; i < now_->count; ++i)
    if (now_->events[i].data.ptr == &s) now_->events[i].data.ptr = nullptr;
}

void edge_watch::close() noexcept {
  if (fd_ < 0) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), [](uv_handle_t* h) {
    ::close(std::exchange(static_cast<edge_watch*>(h->data)->fd_, -1));
  });
}

void edge_watch::on_ready(uv_poll_t* h, int, int) {
  constexpr int most_batches = 4;  // libuv has other descriptors; what is left, it reports again
  auto& self = *static_cast<edge_watch*>(h->data);
  for (int i = 0; i < most_batches && self.hand_out(); ++i) {
  }
}

// True: there may be more.
bool edge_watch::hand_out() noexcept {
  batch b;
  b.count =
      ::epoll_wait(fd_, b.events, batch::most, 0);  // a failure is EINTR: libuv reports it again
  now_ = &b;
  for (b.next = 0; b.next < b.count;) {
    const ::epoll_event& e = b.events[b.next++];
    if (e.data.ptr != nullptr)
      static_cast<watched_descriptor*>(e.data.ptr)->edge_event(as_word(e.events));
  }
  now_ = nullptr;
  return b.count == batch::most;
}

}}}  // namespace eddy::EDDY_ABI::detail
