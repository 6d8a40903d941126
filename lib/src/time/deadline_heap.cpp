#include <eddy/time/detail/deadline_heap.hpp>

#include <algorithm>
#include <utility>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {
constexpr std::size_t fold = 4;  // children a node: half the levels of two, and one cache line
}

std::uint32_t deadline_heap::prepare() {
  if (!free_.empty()) return free_.back();
  if (slots_.size() == slots_.capacity()) reserve(std::max<std::size_t>(8, slots_.size() * 2));
  return static_cast<std::uint32_t>(slots_.size());
}

std::uint32_t deadline_heap::add(instant t) noexcept {
  auto slot = static_cast<std::uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].deadline = t;
  slots_[slot].order = next_order_++;
  heap_.push_back(slot);
  rise(heap_.size() - 1);
  return slot;
}

void deadline_heap::reserve(std::size_t n) {
  heap_.reserve(n);
  free_.reserve(n);
  slots_.reserve(n);  // last: I2 if one of the others throws
}

void deadline_heap::shrink() {
  while (!slots_.empty() && slots_.back().place == nowhere) slots_.pop_back();
  std::erase_if(free_, [this](std::uint32_t slot) { return slot >= slots_.size(); });
  // Not by shrink_to_fit: without exceptions libstdc++'s does nothing.
  decltype(slots_)(slots_.begin(), slots_.end()).swap(slots_);
  for (auto* v : {&heap_, &free_}) {
    std::vector<std::uint32_t> smaller;
    smaller.reserve(slots_.capacity());
    smaller.assign(v->begin(), v->end());
    v->swap(smaller);
  }
}

void deadline_heap::remove(std::uint32_t slot) noexcept {
  const std::size_t place = slots_[slot].place;
  const std::uint32_t last = heap_.back();
  heap_.pop_back();
  free_.push_back(slot);
  slots_[slot].place = nowhere;
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

}}}  // namespace eddy::EDDY_ABI::detail
