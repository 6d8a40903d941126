#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "runtime/alarm.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

std::uint64_t monotonic_now() noexcept {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(t.tv_nsec);
}

alarm::~alarm() { closed(); }

void alarm::closed() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

int alarm::init(uv_loop_t* loop, callback fired, void* argument) noexcept {
  fired_ = fired;
  argument_ = argument;
  fd_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd_ < 0) return -errno;
  if (const int rc = uv_poll_init(loop, &handle_, fd_); rc != 0) return rc;
  return uv_poll_start(&handle_, UV_READABLE, &on_event);
}

void alarm::set(std::uint64_t deadline) noexcept {
  if (deadline >= set_) return;
  set_ = deadline;
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(deadline / 1'000'000'000U);
  when.it_value.tv_nsec = static_cast<long>(deadline % 1'000'000'000U);
  if (deadline == 0) when.it_value.tv_nsec = 1;  // 0 would disarm
  ::timerfd_settime(fd_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void alarm::on_event(uv_poll_t* h, int, int) noexcept {
  auto& self = *reinterpret_cast<alarm*>(reinterpret_cast<char*>(h) - offsetof(alarm, handle_));
  std::uint64_t expirations = 0;
  if (::read(self.fd_, &expirations, sizeof expirations) < 0 && errno == EAGAIN) return;
  self.set_ = UINT64_MAX;
  self.fired_(self.argument_);
}

}}}  // namespace eddy::EDDY_ABI::detail
