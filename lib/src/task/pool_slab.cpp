#include "task/pool_slab.hpp"

#include <new>
#include <thread>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

pool_slab* pool_slab::make(task_pool* pool) noexcept { return new (std::nothrow) pool_slab(pool); }

[[gnu::noinline]] void* pool_slab::allocate_slow(std::size_t bytes) noexcept {
  if (bytes > largest_task) {
    chunk* const c = make_single(bytes);
    return c == nullptr ? nullptr : c->base() + c->first;
  }
  collect();
  const auto cls = static_cast<unsigned>((bytes + 15) >> task_shift);
  return refill(cls) ? take(*this, cls) : nullptr;
}

void pool_slab::take_back(task& t, chunk& c) noexcept {
  task_slab::info(&t).id = 0;
  count(static_cast<std::size_t>(-1));
  if (c.gate.load(std::memory_order_relaxed) == nullptr) [[unlikely]] {
    if (c.cls > slab_classes) {
      c.live = 0;
      slab_poison(&t, c.block_bytes);
      return retire(c);
    }
    reopen(c);
  }
  put_back(*this, &c, &t);
}

void pool_slab::return_from_elsewhere(task& t) noexcept {
  task* head = returned_.load(std::memory_order_relaxed);
  do t.inbox_next = head;
  while (!returned_.compare_exchange_weak(head, &t, std::memory_order_release,
                                          std::memory_order_relaxed));
  // The block may be in use again by now; the slab is there until all have counted (I3).
  if (back_.fetch_add(1, std::memory_order_acq_rel) + 1 == 0) destroy();
}

void pool_slab::collect() noexcept {
  if (returned_.load(std::memory_order_relaxed) == nullptr) return;
  task* t = returned_.exchange(nullptr, std::memory_order_acquire);
  while (t != nullptr) {
    task* const next = t->inbox_next;
    ++collected_;
    take_back(*t, *chunk_of(t));
    t = next;
  }
}

void pool_slab::orphan() noexcept {
  collect();
  for_each_chunk([](chunk& c) { c.tag.store(nullptr, std::memory_order_seq_cst); });
  while (users_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
  const auto to_come =
      collected_ + static_cast<std::int64_t>(chunk_table::live.load(std::memory_order_relaxed));
  if (back_.fetch_sub(to_come, std::memory_order_acq_rel) == to_come) destroy();
}

void pool_slab::destroy() noexcept {
  trim();
  for_each_chunk([](chunk& c) {
    if (c.linked()) list<chunk>::erase(c);
    unmap(c);
  });
  for (chunk*& c : current) c = &nil_chunk;
  delete this;
}

}}}  // namespace eddy::EDDY_ABI::detail
