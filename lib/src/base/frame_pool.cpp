#include <eddy/base/detail/frame_pool.hpp>

#include <atomic>
#include <cassert>
#include <cstddef>
#include <mutex>
#include <new>

#include "base/slab.hpp"

// The frame allocator: one heap (a chunk pool and a list of blocks that others gave back) a thread.
//
// I1  A heap is used by one thread at a time, the one whose `this_heap` points to it. Heaps are
//     never freed: a block may come home at any later time. There are as many as there ever were
//     threads at once.
// I2  A block released on a foreign thread is pushed on its heap's `foreign` list and is not looked
//     at again by the pusher. The owner takes the whole list when its current chunk is used up;
//     nobody else pops, so there is no ABA.
// I3  An ended thread's heap waits in `abandoned` with its live blocks. The next thread to need a
//     heap takes it.
// I4  `this_heap` is constant-initialised and trivially destructible: it reads as plain memory at
//     any time, also in the destructors of other thread_locals and of globals. A thread past its
//     exit hook borrows a heap for each allocation.
//
// Threads: everything here, from any thread.

namespace eddy { inline namespace EDDY_ABI { namespace detail {
namespace {

constexpr unsigned frame_shift = 6;
constexpr std::size_t frame_align = std::size_t{1} << frame_shift;
constexpr std::size_t largest_frame = std::size_t{slab_classes} << frame_shift;

struct heap : chunk_pool {
  heap() noexcept : chunk_pool(frame_shift, 0, nullptr) {}

  // On a line of their own: foreign threads write here while the owner allocates.
  alignas(64) std::atomic<free_block*> foreign{
      nullptr};                                    // push: release; exchange in collect(): acquire
  std::atomic<std::size_t> released_elsewhere{0};  // counts for live_frames() alone; relaxed

  heap* next = nullptr;            // all heaps; under the registry's mutex, never changes
  heap* next_abandoned = nullptr;  // under the registry's mutex

  void collect() noexcept;
};

struct registry {
  std::mutex mutex;
  heap* all = nullptr;
  heap* abandoned = nullptr;
};

constinit chunk_table no_heap;  // where a thread without a heap finds every class empty
constinit registry heaps;
constinit std::atomic<std::size_t> live_large{0};  // relaxed: a count and nothing else

// initial-exec: no call to find it, also in position-independent code, which the static library is too.
[[gnu::tls_model("initial-exec")]] constinit thread_local chunk_table* this_heap = &no_heap;
constinit thread_local bool past_exit_hook = false;

void heap::collect() noexcept {
  if (foreign.load(std::memory_order_relaxed) == nullptr) return;
  free_block* b =
      foreign.exchange(nullptr, std::memory_order_acquire);  // pairs with the push in release_slow
  while (b != nullptr) {
    free_block* const following = next_of(b);
    chunk* const c = chunk_of(b);
    if (c->gate.load(std::memory_order_relaxed) == nullptr) reopen(*c);
    put_back(*this, c, b);
    b = following;
  }
}

heap* acquire_heap() noexcept {
  const std::lock_guard lock(heaps.mutex);
  heap* h = heaps.abandoned;
  if (h != nullptr) {
    heaps.abandoned = h->next_abandoned;
    return h;
  }
  h = new (std::nothrow) heap;
  if (h == nullptr) return nullptr;
  h->next = heaps.all;
  heaps.all = h;
  return h;
}

void abandon(heap& h) noexcept {
  h.collect();
  h.trim();
  const std::lock_guard lock(heaps.mutex);
  h.next_abandoned = heaps.abandoned;
  heaps.abandoned = &h;
}

struct exit_hook {
  exit_hook() noexcept = default;
  exit_hook(const exit_hook&) = delete;
  exit_hook& operator=(const exit_hook&) = delete;
  ~exit_hook() {
    auto* const h = static_cast<heap*>(this_heap);
    this_heap = &no_heap;
    past_exit_hook = true;
    abandon(*h);
  }
};

// Only the first allocation of a thread comes here, so that the fast paths see no guard.
[[gnu::noinline]] void keep_heap(heap& h) noexcept {
  this_heap = &h;
  thread_local const exit_hook hook;
  static_cast<void>(hook);
}

[[gnu::noinline]] void* allocate_slow(unsigned cls) noexcept {
  const bool first_time = this_heap == &no_heap;
  heap* const h = first_time ? acquire_heap() : static_cast<heap*>(this_heap);
  if (h == nullptr) return nullptr;
  if (first_time && !past_exit_hook) keep_heap(*h);
  h->collect();
  void* const p = h->refill(cls) ? take(*h, cls) : nullptr;
  if (past_exit_hook) abandon(*h);
  return p;
}

[[gnu::noinline]] void* allocate_large(std::size_t bytes) noexcept {
  void* const p = ::operator new(bytes, std::align_val_t{frame_align}, std::nothrow);
  if (p != nullptr) live_large.fetch_add(1, std::memory_order_relaxed);
  return p;
}

[[gnu::noinline]] void release_large(void* p) noexcept {
  live_large.fetch_sub(1, std::memory_order_relaxed);
  ::operator delete(p, std::align_val_t{frame_align});
}

// The chunk is full, or somebody else's.
[[gnu::noinline]] void release_slow(chunk* c, void* p) noexcept {
  auto* const h = static_cast<heap*>(c->owner);
  if (h == this_heap) {
    h->reopen(*c);
    put_back(*h, c, p);
    h->count(static_cast<std::size_t>(-1));
    return;
  }
  h->released_elsewhere.fetch_add(1, std::memory_order_relaxed);
  slab_poison(p, c->block_bytes);
  free_block* head = h->foreign.load(std::memory_order_relaxed);
  do {
    make_free(p, head);
  } while (!h->foreign.compare_exchange_weak(
      head, static_cast<free_block*>(p), std::memory_order_release,
      std::memory_order_relaxed));  // pairs with the exchange in collect()
}

}  // namespace

void* frame_allocate(std::size_t bytes) noexcept {
  if (bytes > largest_frame) [[unlikely]]
    return allocate_large(bytes);
  const std::size_t cls = (bytes + frame_align - 1) >> frame_shift;
  void* const p = take(*this_heap, cls);
  if (p == nullptr) [[unlikely]]
    return allocate_slow(static_cast<unsigned>(cls));
  return p;
}

void frame_release(void* p, std::size_t bytes) noexcept {
  if (bytes > largest_frame) [[unlikely]]
    return release_large(p);
  chunk* const c = chunk_of(p);
  assert(c->cls == (bytes + frame_align - 1) >> frame_shift);
  chunk_table* const h = this_heap;
  if (c->gate.load(std::memory_order_relaxed) != h) [[unlikely]]
    return release_slow(c, p);
  h->count(static_cast<std::size_t>(-1));
  put_back(*h, c, p);
}

std::size_t live_frames() noexcept {
  std::size_t sum = live_large.load(std::memory_order_relaxed);
  const std::lock_guard lock(heaps.mutex);
  for (const heap* h = heaps.all; h != nullptr; h = h->next)
    sum += h->live.load(std::memory_order_relaxed) -
           h->released_elsewhere.load(std::memory_order_relaxed);
  return sum;
}

}}}  // namespace eddy::EDDY_ABI::detail
