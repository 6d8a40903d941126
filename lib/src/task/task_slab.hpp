#pragma once
// The memory of a runtime's tasks: 16-byte classes, so that a 64-byte task costs 64 bytes and a
// 24-byte side entry. The side table is what the dump and the debugger scripts walk; it is kept out
// of the block to keep the block one cache line.
//
// I1  Until share(), slab and blocks belong to one thread (or lock) at a time, the caller's
//     business.
// I2  From share() on nothing is allocated, and release() may be called by any thread: each chunk
//     counts its live blocks and the slab atomically, and who takes the last away unmaps it. A
//     chunk of the slab stays mapped until orphan().
// I3  orphan() ends the slab: runtime() and home() of what still lives are null.
//
// Shutdown, where foreign threads hold references to tasks: share(), then hand the counts over task
// by task (a foreign thread may now release), then wait until no foreign thread needs the runtime,
// then orphan().

#include <cstddef>
#include <cstdint>

#include <eddy/config.hpp>

#include "base/slab.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

inline constexpr unsigned task_shift = 4;
inline constexpr std::size_t largest_task = std::size_t{slab_classes} << task_shift;

struct task_info {
  std::uint64_t id;  // 0: the block is free, or its task is not set up yet
  const char* name;
  const void* site;
};
static_assert(sizeof(task_info) == 24);

class task_slab : private chunk_pool {
 public:
  /// `runtime` is what runtime(block) answers.
  explicit task_slab(void* runtime) noexcept;
  ~task_slab() { orphan(); }

  /// A block of at least `bytes`, aligned to 16; null when out of memory, and after share(). Its
  /// info's id is 0 and stays so until the caller sets it. More than 1024 bytes take a chunk to
  /// themselves.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept;

  /// Gives a block back. Threads: the slab's; after share(), any.
  static void release(void* block) noexcept;

  /// The block's entry in the side table. Threads: who may touch the block.
  [[nodiscard]] static task_info& info(void* block) noexcept {
    chunk* const c = chunk_of(block);
    return reinterpret_cast<task_info*>(c->side())[c->index_of(block)];
  }

  /// The runtime the block was made for; null after orphan(). Threads: any that keeps the block
  /// alive; such a thread may use the runtime only while it also keeps orphan() from being called.
  [[nodiscard]] static void* runtime(void* block) noexcept {
    return chunk_of(block)->tag.load(
        std::memory_order_acquire);  // pairs with the store in orphan()
  }

  /// The slab a block came from; null after orphan(). Threads: the slab's.
  [[nodiscard]] static task_slab* home(void* block) noexcept {
    chunk* const c = chunk_of(block);
    return c->tag.load(std::memory_order_relaxed) == nullptr ? nullptr
                                                             : static_cast<task_slab*>(c->owner);
  }

  /// Calls `f(void* block)` for every block whose id is not 0. `f` may neither allocate nor
  /// release: collect first. Not after share().
  template <class F>
  void for_each(F&& f) {
    for_each_chunk([&f](chunk& c) {
      const std::size_t blocks = (c.bump - c.first) / c.block_bytes;
      const auto* const infos = reinterpret_cast<const task_info*>(c.side());
      for (std::size_t i = 0; i < blocks; ++i)
        if (infos[i].id != 0) f(static_cast<void*>(c.base() + c.first + i * c.block_bytes));
    });
  }

  /// From now on any thread may release. Idempotent. Call it before a foreign thread can hold a
  /// last reference.
  void share() noexcept;

  /// The runtime ends: shares if that has not happened, and lets go of the chunks. The slab may
  /// then be destroyed; blocks live on, and the last release of a chunk frees it.
  void orphan() noexcept;

  /// Blocks allocated and not released; meaningless after share().
  [[nodiscard]] std::size_t live() const noexcept {
    return chunk_table::live.load(std::memory_order_relaxed);
  }

 private:
  static void release_slow(chunk* c, void* block) noexcept;
  [[nodiscard]] void* allocate_slow(std::size_t bytes) noexcept;

  bool shared_ = false;
  bool orphaned_ = false;
};

inline void* task_slab::allocate(std::size_t bytes) noexcept {
  if (bytes <= largest_task) [[likely]] {
    void* const p = take(*this, (bytes + 15) >> task_shift);
    if (p != nullptr) [[likely]]
      return p;
  }
  return allocate_slow(bytes);
}

inline void task_slab::release(void* block) noexcept {
  chunk* const c = chunk_of(block);
  chunk_table* const home = c->gate.load(std::memory_order_relaxed);
  if (home == nullptr) [[unlikely]]
    return release_slow(c, block);
  reinterpret_cast<task_info*>(c->side())[c->index_of(block)].id = 0;
  home->count(static_cast<std::size_t>(-1));
  put_back(*home, c, block);
}

}}}  // namespace eddy::EDDY_ABI::detail
