#include <eddy/task/spawn_local.hpp>

#include <eddy/base/detail/misuse.hpp>

#include "task/scheduler.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

constexpr char the_key = 0;

scheduler& this_runtime() {
  auto* const s = this_thread().current;
  if (s == nullptr)
    misuse("local_set: this thread is not on a runtime; make it in a task, or give it the handle");
  return *s;
}

// In a pool somebody always drives the loop.
bool is_elsewhere(const scheduler& where) noexcept {
  return where.worker() != nullptr && !where.is_driven_here();
}

}  // namespace

local_item::local_item(std::shared_ptr<local_core> c) : core_(std::move(c)) {
  if (is_elsewhere(*core_->where_))
    misuse("local_set: in a pool a set is used on the worker on which it was made");
  core_->items_.push_back(*this);
  ++core_->live_;
}

local_item::~local_item() {
  if (linked()) unlink();
  if (--core_->live_ != 0) return;
  for (waker& w : std::exchange(core_->waiting_, {})) std::move(w).wake();
}

local_core::local_core(scheduler* where) : where_(where != nullptr ? where : &this_runtime()) {
  if (is_elsewhere(*where_)) misuse("local_set: in a pool a set is made in a task");
  where_->retain();
}

local_core::~local_core() { where_->release(); }

const std::shared_ptr<local_core>* local_core::here() noexcept {
  return static_cast<const std::shared_ptr<local_core>*>(local_entry::find(&the_key));
}

const void* local_core::key() noexcept { return &the_key; }

bool local_core::poll_empty(context& cx) {
  if (is_elsewhere(*where_)) fatal("a local_set was awaited on another worker than its own");
  if (live_ == 0) return true;
  for (const waker& w : waiting_)
    if (cx.wakes_same(w)) return false;
  waiting_.push_back(cx.get_waker());
  return false;
}

void local_core::close() noexcept {
  while (local_item* const item = items_.pop_front()) {
    const auto task = item->task;
    item->drop();
    if (task) task->abort();
  }
}

}}}  // namespace eddy::EDDY_ABI::detail
