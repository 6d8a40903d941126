#include <cstddef>

#include "runtime/alarm.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

std::uint64_t monotonic_now() noexcept { return uv_hrtime(); }

alarm::~alarm() = default;

void alarm::closed() noexcept {}

int alarm::init(uv_loop_t* loop, callback fired, void* argument) noexcept {
  fired_ = fired;
  argument_ = argument;
  return uv_timer_init(loop, &handle_);
}

void alarm::set(std::uint64_t deadline) noexcept {
  if (deadline >= set_) return;
  set_ = deadline;
  const auto now = monotonic_now();
  const auto wait = deadline > now ? deadline - now : 0;
  // libuv counts from its own, older, idea of now, in whole milliseconds; the loop asks again if it was early.
  uv_update_time(handle_.loop);
  uv_timer_start(&handle_, &on_event, (wait + 999'999) / 1'000'000, 0);
}

void alarm::on_event(uv_timer_t* h) noexcept {
  auto& self = *reinterpret_cast<alarm*>(reinterpret_cast<char*>(h) - offsetof(alarm, handle_));
  self.set_ = UINT64_MAX;
  self.fired_(self.argument_);
}

}}}  // namespace eddy::EDDY_ABI::detail
