// A loop as the worker of a pool: what its thread does, and who drives it while that is in a block_in_place
// (relay.hpp).

#include <memory>
#include <utility>

#include "runtime/loop.hpp"
#include "task/task_pool.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

void loop::join_pool(std::shared_ptr<task_pool> p, std::uint32_t n) {
  worker_ = std::make_unique<pool_worker>(std::move(p), *this, n);
  worker_->pool().add(*worker_);
  driven_ = true;  // by its thread, as far as `block_on` and `shut_down` are concerned
}

void loop::leave_thread() noexcept {
  const std::lock_guard lock(drive_mutex_);
  driven_ = false;
}

void loop::work() noexcept {
  while (!worker_->pool().is_stopping()) {
    take_over();
    drive_worker();
    relay_.give();
  }
}

// Local tasks and movable ones take turns, a batch each. Neither keeps the loop from being looked at for long: a
// batch of the local ones is what was ready when it began, and of the others some; see task_pool.hpp, I4.
void loop::drive_worker() noexcept {
  constexpr std::size_t movable_batch = 64;
  pool_worker& w = *worker_;
  const owner_scope owner(*this);
  while (!w.pool().is_stopping() && !relay_.is_wanted()) {
    drain_inbox();
    std::size_t polled = ready_count();
    for (auto n = polled; n > 0 && has_ready() && !relay_.is_wanted(); --n) {
      w.stand_aside();
      run_one();
    }
    std::size_t moved = 0;
    for (task* t = nullptr; moved < movable_batch && (t = w.next()) != nullptr; ++moved) {
      run_movable(*t);
      if (relay_.is_wanted()) return w.stand_aside();
    }
    polled += moved;
    if (polled == 0 && !has_ready()) {
      task* const t = w.search();
      if (t == nullptr) {
        w.sleep_unless_needed([this] { park(); });
        w.has_looked();
        continue;
      }
      run_movable(*t);
      polled = 1;
    }
    if (w.look_is_used_up() && time_to_look(polled)) {
      look();
      w.has_looked();
    }
    w.eager = polls_per_reading_ == 1;
  }
  w.stand_aside();  // who has the loop next may be in the middle of a poll
}

// ---- other threads that drive it

void loop::take_over() noexcept {
  relay_.take([this] { kick(); });
}

loop::stand_in::stand_in(loop& l) noexcept : where(l) {
  finish = &come;
  extra = true;
}

void loop::stand_in::come(blocking_job& job, bool run) noexcept {
  loop& l = static_cast<stand_in&>(job).where;
  if (!run) {
    l.relay_.call_failed();
  } else if (l.relay_.answer()) {
    l.drive_worker();
    l.relay_.give();
  }
  l.scheduler::release();
}

void loop::leave(relay::absent& me) noexcept {
  if (!relay_.leave(me) || worker_->pool().is_stopping()) return;
  retain();
  static_cast<void>(blocking_->submit(stand_in_));  // refused: nobody drives it for now
}

void loop::come_back(relay::absent& me) noexcept {
  relay_.come_back(me, [this] { kick(); });
}

}}}  // namespace eddy::EDDY_ABI::detail
