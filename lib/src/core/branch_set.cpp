#include <eddy/core/detail/branch_set.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

ready_list* ready_list::make() {
  void* memory = frame_allocate(sizeof(ready_list));
  if (memory == nullptr) fatal("out of memory");
  return ::new (memory) ready_list;
}

void ready_list::release() noexcept {
  if (!count_down<shared_memory>(refs_)) return;
  this->~ready_list();
  frame_release(this, sizeof(ready_list));
}

void ready_list::push(set_node& n) noexcept {
  waker task;
  locked held(lock_);
  if (!n.held_ || n.linked()) return;
  ready_.push_back(n);
  ++count_;
  task = std::move(task_);
  held.unlock();
  std::move(task).wake();
}

std::size_t ready_list::watch(context& cx) noexcept {
  waker old;
  const locked held(lock_);
  if (!cx.wakes_same(task_)) {
    old = std::move(task_);
    task_ = cx.get_waker();
  }
  return count_;
}

void ready_list::forget(target_word target) noexcept {
  waker old;  // goes behind the lock: it may be the last reference to something
  const locked held(lock_);
  if (target == 0 || waker_access::target(task_) == target) old = std::move(task_);
}

std::size_t ready_list::count() noexcept {
  const locked held(lock_);
  return count_;
}

set_node* ready_list::pop() noexcept {
  const locked held(lock_);
  set_node* const n = ready_.pop_front();
  if (n != nullptr) --count_;
  return n;
}

void ready_list::rotate(std::size_t n) noexcept {
  const locked held(lock_);
  for (; n != 0; --n) {
    set_node* const first = ready_.pop_front();
    if (first == nullptr) break;
    ready_.push_back(*first);
  }
}

void ready_list::remove(set_node& n) noexcept {
  const locked held(lock_);
  n.held_ = false;
  if (!n.linked()) return;
  ready_.erase(n);
  --count_;
}

void set_node::wake() noexcept { home_->push(*this); }

void set_node::release() noexcept {
  if (!count_down<shared_memory>(refs_)) return;
  ready_list* const home = home_;
  const std::size_t bytes = bytes_;
  static_cast<list_node*>(this)->~list_node();
  frame_release(this, bytes);
  home->release();
}

}}}  // namespace eddy::EDDY_ABI::detail
