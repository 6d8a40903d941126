#include <eddy/time/deadline_heap.hpp>

#include <algorithm>
#include <utility>

namespace eddy::inline EDDY_ABI::detail {

namespace {
constexpr std::size_t fold = 4;
}

std::uint32_t deadline_heap::add(instant t) {
  auto slot = static_cast<std::uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.push_back({});
    heap_.reserve(slots_.capacity());
    free_.reserve(slots_.capacity());  // so that remove never has to
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].deadline = t;
  slots_[slot].order = next_order_++;
  heap_.push_back(slot);
  put(slot, heap_.size() - 1);
  rise(heap_.size() - 1);
  return slot;
}

void deadline_heap::remove(std::uint32_t slot) noexcept {
  const std::size_t place = slots_[slot].place;
  const std::uint32_t last = heap_.back();
  heap_.pop_back();
  free_.push_back(slot);
  if (last == slot) return;
  put(last, place);
  rise(place);
  sink(slots_[last].place);
}

void deadline_heap::move(std::uint32_t slot, instant t) noexcept {
  slots_[slot].deadline = t;
  slots_[slot].order = next_order_++;
  rise(slots_[slot].place);
  sink(slots_[slot].place);
}

bool deadline_heap::before(std::uint32_t a, std::uint32_t b) const noexcept {
  const entry& x = slots_[a];
  const entry& y = slots_[b];
  return x.deadline != y.deadline ? x.deadline < y.deadline : x.order < y.order;
}

void deadline_heap::put(std::uint32_t slot, std::size_t place) noexcept {
  heap_[place] = slot;
  slots_[slot].place = static_cast<std::uint32_t>(place);
}

void deadline_heap::rise(std::size_t place) noexcept {
  const std::uint32_t slot = heap_[place];
  while (place != 0) {
    const std::size_t up = (place - 1) / fold;
    if (!before(slot, heap_[up])) break;
    put(heap_[up], place);
    place = up;
  }
  put(slot, place);
}

void deadline_heap::sink(std::size_t place) noexcept {
  const std::uint32_t slot = heap_[place];
  for (;;) {
    const std::size_t first = place * fold + 1;
    if (first >= heap_.size()) break;
    std::size_t least = first;
    for (std::size_t i = first + 1; i < std::min(first + fold, heap_.size()); ++i)
      if (before(heap_[i], heap_[least])) least = i;
    if (!before(heap_[least], slot)) break;
    put(heap_[least], place);
    place = least;
  }
  put(slot, place);
}

}  // namespace eddy::inline EDDY_ABI::detail
