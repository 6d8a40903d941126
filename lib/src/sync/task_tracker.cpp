#include <eddy/sync/task_tracker.hpp>

#include <atomic>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

// Whoever makes the word "closed and no task" tells those who wait, behind it; so a wait that sees neither the
// word nor the telling is queued before the telling (notify_core.hpp I2).

void tracker_state::add() noexcept {
  auto w = word_.load(std::memory_order_relaxed);
  while (!replace<sync_memory>(word_, w, w + one_task, std::memory_order_relaxed)) {
  }
}

void tracker_state::remove() noexcept {
  auto w = word_.load(std::memory_order_relaxed);
  while (!replace<sync_memory>(word_, w, w - one_task, std::memory_order_acq_rel)) {
  }
  if (w == (one_task | closed)) over.tell_all();
}

bool tracker_state::close() noexcept {
  const auto w = set_bits<sync_memory>(word_, closed, std::memory_order_acq_rel);
  if (w == 0) over.tell_all();
  return (w & closed) == 0;
}

bool tracker_state::reopen() noexcept {
  return (clear_bits<sync_memory>(word_, closed, std::memory_order_acq_rel) & closed) != 0;
}

polled<> tracker_wait_leaf::poll(context& cx) noexcept {
  if (over_ || state_->is_over()) {
    if (!cx.proceed()) return pending;
    return ready;
  }
  if (state_->over.poll(at_, cx)) return ready;
  return pending;
}

}}}  // namespace eddy::EDDY_ABI::detail
