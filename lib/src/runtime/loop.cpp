#include "runtime/loop.hpp"

#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include <eddy/base/detail/misuse.hpp>

#include <eddy/core/detail/wake_list.hpp>

#if EDDY_POOL
#include "task/task_pool.hpp"
#endif

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

constexpr std::uint64_t reading_short = 5'000;  // ns between clock readings: fewer readings below,
constexpr std::uint64_t reading_long = 20'000;  // more above
constexpr std::uint64_t look_period = 20'000;   // ns between looks, or
constexpr std::uint64_t look_share = 32;        // so many times what a look costs
// So many polls that get long from one to the next may delay timers.
constexpr std::uint32_t most_polls_per_reading = 128;
constexpr std::uint64_t last_instant = INT64_MAX;  // what eddy::instant can hold, in ns
constexpr std::uint32_t short_batch = 32;     // polls a batch has at least while they are short
constexpr std::size_t host_slice_polls = 61;  // on a borrowed loop, polls per phase

template <class Handle>
uv_handle_t* as_handle(Handle& h) noexcept {
  return reinterpret_cast<uv_handle_t*>(&h);
}

}  // namespace

// ---- life

loop::loop(loop_options options)
    : options_(std::move(options)), reactor_(*this), drive_waiter_(*this) {
  on_failure = std::move(options_.on_failure);
  hooks = options_.hooks.get();
  stop_on_failure = options_.stop_on_failure;
  random_ = options_.seed ? *options_.seed : monotonic_now();
  options_.blocking.on_thread_start = std::move(options_.on_thread_start);
  options_.blocking.on_thread_stop = std::move(options_.on_thread_stop);
  blocking_ = std::make_shared<blocking_pool>(std::move(options_.blocking));
  if (options_.start_paused) pause();
}

loop::~loop() = default;

result<loop*> loop::make(loop_options options, uv_loop_t* host) {
  auto* made = new loop(std::move(options));
  if (error e = made->start(host)) {
    made->release();
    return e;
  }
  return made;
}

error loop::start(uv_loop_t* host) noexcept {
  borrowed_ = host != nullptr;
  if (borrowed_) {
    uv_ = host;
    host_thread_ = uv_thread_self();
  } else {
    own_.backend_fd = -1;
    if (const int rc = uv_loop_init(&own_); rc != 0) {
      if (own_.backend_fd >= 0)
        ::close(own_.backend_fd);  // libuv 1.44 forgets it when a later step fails
      return error::system(rc, "uv_loop_init");
    }
    uv_ = &own_;
  }
  int rc = uv_async_init(uv_, &async_, [](uv_async_t* h) {
    auto& self = *static_cast<loop*>(h->data);
    if (!self.borrowed_) uv_stop(self.uv_);
  });
  if (rc == 0) {
    open_handles_ = 1;
    rc = alarm_.init(uv_, [](void* self) noexcept { static_cast<loop*>(self)->on_alarm(); }, this);
  }
  if (rc != 0) {
    abandon_start();
    return error::system(rc, "runtime");
  }
  uv_idle_init(uv_, &idle_);
  uv_check_init(uv_, &check_);
  open_handles_ = 4;
  async_.data = idle_.data = check_.data = alarm_.handle()->data = this;
  uv_unref(alarm_.handle());
  if (borrowed_) {
    uv_check_start(&check_, [](uv_check_t* h) { static_cast<loop*>(h->data)->host_turn(true); });
    uv_unref(as_handle(check_));
    uv_unref(as_handle(async_));
    asleep_.store(true, std::memory_order_seq_cst);
    announce_ = true;
  }
  seen_ = now();
  last_reading_ = monotonic_now();
  retain();  // the handles'
  return {};
}

// Descriptors ran out while the handles were being made: close the one there is.
void loop::abandon_start() noexcept {
  if (open_handles_ != 0) {
    async_.data = this;
    retain();
    uv_close(as_handle(async_), [](uv_handle_t* h) { static_cast<loop*>(h->data)->release(); });
  }
  if (!borrowed_) {
    uv_run(uv_, UV_RUN_DEFAULT);
    uv_loop_close(uv_);
  }
}

void loop::destroy() noexcept { delete this; }

