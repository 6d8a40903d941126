#include <eddy/core/cell.hpp>

namespace eddy::inline EDDY_ABI::detail {

bool cell_base::publish() noexcept {
  const auto before = bits_.fetch_or(filled, std::memory_order_acq_rel);
  if ((before & (waiting | abandoned)) == waiting) waiter_.wake();
  return (before & abandoned) == 0;
}

bool cell_base::poll(context& cx) noexcept {
  auto b = bits_.load(std::memory_order_acquire);
  if ((b & filled) != 0) return true;
  if ((b & waiting) != 0) {
    if (cx.wakes_same(waiter_)) return false;
    b = bits_.fetch_and(~waiting, std::memory_order_acq_rel);
    if ((b & filled) != 0) return true;
  }
  cx.store_waker(waiter_);
  b = bits_.fetch_or(waiting, std::memory_order_acq_rel);
  return (b & filled) != 0;
}

}  // namespace eddy::inline EDDY_ABI::detail
