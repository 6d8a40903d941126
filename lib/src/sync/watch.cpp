#include <eddy/sync/watch.hpp>

#include <array>
#include <cstddef>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template class watch_state<sync_memory>;

namespace {

/// A thread borrows from a few channels at once; what does not fit is not remembered, and not reported.
struct borrowed_channels {
  std::array<const void*, 16> channel;
  std::size_t count;
};
thread_local borrowed_channels borrowed{};

}  // namespace

void note_borrow(const void* channel) noexcept {
  if (borrowed.count != borrowed.channel.size()) borrowed.channel[borrowed.count++] = channel;
}
void forget_borrow(const void* channel) noexcept {
  for (auto i = borrowed.count; i-- > 0;) {
    if (borrowed.channel[i] != channel) continue;
    borrowed.channel[i] = borrowed.channel[--borrowed.count];
    return;
  }
}
bool has_borrowed(const void* channel) noexcept {
  for (std::size_t i = 0; i < borrowed.count; ++i)
    if (borrowed.channel[i] == channel) return true;
  return false;
}

}}}  // namespace eddy::EDDY_ABI::detail