void loop::shut_down(function<void()> detached) {
  std::unique_lock lock(drive_mutex_);
  ending_.store(true, std::memory_order_seq_cst);
  kick();  // partner: must_stay_awake
  drive_free_.wait(lock, [this] { return !driven_; });
  driven_ = true;
  lock.unlock();
  {
    const owner_scope owner(*this);
    blocking_->close();
    shut_down_tasks();
    reactor_.shut_down();
    {
      const node_guard held(*this);
      list<timer_entry> rest;
      timers_.advance_to(UINT64_MAX, rest);
      while (timer_entry* const t = rest.pop_front())
        static_cast<void>(static_cast<loop_timer*>(t)->expire());
    }
    detached_ = std::move(detached);
    announce_ = false;
    close_handles();
  }
  if (!borrowed_) {
    uv_run(uv_, UV_RUN_DEFAULT);
    if (uv_loop_close(uv_) != 0) fatal("uv_loop_close: a handle of the loop is still open");
    release();
  }
}

void loop::close_handles() noexcept {
  const auto closed = [](uv_handle_t* h) { static_cast<loop*>(h->data)->on_closed(); };
  uv_close(as_handle(async_), closed);
  uv_close(as_handle(idle_), closed);
  uv_close(as_handle(check_), closed);
  uv_close(alarm_.handle(), closed);
}

void loop::on_closed() noexcept {
  if (--open_handles_ == 0) alarm_.closed();
  finish_detach();
}

// The last callback of all, the loop's own handles and the sockets', takes the block with it on a borrowed loop.
void loop::finish_detach() noexcept {
  if (!borrowed_ || open_handles_ != 0 || reactor_.live() != 0) return;
  auto detached = std::move(detached_);
  release();
  if (detached) detached();
}

void loop::send_wake_up() noexcept { uv_async_send(&async_); }

void loop::became_ready() noexcept {
  announce_ = false;
  if (!borrowed_) return uv_stop(uv_);  // uv_run ends without blocking, and clears the mark
  idle_active_ = true;
  uv_idle_start(&idle_, [](uv_idle_t* h) { static_cast<loop*>(h->data)->host_turn(false); });
}

// ---- clock and timers

std::uint64_t loop::now() const noexcept {
  if (paused_.load(std::memory_order_acquire)) return paused_at_.load(std::memory_order_relaxed);
  return std::min(monotonic_now() + skipped_.load(std::memory_order_relaxed), last_instant);
}

std::uint64_t loop::read_now() noexcept {
  const auto t = now();
  if (is_driven_here()) seen_ = t;
  return t;
}

std::uint64_t loop::time_at(std::uint64_t monotonic) const noexcept {
  if (paused_.load(std::memory_order_relaxed)) return paused_at_.load(std::memory_order_relaxed);
  return std::min(monotonic + skipped_.load(std::memory_order_relaxed), last_instant);
}

void loop::pause() noexcept {
  paused_at_ = now();
  paused_.store(true, std::memory_order_seq_cst);  // partner: end_blocking
}

void loop::resume() noexcept {
  if (!paused_) return;
  // Time goes on from where it stood: deadlines that were set keep their distance.
  skipped_ = paused_at_ - monotonic_now();
  paused_.store(false, std::memory_order_release);
}

void loop::advance(std::uint64_t ns) noexcept {
  const auto here = paused_at_.load(std::memory_order_relaxed);
  paused_at_ = here + std::min(ns, last_instant - std::min(here, last_instant));
  fire_timers(paused_at_);
}

// A paused clock, and nothing to do at this time any more. In this order: a job puts its receiver on the inbox before
// it counts itself out.
bool loop::may_jump() noexcept {
  return paused_ && blocking_jobs.load(std::memory_order_seq_cst) == 0 && !inbox_filled() &&
         !timers_.empty();
}

void loop::jump() noexcept {
  const auto here = paused_at_.load(std::memory_order_relaxed);
  auto next = timers_.next_deadline();
  if (next <= here) next = timers_.next_deadline(SIZE_MAX);  // many in one tick: now exactly
  paused_at_ = std::max(here, next);
  fire_timers(paused_at_);
}

void loop::fire_timers(std::uint64_t at) noexcept {
  seen_ = at;
  if (is_shared()) return fire_shared_timers(at);
  if (timers_.empty()) return;
  list<timer_entry> expired;
  timers_.advance_to(at, expired);
  while (timer_entry* const t = expired.pop_front()) static_cast<loop_timer*>(t)->expire().wake();
}

