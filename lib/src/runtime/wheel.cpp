#include "runtime/wheel.hpp"

#include <algorithm>
#include <bit>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

void wheel::put(slot& here, timer_entry& entry) noexcept {
  here.earliest = here.entries.empty() ? entry.deadline : std::min(here.earliest, entry.deadline);
  here.entries.push_back(entry);
}

void wheel::insert(timer_entry& entry) noexcept {
  const std::uint64_t tick = entry.deadline >> tick_bits;
  if (tick < tick_) [[unlikely]]
    return put(due_, entry);
  // The lowest six bits set make a difference of 0 count as one in the lowest digit.
  const auto highest = static_cast<unsigned>(std::bit_width((tick ^ tick_) | (slots - 1))) - 1;
  const unsigned level = highest / digit_bits;
  const auto index = static_cast<unsigned>(tick >> (level * digit_bits)) % slots;
  put(slots_[level * slots + index], entry);
  occupied_[level] |= std::uint64_t{1} << index;
  levels_ |= 1U << level;
}

void wheel::vacate(unsigned level, unsigned index) noexcept {
  occupied_[level] &= ~(std::uint64_t{1} << index);
  if (occupied_[level] == 0) levels_ &= ~(1U << level);
}

void wheel::remove(timer_entry& entry) noexcept {
  const list_node* const neighbour = entry.prev;
  const bool last = neighbour == entry.next;
  entry.unlink();
  if (!last) return;
  // The neighbour is the anchor of a list; as an address it tells which one, and whether it is one
  // of the slots at all.
  const auto offset =
      reinterpret_cast<std::uintptr_t>(neighbour) - reinterpret_cast<std::uintptr_t>(&slots_[0]);
  if (offset >= sizeof slots_) return;
  const auto at = static_cast<unsigned>(offset / sizeof(slot));
  vacate(at / slots, at % slots);
}

wheel::place wheel::earliest() const noexcept {
  const auto level = static_cast<unsigned>(std::countr_zero(levels_));
  const auto index = static_cast<unsigned>(std::countr_zero(occupied_[level]));
  const unsigned shift = level * digit_bits;
  const std::uint64_t above = ~std::uint64_t{0} << shift << digit_bits;
  return {level, index, (tick_ & above) | std::uint64_t{index} << shift};
}

void wheel::take_due(slot& from, std::uint64_t now, list<timer_entry>& expired) noexcept {
  std::uint64_t earliest = std::numeric_limits<std::uint64_t>::max();
  for (timer_entry* entry = from.entries.front(); entry != nullptr;) {
    timer_entry* const following = from.entries.after(*entry);
    if (entry->deadline <= now) {
      list<timer_entry>::erase(*entry);
      expired.push_back(*entry);
    } else {
      earliest = std::min(earliest, entry->deadline);
    }
    entry = following;
  }
  from.earliest = earliest;
}

void wheel::advance_to(std::uint64_t now, list<timer_entry>& expired) noexcept {
  take_due(due_, now, expired);
  const std::uint64_t target = std::max(now >> tick_bits, tick_);
  while (levels_ != 0) {
    const place at = earliest();
    if (at.tick > target) break;
    tick_ = at.tick;
    slot& here = slots_[at.level * slots + at.index];
    if (at.level == 0 && at.tick == target) {
      take_due(here, now, expired);  // the tick is not over: some may still be to come
      if (here.entries.empty()) vacate(0, at.index);
      break;
    }
    vacate(at.level, at.index);
    if (at.level == 0) {
      expired.splice_back(here.entries);
      continue;
    }
    // tick_ now agrees with these in this digit: each goes to a lower level.
    while (timer_entry* const entry = here.entries.pop_front()) insert(*entry);
  }
  tick_ = target;
}

std::uint64_t wheel::next_deadline(std::size_t few) const noexcept {
  if (empty()) return std::numeric_limits<std::uint64_t>::max();
  const slot* here = &due_;
  if (due_.entries.empty()) {
    const place at = earliest();
    here = &slots_[at.level * slots + at.index];
  }
  std::size_t seen = 0;
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const timer_entry* entry = here->entries.front(); entry != nullptr;
       entry = here->entries.after(*entry)) {
    if (++seen > few) return here->earliest;
    least = std::min(least, entry->deadline);
  }
  return least;
}

std::size_t wheel::size() const noexcept {
  std::size_t count = 0;
  const auto add = [&count](const slot& s) noexcept {
    for (const timer_entry* entry = s.entries.front(); entry != nullptr;
         entry = s.entries.after(*entry))
      ++count;
  };
  add(due_);
  for (const slot& s : slots_) add(s);
  return count;
}

}}}  // namespace eddy::EDDY_ABI::detail
