#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <eddy/config.hpp>
#include <eddy/time/clock.hpp>

namespace eddy::inline EDDY_ABI::detail {

/// Slots ordered by deadline; equal ones by the order in which they were added. A four-fold heap of slot
/// numbers, with each slot's place in it. Slots are small numbers that are used again.
class deadline_heap {
 public:
  std::uint32_t add(instant t);
  /// The slot that the next `add` will use; slots there are, free ones too.
  std::uint32_t next_slot() const noexcept {
    return free_.empty() ? static_cast<std::uint32_t>(slots_.size()) : free_.back();
  }
  std::size_t slots() const noexcept { return slots_.size(); }
  void remove(std::uint32_t slot) noexcept;
  void move(std::uint32_t slot, instant t) noexcept;
  std::uint32_t first() const noexcept { return heap_.front(); }
  instant first_deadline() const noexcept { return slots_[heap_.front()].deadline; }
  instant deadline(std::uint32_t slot) const noexcept { return slots_[slot].deadline; }
  std::size_t size() const noexcept { return heap_.size(); }
  void reserve(std::size_t n) {
    heap_.reserve(n);
    slots_.reserve(n);
    free_.reserve(n);
  }

 private:
  struct entry {
    instant deadline;
    std::uint64_t order;
    std::uint32_t place;
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

}  // namespace eddy::inline EDDY_ABI::detail