// While the guard is off, the expired that are left may be taken out by those they belong to.
void loop::fire_shared_timers(std::uint64_t at) noexcept {
  list<timer_entry> expired;
  for (bool all = false, first = true; !all; first = false) {
    wake_list woken;
    const node_guard held(*this);
    if (first && !timers_.empty()) timers_.advance_to(at, expired);
    while (!expired.empty() && !woken.full())
      woken.add(static_cast<loop_timer*>(expired.pop_front())->expire());
    all = expired.empty();
  }
}

void loop::on_alarm() noexcept {
  // Between timers and poll phase: what is due must be ready before libuv blocks.
  const owner_scope owner(*this);
  fire_timers(now());
  if (!borrowed_) uv_stop(uv_);
}

// ---- an owned loop

namespace {
struct drive_end {
  std::mutex& mutex;
  std::condition_variable& free;
  bool& driven;
  ~drive_end() {
    const std::lock_guard lock(mutex);
    driven = false;
    free.notify_all();
  }
};
}  // namespace

void loop::check_drivable() const {
  if (borrowed_) misuse("block_on: this runtime is attached to a loop that its host turns");
  if (this_thread().owner != 0)
    misuse(
        "block_on: this thread runs a runtime's task already; await the future instead, or use "
        "another "
        "thread");
}

bool loop::await_turn(join_link& done) {
  std::unique_lock lock(drive_mutex_);
  // A worker's thread does not give the turn away, and a loop that ends has none to give: it ends the task.
  const auto taken = [this] { return driven_ || is_shared() || ending_; };
  while (taken()) {
    context cx(drive_waiter_);
    lock.unlock();
    const bool ended = done.poll(cx);
    lock.lock();
    if (ended) return false;
    // Asked again under the lock that the waker takes: it may have called before we wait.
    if (taken() && !done.is_filled()) drive_free_.wait(lock);
  }
  return driven_ = true;
}

void loop::drive_until(join_link& done, std::uint64_t max_polls) {
  if (!await_turn(done)) return;
  {
    const drive_end end{drive_mutex_, drive_free_, driven_};
    const owner_scope owner(*this);
    const auto last_poll = max_polls > UINT64_MAX - polls ? UINT64_MAX : polls + max_polls;
    while (!done.is_filled() && polls < last_poll && !has_failed &&
           !ending_.load(std::memory_order_relaxed)) {
      drain_inbox();
      if (options_.shuffle_ready) shuffle();
      const auto before = polls;
      const auto ready = ready_count();
      const auto batch = std::max(ready, least_batch());
      for (std::size_t n = 0; n < batch && has_ready() && !done.is_filled() && polls < last_poll &&
                              !has_failed && (n < ready || !inbox_filled());
           ++n)
        run_one();
      if (done.is_filled() || polls >= last_poll || has_failed) break;
      if (!has_ready())
        park();
      else if (time_to_look(polls - before))
        look();
    }
    if (has_failed && !done.is_filled()) {
      done.failure =
          error(errc::aborted,
                "block_on: a task failed and nobody awaited it, and the runtime shut down");
      cancel_all();
    }
    // Nobody may turn the loop again for long: a socket dropped at the end is closed now, not then.
    if (reactor_.closing() != 0) look();
  }
  if (ending_.load(std::memory_order_relaxed)) await_turn(done);
}

// Short tasks that wake each other go on for a while. Long ones do not, once a reading is due after each.
std::size_t loop::least_batch() const noexcept {
  if (options_.shuffle_ready || options_.event_interval != 0) return 1;
  return std::min(polls_per_reading_, short_batch);
}

bool loop::time_to_look(std::size_t polled) noexcept {
  const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(polled, UINT32_MAX / 2));
  polls_since_look_ += n;
  polls_since_reading_ += n;
  if (options_.event_interval != 0) return polls_since_look_ >= options_.event_interval;
  if (polls_since_reading_ < polls_per_reading_) return false;
  const auto t = monotonic_now();
  const auto elapsed = t - last_reading_;
  if (elapsed <= reading_short)
    polls_per_reading_ = std::min(polls_per_reading_ * 2, most_polls_per_reading);
  else if (elapsed > reading_long)
    polls_per_reading_ =
        std::max(static_cast<std::uint32_t>(polls_per_reading_ * reading_long / elapsed), 1U);
  last_reading_ = t;
  polls_since_reading_ = 0;
  fire_timers(time_at(t));
  return t - last_look_ >= std::max(look_period, look_share * look_cost_);
}

