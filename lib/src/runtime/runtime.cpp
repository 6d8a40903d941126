#include <eddy/runtime/runtime.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/task/local_set.hpp>

#include "runtime/loop.hpp"
#if EDDY_POOL
#include "runtime/pool.hpp"
#endif

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

namespace {
scheduler& take_place(scheduler& runtime) {
  loop::from(runtime).check_drivable();
#if EDDY_POOL
  if (runtime.worker() != nullptr)
    if (loop* const l = pool::of(runtime).take_next_loop()) return *l;
#endif
  runtime.retain();
  return runtime;
}

std::uint32_t count_workers(scheduler& runtime) noexcept {
#if EDDY_POOL
  if (runtime.worker() != nullptr)
    return static_cast<std::uint32_t>(pool::of(runtime).workers().size());
#endif
  static_cast<void>(runtime);
  return 1;
}

scheduler& take_worker(scheduler& runtime, std::uint32_t worker) {
  if (worker >= count_workers(runtime))
    misuse("spawn_on: the runtime has no worker of that number");
#if EDDY_POOL
  if (runtime.worker() != nullptr)
    if (loop* const l = pool::of(runtime).take_loop(worker)) return *l;
#endif
  runtime.retain();
  return runtime;
}
}  // namespace

scheduler& current_runtime(const char* operation) {
  auto* const s = this_thread().current;
  if (s == nullptr) misuse((std::string(operation) + ": this thread is not on a runtime").c_str());
  return *s;
}

loop_place::loop_place(scheduler& runtime) : loop_(take_place(runtime)) {}
loop_place::loop_place(scheduler& runtime, std::uint32_t worker)
    : loop_(take_worker(runtime, worker)) {}
loop_place::~loop_place() { loop_.release(); }

std::uint32_t drive(scheduler& where, join_link& link) {
  loop::from(where).drive_until(link);
  return link.bits;
}

static_assert(sizeof(thread_state) <= 32 && std::is_trivially_copyable_v<thread_state>);

namespace {
task_hooks& hooks_of(loop_options& options) {
  if (options.hooks == nullptr) options.hooks = std::make_shared<task_hooks>();
  return *options.hooks;
}
}  // namespace

host_scope::host_scope(scheduler& s) noexcept : entered_(nullptr) {
  if (!loop::from(s).on_host_thread()) return;
  entered_ = &s;
  ::new (static_cast<void*>(before_)) thread_state(this_thread());
  this_thread() = driving(s);
}

host_scope::~host_scope() {
  if (entered_ == nullptr) return;
  loop::from(*entered_).settle();
  this_thread() = *std::launder(reinterpret_cast<thread_state*>(before_));
}

future<int> with_status(future<> f) {
  co_await std::move(f);
  co_return 0;
}

}  // namespace detail

// ---- enter_guard, handle

enter_guard::enter_guard(detail::scheduler& s) noexcept
    : before_(std::exchange(detail::this_thread().current, &s)), entered_(&s) {
  s.retain();
}
enter_guard::~enter_guard() {
  if (detail::this_thread().current != entered_)
    detail::fatal("an enter() guard ended out of order, or on another thread");
  detail::this_thread().current = before_;
  entered_->release();
}

handle::handle(detail::scheduler& s) noexcept : scheduler_(&s) { s.retain(); }
handle::handle(const handle& other) noexcept : scheduler_(other.scheduler_) {
  scheduler_->retain();
}
handle::~handle() {
  if (scheduler_ != nullptr) scheduler_->release();
}
handle handle::current() { return handle(detail::current_runtime("handle::current")); }
bool handle::has_current() noexcept { return detail::this_thread().current != nullptr; }
// A handle refers to any one of a pool's loops.
runtime_id handle::id() const noexcept {
#if EDDY_POOL
  if (scheduler_->worker() != nullptr) return {scheduler_->worker()->pool().id()};
#endif
  return {scheduler_->id()};
}
std::uint32_t handle::worker_count() const noexcept { return detail::count_workers(*scheduler_); }
std::string_view handle::name() const noexcept { return detail::loop::from(*scheduler_).name(); }

std::shared_ptr<detail::local_core> local_set::make(const handle& of) {
  const auto guard = of.enter();
  return std::make_shared<detail::local_core>(nullptr);
}

// ---- attachment, runtime

void attachment::detach(function<void()> done) {
  if (scheduler_ == nullptr) return;
  if (scheduler_->is_driven_here()) detail::fatal("a runtime was detached by one of its own tasks");
  auto* s = std::exchange(scheduler_, nullptr);
  detail::loop::from(*s).shut_down(std::move(done));
  s->release();
}

attachment runtime::attach(uv_loop_s* loop) { return builder().attach(loop); }

runtime::runtime() : runtime(builder().build()) {}

runtime::~runtime() {
  if (scheduler_ == nullptr) return;
#if EDDY_POOL
  if (scheduler_->worker() != nullptr) {
    detail::pool::of(*scheduler_).shut_down();
    return;
  }
#endif
  if (scheduler_->is_driven_here())
    detail::fatal("a runtime was destroyed by one of its own tasks");
  detail::loop::from(*scheduler_).shut_down();
  scheduler_->release();
}

bool runtime::shutdown_timeout(std::chrono::nanoseconds limit) && {
  const auto blocking = detail::loop::from(*scheduler_).blocking();
  std::move(*this).shutdown_background();
  return blocking->wait(limit);
}

void runtime::shutdown_background() && { const runtime ending(std::move(*this)); }

// ---- builder

runtime::builder::builder() : options_(new detail::loop_options) {}
runtime::builder::builder(builder&& other) noexcept
    : options_(std::exchange(other.options_, nullptr)) {}
