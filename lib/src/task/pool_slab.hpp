#pragma once
// The memory of a pool's tasks: one slab a worker, from which only that worker takes. A task may be freed anywhere.
//
// I1  Chunks, free lists and side table belong to the owner, as in chunk_pool.
// I2  A task freed elsewhere is pushed on `returned_`, linked by `inbox_next`, its word still saying `done`; the
//     owner takes them all when it runs out of free blocks. Nobody else pops.
// I3  The slab outlives its pool for as long as a task's block is held: `orphan` and the releases elsewhere count
//     them down together, and the last one frees the slab.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <eddy/config.hpp>
#include <eddy/core/detail/task.hpp>

#include "base/slab.hpp"
#include "task/task_slab.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class task_pool;

class pool_slab : private chunk_pool {
 public:
  /// Null: no memory.
  static pool_slab* make(task_pool* pool) noexcept;

  /// Owner: a block for a task; null when out of memory.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept {
    if (bytes <= largest_task) [[likely]] {
      void* const p = take(*this, (bytes + 15) >> task_shift);
      if (p != nullptr) [[likely]]
        return p;
    }
    return allocate_slow(bytes);
  }
  /// Gives a task's block back. `here`: the slab of this thread, or null.
  static void release(task& t, pool_slab* here) noexcept {
    chunk* const c = chunk_of(&t);
    if (static_cast<pool_slab*>(c->owner) == here && here != nullptr) [[likely]]
      here->take_back(t, *c);
    else
      static_cast<pool_slab*>(c->owner)->return_from_elsewhere(t);
  }
  /// Owner: calls `f(task&)` for every task that has not been freed, but for some that are just being.
  template <class F>
  void for_each(F&& f) {
    collect();
    for_each_chunk([&f](chunk& c) {
      const std::size_t blocks = (c.bump - c.first) / c.block_bytes;
      const auto* const infos = reinterpret_cast<const task_info*>(c.side());
      for (std::size_t i = 0; i < blocks; ++i)
        if (infos[i].id != 0) f(*reinterpret_cast<task*>(c.base() + c.first + i * c.block_bytes));
    });
  }
  /// Calls `f(task_pool&)` with the pool of `t`, which then does not end before `f` has; false when it has ended.
  template <class F>
  static bool with_pool(task& t, F f) {
    chunk* const c = chunk_of(&t);
    auto& users = static_cast<pool_slab*>(c->owner)->users_;
    users.fetch_add(1, std::memory_order_seq_cst);  // partner: orphan
    auto* const pool = static_cast<task_pool*>(c->tag.load(std::memory_order_seq_cst));
    if (pool != nullptr) f(*pool);
    users.fetch_sub(1, std::memory_order_release);
    return pool != nullptr;
  }
  /// Owner: the pool ends. Do not use the slab after it.
  void orphan() noexcept;

 private:
  explicit pool_slab(task_pool* pool) noexcept : chunk_pool(task_shift, sizeof(task_info), pool) {}
  ~pool_slab() = default;

  [[nodiscard]] void* allocate_slow(std::size_t bytes) noexcept;
  void take_back(task& t, chunk& c) noexcept;
  void return_from_elsewhere(task& t) noexcept;
  void collect() noexcept;
  void destroy() noexcept;

  std::atomic<int> users_{0};   // threads inside with_pool
  std::int64_t collected_ = 0;  // of the returned
  // On a line of their own: other threads write here while the owner allocates.
  alignas(64) std::atomic<task*> returned_{
      nullptr};  // push: release; exchange in collect(): acquire
  std::atomic<std::int64_t> back_{
      0};  // returned, each after its push; from orphan() on less what is to come
};

}}}  // namespace eddy::EDDY_ABI::detail