void loop::look() noexcept {
  const auto before = monotonic_now();
  uv_run(uv_, UV_RUN_NOWAIT);
  last_look_ = last_reading_ = monotonic_now();
  // Smoothed, so that one look that had much to deliver does not put the next one off for long.
  look_cost_ = (look_cost_ * 7 + (last_look_ - before)) / 8;
  polls_since_look_ = polls_since_reading_ = 0;
  drain_inbox();
  fire_timers(time_at(last_reading_));
}

std::uint64_t loop::next_deadline() noexcept {
  const node_guard held(*this);
  return timers_.next_deadline();
}

void loop::park() noexcept {
  if (options_.on_park) options_.on_park();
  if (has_ready() || must_stay_awake()) return;
  if (paused_) {
    look();
    if (has_ready()) return;
    if (may_jump()) return jump();
  } else if (const auto deadline = next_deadline(); deadline != UINT64_MAX) {
    if (deadline <= now()) return look();
    alarm_.set(deadline - skipped_);
  }
  asleep_.store(true, std::memory_order_seq_cst);
  // A job that nobody waits for fills no inbox; if it was the last, a paused clock goes on.
  // Partner: end_blocking, which counts before it looks at `asleep_`.
  const bool may_advance =
      paused_ && !timers_.empty() && blocking_jobs.load(std::memory_order_seq_cst) == 0;
  if (!may_advance && !must_stay_awake()) {
    announce_ = true;
    uv_run(uv_,
           UV_RUN_DEFAULT);  // until something is ready, the alarm rings, or another thread calls
    announce_ = false;
  }
  asleep_.store(false, std::memory_order_seq_cst);
  last_look_ = last_reading_ = monotonic_now();
  polls_since_look_ = polls_since_reading_ = 0;
  drain_inbox();
  fire_timers(time_at(last_reading_));
  if (options_.on_unpark) options_.on_unpark();
}

// ---- a worker's loop

bool loop::must_stay_awake() const noexcept {
#if EDDY_POOL
  if (worker() != nullptr && (worker()->must_stay_awake() || relay_.is_wanted())) return true;
#endif
  return inbox_filled() || ending_.load(std::memory_order_seq_cst);
}

void loop::look_up() noexcept {
#if EDDY_POOL
  if (worker() != nullptr) worker()->called.store(true, std::memory_order_seq_cst);
#endif
  kick();
}

// ---- a borrowed loop

bool loop::on_host_thread() const noexcept {
  const uv_thread_t here = uv_thread_self();
  return borrowed_ && this_thread().owner == 0 && uv_thread_equal(&here, &host_thread_) != 0;
}

// `looked`: the loop has just polled for I/O.
void loop::host_turn(bool looked) noexcept {
  const owner_scope owner(*this);
  asleep_.store(false, std::memory_order_relaxed);
  announce_ = false;
  drain_inbox();
  fire_timers(now());
  if (looked && !has_ready() && may_jump()) jump();
  if (options_.shuffle_ready) shuffle();
  for (std::size_t n = std::min(ready_count(), host_slice_polls); n > 0 && has_ready(); --n)
    run_one();
  settle();
}

// Leaves the loop to its host: idle exactly while tasks are ready (or a paused clock may jump, once the loop has looked
// for I/O), the async referenced while tasks live.
void loop::settle() noexcept {
  if (is_closed()) return;
  if (has_ready() || may_jump()) {
    if (!idle_active_) became_ready();
  } else {
    if (std::exchange(idle_active_, false)) uv_idle_stop(&idle_);
    announce_ = true;
    if (!timers_.empty() && !paused_) alarm_.set(timers_.next_deadline() - skipped_);
  }
  if (const bool keep = live_tasks() != 0 || blocking_jobs.load(std::memory_order_relaxed) != 0;
      keep != keeping_alive_) {
    keeping_alive_ = keep;
    keep ? uv_ref(as_handle(async_)) : uv_unref(as_handle(async_));
  }
  asleep_.store(true, std::memory_order_seq_cst);
  if (inbox_filled() || (!idle_active_ && may_jump())) kick();
}

}}}  // namespace eddy::EDDY_ABI::detail
