#include "task/task_slab.hpp"

#include <cassert>

namespace eddy { inline namespace EDDY_ABI { namespace detail {
namespace {

void drop_holder(chunk& c) noexcept {
  // acq_rel pairs with itself: whoever unmaps has seen every other holder's last touch.
  if (c.holders.fetch_sub(1, std::memory_order_acq_rel) == 1) chunk_pool::unmap(c);
}

}  // namespace

task_slab::task_slab(void* runtime) noexcept : chunk_pool(task_shift, sizeof(task_info), runtime) {
  assert(runtime != nullptr);
}

[[gnu::noinline]] void* task_slab::allocate_slow(std::size_t bytes) noexcept {
  if (shared_) return nullptr;
  if (bytes > largest_task) {
    chunk* const c = make_single(bytes);
    return c == nullptr ? nullptr : c->base() + c->first;
  }
  const auto cls = static_cast<unsigned>((bytes + 15) >> task_shift);
  return refill(cls) ? take(*this, cls) : nullptr;
}

[[gnu::noinline]] void task_slab::release_slow(chunk* c, void* block) noexcept {
  // 0 until share(), which the caller of a foreign release knows to have happened.
  if (c->holders.load(std::memory_order_relaxed) != 0) {
    info(block).id = 0;
    slab_poison(block, c->block_bytes);
    drop_holder(*c);
    return;
  }
  auto* const home = static_cast<task_slab*>(c->owner);
  info(block).id = 0;
  home->count(static_cast<std::size_t>(-1));
  if (c->cls > slab_classes) {
    c->live = 0;
    slab_poison(block, c->block_bytes);
    home->retire(*c);
    return;
  }
  home->reopen(*c);
  put_back(*home, c, block);
}

void task_slab::share() noexcept {
  if (shared_) return;
  shared_ = true;
  trim();
  for_each_chunk([](chunk& c) {
    c.gate.store(nullptr, std::memory_order_relaxed);
    c.holders.store(c.live + 1, std::memory_order_relaxed);
  });
  // allocate() must not find a free block any more.
  for_each_chunk([](chunk& c) { c.free = nullptr; });
}

void task_slab::orphan() noexcept {
  if (orphaned_) return;
  orphaned_ = true;
  share();
  for_each_chunk([](chunk& c) {
    c.tag.store(nullptr, std::memory_order_release);  // pairs with the load in runtime()
    if (c.linked()) list<chunk>::erase(c);
    drop_holder(c);
  });
  for (chunk*& c : current) c = &nil_chunk;
}

}}}  // namespace eddy::EDDY_ABI::detail
