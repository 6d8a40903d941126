#include <eddy/time/delay_queue.hpp>

#include <atomic>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

void serial_numbers::refill() noexcept {
  constexpr std::uint64_t block = 1U << 16;
  static std::atomic<std::uint64_t> blocks{
      1};  // 0 is a default key's; the number is all, it orders nothing
  next_ = blocks.fetch_add(block, std::memory_order_relaxed);
  end_ = next_ + block;
}

}}}  // namespace eddy::EDDY_ABI::detail
