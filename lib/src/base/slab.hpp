#pragma once
// Blocks of a few sizes, carved from 64 KiB chunks aligned to their size: what the frame allocator
// (base/frame_pool.cpp) and the task slab (task/task_slab.hpp) share. A block's chunk is found by
// masking its address.
//
//   chunk:  | header 128 | side table: one entry a block | blocks, the first 64-byte aligned ... |
//
// I1  A chunk belongs to one pool and one size class for as long as it holds a block; `owner` never
//     changes then.
// I2  It is in exactly one place: current (the class allocates from it), available (has room),
//     full, or the spares.
// I3  `gate` is the pool while the fast paths may use the chunk and null while it is full (or
//     shared, or holds a single large block): one compare on release tells "mine and ordinary" from
//     everything else.
// I4  Blocks from `bump` on were never touched, nor their side entries: memory is resident only
//     when used. They are carved a page's worth at a time.
// I5  `live` counts the blocks handed out and not yet put back to the chunk. At 0 the chunk becomes
//     a spare, unless it is the current one of its class (a spawn/join loop would open and close it). It goes
//     back to the system if there are spares enough, or if it holds a single large block.
//
// Threads: a pool and its chunks belong to one thread or lock at a time. Foreign threads may read
// `gate`, `owner`, `tag`.
// Lifetime: in ASan builds a block that is free is poisoned, links included.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include <eddy/base/detail/list.hpp>
#include <eddy/config.hpp>

#include "base/sanitizer.hpp"

#ifdef EDDY_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace eddy { inline namespace EDDY_ABI { namespace detail {

#ifdef EDDY_ASAN
inline void slab_poison(const void* p, std::size_t bytes) noexcept {
  __asan_poison_memory_region(p, bytes);
}
inline void slab_unpoison(const void* p, std::size_t bytes) noexcept {
  __asan_unpoison_memory_region(p, bytes);
}
#else
inline void slab_poison(const void*, std::size_t) noexcept {}
inline void slab_unpoison(const void*, std::size_t) noexcept {}
#endif

inline constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
inline constexpr unsigned slab_classes = 64;  // class 0 serves zero bytes with the smallest block

/// What a block holds while it is free. Poisoned like the rest of the block, hence the attribute.
struct free_block {
  free_block* next;
};
[[gnu::no_sanitize_address]] inline free_block* make_free(void* p, free_block* next) noexcept {
  return ::new (p) free_block{next};
}
[[gnu::no_sanitize_address]] inline free_block* next_of(const free_block* b) noexcept {
  return b->next;
}

struct chunk_table;
class chunk_pool;

struct alignas(64) chunk : list_node {
  free_block* free = nullptr;
  std::atomic<chunk_table*> gate{
      nullptr};  // I3; relaxed: written by the owner, others only see that it is not theirs
  chunk_pool* owner = nullptr;
  std::uint32_t live = 0;
  std::uint32_t cls = 0;
  std::uint32_t block_bytes = 0;
  std::uint32_t reciprocal = 0;

  std::uint32_t first = 0;  // offset of block 0
  std::uint32_t bump = 0;   // offset of the first block never used
  std::uint32_t end = 0;    // offset behind the last block
  // Task slab, shared chunks only: live blocks and the slab; the fetch_sub pairs with itself.
  std::atomic<std::uint32_t> holders{0};
  std::size_t mapped = 0;
  std::atomic<void*> tag{
      nullptr};  // task slab: the runtime; store in orphan() against loads by foreign wakers

  /// Which block of the chunk `p` is. Exact: offsets are below 2^12 sixteenths, the error of the
  /// reciprocal below 2^-16.
  std::size_t index_of(const void* p) const noexcept {
    const auto offset =
        static_cast<std::uint64_t>(static_cast<const std::byte*>(p) - base()) - first;
    return static_cast<std::size_t>((offset >> 4) * reciprocal >> 22);
  }
  const std::byte* base() const noexcept { return reinterpret_cast<const std::byte*>(this); }
  std::byte* base() noexcept { return reinterpret_cast<std::byte*>(this); }
  std::byte* side() noexcept { return base() + sizeof(chunk); }
};
static_assert(sizeof(chunk) == 128);

