#include <eddy/runtime/runtime.hpp>

#include <cstdio>
#include <new>
#include <utility>

#include <eddy/base/misuse.hpp>
#include <eddy/core/attempt.hpp>

#include "runtime/loop.hpp"

namespace eddy::inline EDDY_ABI {

namespace detail {

void check_drivable(scheduler& where) { loop::from(where).check_drivable(); }

std::uint32_t drive(scheduler& where, join_link& link) {
  loop::from(where).drive_until(link);
  return link.bits;
}

static_assert(sizeof(thread_state) <= 24 && std::is_trivially_copyable_v<thread_state>);

host_scope::host_scope(scheduler& s) noexcept : entered_(nullptr) {
  if (!loop::from(s).on_host_thread()) return;
  entered_ = &s;
  ::new (static_cast<void*>(before_)) thread_state(this_thread());
  this_thread() = thread_state{s.id(), &s, &s};
}

host_scope::~host_scope() {
  if (entered_ == nullptr) return;
  loop::from(*entered_).settle();
  this_thread() = *std::launder(reinterpret_cast<thread_state*>(before_));
}

int report_run(future<void> f) noexcept {
  return run([](future<void> inner) -> future<int> {
    co_await std::move(inner);
    co_return 0;
  }(std::move(f)));
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
handle handle::current() {
  auto* s = detail::this_thread().current;
  if (s == nullptr) detail::misuse("handle::current: this thread is not on a runtime");
  return handle(*s);
}
bool handle::has_current() noexcept { return detail::this_thread().current != nullptr; }
std::string_view handle::name() const noexcept { return detail::loop::from(*scheduler_).name(); }

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
  if (scheduler_->is_driven_here())
    detail::fatal("a runtime was destroyed by one of its own tasks");
  detail::loop::from(*scheduler_).shut_down();
  scheduler_->release();
}

// ---- builder

runtime::builder::builder() : options_(new detail::loop_options) {}
runtime::builder::builder(builder&& other) noexcept
    : options_(std::exchange(other.options_, nullptr)) {}
runtime::builder::~builder() { delete options_; }

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
  auto made = detail::loop::make(std::move(*options_), nullptr);
  if (!made) made.error().raise();
  return runtime(**made);
}
attachment runtime::builder::attach(uv_loop_s* loop) {
  auto made = detail::loop::make(std::move(*options_), loop);
  if (!made) made.error().raise();
  return attachment(**made);
}

// ---- run

int run(future<int> f) noexcept {
  result<int> outcome = [&]() -> result<int> {
#if EDDY_EXCEPTIONS
    try {
#endif
      runtime rt;
      return rt.block_on([](future<int> inner) -> future<result<int>> {
        co_return co_await attempt(std::move(inner));
      }(std::move(f)));
#if EDDY_EXCEPTIONS
    } catch (...) {
      return error::current_exception();
    }
#endif
  }();
  if (outcome) return *outcome;
  std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return 1;
}

}  // namespace eddy::inline EDDY_ABI
