#pragma once
// A hierarchical timer wheel: passive, without a clock, without allocation.
//
// Time is cut into ticks of 2^10 ns. A tick has 54 bits: nine digits of six bits, one level of 64
// slots each. An entry lies at the level of the highest digit in which its tick differs from
// `tick_`, in the slot named by that digit.
//
// I1  `tick_` never decreases, and no occupied slot begins before it. Hence in a level only slots
//     above the digit of `tick_` are occupied (in level 0 also that very slot), and the first slot
//     of the lowest occupied level is the earliest of all: everything elsewhere is later than all
//     of it.
// I2  Bit s of `occupied_[l]` is set exactly when slot s of level l holds an entry; bit l of
//     `levels_` exactly when `occupied_[l]` is not 0. The last entry to leave sees that both its
//     neighbours are the slot, and clears them.
// I3  Entries whose tick was over when they came are in `due_`, not in a slot.
// I4  An entry is handed out only when `now >= deadline`. Order: `due_` first, then by tick; within
//     a tick, and so among equal deadlines, in the order of insertion. (A slot moves down as a
//     whole, before anything is put below it.)
// I5  No entry of a slot has a deadline before the slot's `earliest`, which is that of one that is in it,
//     or was.
//
// Threads: one at a time; a build with the pool puts a lock around it.

#include <cstddef>
#include <cstdint>
#include <limits>

#include <eddy/base/detail/list.hpp>
#include <eddy/config.hpp>
#include <eddy/runtime/detail/timer_entry.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class wheel {
 public:
  static constexpr unsigned tick_bits = 10;

  wheel() noexcept = default;
  wheel(const wheel&) = delete;
  wheel& operator=(const wheel&) = delete;

  /// Puts an unlinked entry in. A deadline that has passed is due at the next advance_to. Cost:
  /// O(1).
  void insert(timer_entry& entry) noexcept;

  /// Takes a linked entry out, also out of a list of expired ones. Cost: O(1).
  void remove(timer_entry& entry) noexcept;

  /// Appends every entry with `deadline <= now` to `expired`. Time starts at 0; a `now` before an
  /// earlier one is allowed.
  /// Cost: O(1) for each slot on the way that holds something, and for each entry once a level it
  /// comes down.
  void advance_to(std::uint64_t now, list<timer_entry>& expired) noexcept;

  /// A time not later than the earliest deadline; max() when empty. Exact while the slot in
  /// question holds at most `few` entries or nothing has been taken out of it; else a time that was
  /// wanted and no longer is: wake then, advance, and ask again. A clock that stands at it, as a
  /// paused one does, gets no further by that inside a tick: it asks again without a limit.
  [[nodiscard]] std::uint64_t next_deadline(std::size_t few = 8) const noexcept;

  [[nodiscard]] bool empty() const noexcept { return levels_ == 0 && due_.entries.empty(); }

  /// Cost: O(entries); for the dump and for tests.
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  static constexpr unsigned digit_bits = 6;
  static constexpr unsigned slots = 1U << digit_bits;
  static constexpr unsigned levels = (64 - tick_bits) / digit_bits;
  static_assert(levels * digit_bits + tick_bits == 64);

  struct slot {
    list<timer_entry> entries;
    std::uint64_t earliest = 0;  // I5; means nothing while there are no entries
  };
  struct place {
    unsigned level;
    unsigned index;
    std::uint64_t tick;  // where the slot begins
  };
  [[nodiscard]] place earliest() const noexcept;
  void vacate(unsigned level, unsigned index) noexcept;
  static void put(slot& here, timer_entry& entry) noexcept;
  static void take_due(slot& from, std::uint64_t now, list<timer_entry>& expired) noexcept;

  std::uint64_t tick_ = 0;
  std::uint32_t levels_ = 0;
  std::uint64_t occupied_[levels] = {};
  slot due_;
  slot slots_[levels * slots];
};

}}}  // namespace eddy::EDDY_ABI::detail