inline chunk* chunk_of(void* block) noexcept {
  return reinterpret_cast<chunk*>(reinterpret_cast<std::uintptr_t>(block) &
                                  ~std::uintptr_t{chunk_bytes - 1});
}

/// The chunk of a class that has none yet: no room, never written.
extern constinit chunk nil_chunk;

/// The part of a pool that the fast paths touch; trivially destructible, so that an empty one may
/// be a global.
struct chunk_table {
  chunk* current[slab_classes + 1];
  // One writer; the relaxed loads by live_frames() want a quiet moment, not an order.
  std::atomic<std::size_t> live{0};

  constexpr chunk_table() noexcept : current{} {
    for (chunk*& c : current) c = &nil_chunk;
  }

  void count(std::size_t change) noexcept {
    live.store(live.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
  }
};

class chunk_pool : public chunk_table {
 public:
  /// Classes are multiples of `1 << shift` bytes; each block has `side` bytes in the side table,
  /// zeroed when it is carved.
  chunk_pool(unsigned shift, unsigned side, void* tag) noexcept
      : shift_(shift), side_(side), tag_(tag) {}
  ~chunk_pool() = default;
  chunk_pool(const chunk_pool&) = delete;
  chunk_pool& operator=(const chunk_pool&) = delete;

  /// After `take` found nothing: makes a chunk with a free block current. False when out of memory.
  bool refill(unsigned cls) noexcept;

  /// A chunk with a single block of `bytes`; its gate stays shut. Null when out of memory.
  chunk* make_single(std::size_t bytes) noexcept;

  /// Opens a full chunk because a block comes back to it.
  void reopen(chunk& c) noexcept;

  /// Takes back a chunk without live blocks that is available or holds a single block.
  void retire(chunk& c) noexcept;

  /// Gives the empty current chunks and the spares back to the system.
  void trim() noexcept;

  /// Visits every chunk that may hold a live block. `f` may unmap the chunk after it has unlinked
  /// it.
  template <class F>
  void for_each_chunk(F&& f) {
    for (chunk* c : current)
      if (c != &nil_chunk) f(*c);
    for (list<chunk>& available : available_) walk(available, f);
    walk(full_, f);
  }

  static void* map(std::size_t bytes) noexcept;
  static void unmap(chunk& c) noexcept;

  /// What a pool keeps of a burst: 16 MiB.
  static constexpr unsigned most_spares = 256;

 private:
  template <class F>
  static void walk(list<chunk>& chunks, F& f) {
    for (chunk* c = chunks.front(); c != nullptr;) {
      chunk* const next = chunks.after(*c);
      f(*c);
      c = next;
    }
  }

  chunk* make(unsigned cls, std::size_t block_bytes, std::size_t mapped) noexcept;
  void carve(chunk& c) noexcept;

  list<chunk> available_[slab_classes + 1];
  list<chunk> full_;
  list<chunk> spares_;
  unsigned spare_count_ = 0;
  unsigned shift_;
  unsigned side_;
  void* tag_;
};

/// A block of the class, or null: then the caller refills and asks again.
inline void* take(chunk_table& table, std::size_t cls) noexcept {
  chunk* const c = table.current[cls];
  free_block* const b = c->free;
  if (b == nullptr) [[unlikely]]
    return nullptr;
  c->free = next_of(b);
  ++c->live;
  table.count(1);
  slab_unpoison(b, c->block_bytes);
  return b;
}

/// Puts a block back to a chunk whose gate is open, without counting it.
inline void put_back(chunk_table& table, chunk* c, void* block) noexcept {
  c->free = make_free(block, c->free);
  slab_poison(block, c->block_bytes);
  if (--c->live == 0 && table.current[c->cls] != c) [[unlikely]]
    static_cast<chunk_pool&>(table).retire(*c);
}

}}}  // namespace eddy::EDDY_ABI::detail