runtime::builder::~builder() { delete options_; }

runtime::builder& runtime::builder::current_thread() noexcept {
  options_->workers = 0;
  return *this;
}
runtime::builder& runtime::builder::use_pool() noexcept {
  options_->workers = workers_ != 0 ? workers_ : std::max(1U, uv_available_parallelism());
  return *this;
}
runtime::builder& runtime::builder::worker_threads(std::uint32_t n) {
  if (n == 0 || n > 4096) detail::misuse("builder::worker_threads: between 1 and 4096");
  workers_ = n;
  if (options_->workers != 0) options_->workers = n;
  return *this;
}
runtime::builder& runtime::builder::thread_name(std::string_view name) {
  options_->thread_name = options_->blocking.thread_name = name;
  return *this;
}
runtime::builder& runtime::builder::max_blocking_threads(std::size_t n) {
  if (n == 0) detail::misuse("builder::max_blocking_threads: 0 threads");
  options_->blocking.max_threads = n;
  return *this;
}
runtime::builder& runtime::builder::thread_keep_alive(std::chrono::nanoseconds idle) {
  // Beyond a year the sum with the clock might overflow.
  options_->blocking.keep_alive = std::clamp<std::chrono::nanoseconds>(
      idle, std::chrono::nanoseconds::zero(), std::chrono::hours(8760));
  return *this;
}
runtime::builder& runtime::builder::thread_stack_size(std::size_t bytes) {
  options_->blocking.stack_size = bytes;
  return *this;
}
runtime::builder& runtime::builder::on_thread_start(function<void()> f) {
  options_->on_thread_start = std::move(f);
  return *this;
}
runtime::builder& runtime::builder::on_thread_stop(function<void()> f) {
  options_->on_thread_stop = std::move(f);
  return *this;
}
runtime::builder& runtime::builder::global_queue_interval(std::uint32_t polls) {
  if (polls == 0) detail::misuse("builder::global_queue_interval: 0 polls");
  options_->injection_interval = polls;
  return *this;
}
runtime::builder& runtime::builder::event_interval(std::uint32_t polls) {
  if (polls == 0) detail::misuse("builder::event_interval: 0 polls");
  options_->event_interval = polls;
  return *this;
}
runtime::builder& runtime::builder::on_park(function<void()> f) {
  options_->on_park = std::move(f);
  return *this;
}
runtime::builder& runtime::builder::on_unpark(function<void()> f) {
  options_->on_unpark = std::move(f);
  return *this;
}
runtime::builder& runtime::builder::on_unhandled_failure(function<void(const task_failure&)> f) {
  options_->on_failure = std::move(f);
  return *this;
}
runtime::builder& runtime::builder::unhandled_panic(eddy::unhandled_panic what) {
  options_->stop_on_failure = what == eddy::unhandled_panic::shutdown_runtime;
  return *this;
}
runtime::builder& runtime::builder::on_task_spawn(function<void(const task_meta&)> f) {
  detail::hooks_of(*options_).spawned = std::move(f);
  return *this;
}
runtime::builder& runtime::builder::on_task_terminate(function<void(const task_meta&)> f) {
  detail::hooks_of(*options_).ended = std::move(f);
  return *this;
}
runtime::builder& runtime::builder::on_before_task_poll(function<void(const task_meta&)> f) {
  detail::hooks_of(*options_).before_poll = std::move(f);
  return *this;
}
runtime::builder& runtime::builder::on_after_task_poll(function<void(const task_meta&)> f) {
  detail::hooks_of(*options_).after_poll = std::move(f);
  return *this;
}
runtime::builder& runtime::builder::rng_seed(std::uint64_t seed) {
  options_->seed = seed;
  return *this;
}
runtime::builder& runtime::builder::shuffle_ready(bool shuffled) {
  options_->shuffle_ready = shuffled;
  return *this;
}
runtime::builder& runtime::builder::start_paused(bool paused) {
  options_->start_paused = paused;
  return *this;
}
runtime::builder& runtime::builder::name(std::string_view name) {
  options_->name = name;
  return *this;
}

runtime runtime::builder::build() {
#if EDDY_POOL
  if (options_->workers != 0) {
    auto made = detail::pool::make(std::move(*options_));
    if (!made) made.error().raise();
    return runtime(**made);
  }
#endif
  auto made = detail::loop::make(std::move(*options_), nullptr);
  if (!made) made.error().raise();
  return runtime(**made);
}
attachment runtime::builder::attach(uv_loop_s* loop) {
  if (options_->workers != 0) detail::misuse("builder::attach: a pool has loops of its own");
  auto made = detail::loop::make(std::move(*options_), loop);
  if (!made) made.error().raise();
  return attachment(**made);
}

// ---- run

namespace {
int status_of(const result<int>& outcome) noexcept {
  if (outcome) return *outcome;
  std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return 1;
}
}  // namespace

int run(runtime rt, future<int> f, const void* site) noexcept {
  return status_of([&]() -> result<int> {
#if EDDY_EXCEPTIONS
    try {
#endif
      runtime here(std::move(rt));  // it ends, with all its tasks, before a failure is printed
      return here.block_on(
          [](future<int> inner) -> future<result<int>> {
            co_return co_await attempt(std::move(inner));
          }(std::move(f)),
          site);
#if EDDY_EXCEPTIONS
    } catch (...) {
      return error::current_exception();
    }
#endif
  }());
}

int run(future<int> f, const void* site) noexcept {
#if EDDY_EXCEPTIONS
  try {
#endif
    return run(runtime(), std::move(f), site);
#if EDDY_EXCEPTIONS
  } catch (...) {  // no runtime
    return status_of(error::current_exception());
  }
#endif
}

}}  // namespace eddy::EDDY_ABI
