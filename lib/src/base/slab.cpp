#include "base/slab.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

// Mapped, not malloc'ed: malloc would keep the pages, and aligning in it doubles the address space.
// Under the sanitizers it is the allocator's memory all the same: the leak checker looks for
// pointers there and not in mappings, and the thread checker takes free, not munmap, for a write.
#if __has_include(<sys/mman.h>) && !defined(EDDY_ASAN) && !defined(EDDY_TSAN)
#define EDDY_SLAB_MAPS 1
#include <sys/mman.h>
#endif

namespace eddy { inline namespace EDDY_ABI { namespace detail {

constinit chunk nil_chunk;

namespace {

constexpr std::uint32_t page_bytes = 4096;

constexpr std::size_t round_up(std::size_t n, std::size_t to) noexcept {
  return (n + to - 1) / to * to;
}

}  // namespace

void* chunk_pool::map(std::size_t bytes) noexcept {
#ifdef EDDY_SLAB_MAPS
  const auto map_some = [](std::size_t n) noexcept -> std::byte* {
    void* const p = ::mmap(nullptr, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? nullptr : static_cast<std::byte*>(p);
  };
  const auto misfit = [](const std::byte* p) noexcept {
    return static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(p) % chunk_bytes);
  };
  // Mappings are laid next to each other, so that after the first one the plain request usually
  // fits.
  std::byte* p = map_some(bytes);
  if (p == nullptr || misfit(p) == 0) return p;
  ::munmap(p, bytes);
  p = map_some(bytes + chunk_bytes);
  if (p == nullptr) return nullptr;
  const std::size_t before = (chunk_bytes - misfit(p)) % chunk_bytes;
  if (before != 0) ::munmap(p, before);
  ::munmap(p + before + bytes, chunk_bytes - before);
  return p + before;
#else
  return ::operator new(bytes, std::align_val_t{chunk_bytes}, std::nothrow);
#endif
}

void chunk_pool::unmap(chunk& c) noexcept {
#ifdef EDDY_SLAB_MAPS
  const std::size_t bytes = c.mapped;
  // Refused only when the process has too many mappings: then at least the pages go.
  if (::munmap(&c, bytes) != 0) ::madvise(&c, bytes, MADV_DONTNEED);
#else
  slab_unpoison(&c, c.mapped);
  ::operator delete(static_cast<void*>(&c), std::align_val_t{chunk_bytes});
#endif
}

chunk* chunk_pool::make(unsigned cls, std::size_t block_bytes, std::size_t mapped) noexcept {
  void* memory = nullptr;
  if (chunk* const spare = mapped == chunk_bytes ? spares_.pop_front() : nullptr) {
    --spare_count_;
    memory = spare;
  } else {
    memory = map(mapped);
    if (memory == nullptr) return nullptr;
  }
  auto* const c = ::new (memory) chunk;
  std::size_t blocks = (mapped - sizeof(chunk)) / (block_bytes + side_);
  if (cls > slab_classes) blocks = 1;
  std::size_t first = round_up(sizeof(chunk) + blocks * side_, 64);
  if (first + blocks * block_bytes > mapped) first = round_up(sizeof(chunk) + --blocks * side_, 64);
  assert(blocks > 0);
  c->owner = this;
  c->cls = cls;
  c->block_bytes = static_cast<std::uint32_t>(block_bytes);
  c->reciprocal = static_cast<std::uint32_t>((std::size_t{1} << 22) / (block_bytes / 16) + 1);
  c->first = static_cast<std::uint32_t>(first);
  c->bump = c->first;
  c->end = static_cast<std::uint32_t>(first + blocks * block_bytes);
  c->mapped = mapped;
  c->tag.store(tag_, std::memory_order_relaxed);
  slab_unpoison(c->base(), first);  // a spare was cut up differently
  slab_poison(c->base() + first, mapped - first);
  return c;
}

void chunk_pool::carve(chunk& c) noexcept {
  const std::uint32_t batch =
      std::max<std::uint32_t>(1, page_bytes / c.block_bytes) * c.block_bytes;
  const std::uint32_t stop = std::min(c.end, c.bump + batch);
  const std::size_t from = (c.bump - c.first) / c.block_bytes;
  const std::size_t to = (stop - c.first) / c.block_bytes;
  if (side_ != 0) std::memset(c.side() + from * side_, 0, (to - from) * side_);
  for (std::uint32_t at = stop; at != c.bump;) {
    at -= c.block_bytes;
    c.free = make_free(c.base() + at, c.free);
  }
  c.bump = stop;
}

bool chunk_pool::refill(unsigned cls) noexcept {
  chunk* c = current[cls];
  if (c->free != nullptr) return true;
  if (c->bump == c->end) {
    chunk* next = available_[cls].pop_front();
    if (next == nullptr) {
      next = make(cls, std::size_t{std::max(cls, 1U)} << shift_, chunk_bytes);
      if (next == nullptr) return false;
      next->gate.store(this, std::memory_order_relaxed);
    }
    if (c != &nil_chunk) {
      c->gate.store(nullptr, std::memory_order_relaxed);
      full_.push_front(*c);
    }
    current[cls] = next;
    c = next;
  }
  if (c->free == nullptr) carve(*c);
  return true;
}

chunk* chunk_pool::make_single(std::size_t bytes) noexcept {
  const std::size_t before = round_up(sizeof(chunk) + side_, 64);
  if (bytes > UINT32_MAX - before - chunk_bytes) return nullptr;
  const std::size_t block_bytes = round_up(bytes, 16);
  chunk* const c = make(slab_classes + 1, block_bytes, round_up(before + block_bytes, chunk_bytes));
  if (c == nullptr) return nullptr;
  carve(*c);
  c->free = nullptr;
  c->live = 1;
  slab_unpoison(c->base() + c->first, block_bytes);
  full_.push_front(*c);
  count(1);
  return c;
}

void chunk_pool::reopen(chunk& c) noexcept {
  list<chunk>::erase(c);
  available_[c.cls].push_front(c);
  c.gate.store(this, std::memory_order_relaxed);
}

void chunk_pool::retire(chunk& c) noexcept {
  list<chunk>::erase(c);
  if (spare_count_ < most_spares && c.mapped == chunk_bytes) {
    spares_.push_front(c);
    ++spare_count_;
  } else {
    unmap(c);
  }
}

void chunk_pool::trim() noexcept {
  for (chunk*& c : current) {
    if (c->live != 0 || c == &nil_chunk) continue;
    unmap(*c);
    c = &nil_chunk;
  }
  while (chunk* const spare = spares_.pop_front()) unmap(*spare);
  spare_count_ = 0;
}

}}}  // namespace eddy::EDDY_ABI::detail
