#pragma once
// Slots ordered by deadline, equal ones by the order in which they were added or moved. Passive: no clock.
//
// I1  `heap_` is a four-fold heap of slot numbers; `slots_[s].place` is where `s` stands in it, `nowhere` for
//     a free slot. The free ones are in `free_`.
// I2  `heap_` and `free_` have room for as many as `slots_` has: once `prepare` has returned, nothing throws.
//
// Threads: those of its owner, one at a time.

#include <cstddef>
#include <cstdint>
#include <vector>

#include <eddy/config.hpp>
#include <eddy/time/clock.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class deadline_heap {
 public:
  /// Makes room for one more: the slot that `add` will use. Small numbers, used again.
  std::uint32_t prepare();
  /// After `prepare`. Cost: logarithmic, as `remove` and `move`.
  std::uint32_t add(instant t) noexcept;
  void remove(std::uint32_t slot) noexcept;
  void move(std::uint32_t slot, instant t) noexcept;
  std::uint32_t first() const noexcept { return heap_.front(); }
  instant first_deadline() const noexcept { return slots_[heap_.front()].deadline; }
  instant deadline(std::uint32_t slot) const noexcept { return slots_[slot].deadline; }
  std::size_t size() const noexcept { return heap_.size(); }
  /// One more than the highest slot ever used since the last `shrink`.
  std::size_t slots() const noexcept { return slots_.size(); }
  void reserve(std::size_t n);
  /// Forgets the free slots above the highest that is used, and gives memory back.
  void shrink();

 private:
  static constexpr std::uint32_t nowhere = UINT32_MAX;
  struct entry {
    instant deadline;
    std::uint64_t order = 0;
    std::uint32_t place = nowhere;
  };
  bool before(std::uint32_t a, std::uint32_t b) const noexcept;
  void put(std::uint32_t slot, std::size_t place) noexcept;
  void rise(std::size_t place) noexcept;
  void sink(std::size_t place) noexcept;

  std::vector<std::uint32_t> heap_;
  std::vector<entry> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t next_order_ = 0;
};

}}}  // namespace eddy::EDDY_ABI::detail
