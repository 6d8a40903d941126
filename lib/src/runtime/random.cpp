#include <eddy/runtime/detail/random.hpp>

#include <cstddef>

#include "runtime/loop.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

std::uint64_t loop::random() noexcept {
  // splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)
  auto z = random_ += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

void loop::shuffle() noexcept {
  permute_ready([this](std::size_t n) { return static_cast<std::size_t>(random() % n); });
}

std::uint32_t draw(const context& cx, std::uint32_t n) noexcept {
  auto* const l = loop::of(cx);
  if (l == nullptr) return 0;
  return static_cast<std::uint32_t>(((l->random() & 0xFFFFFFFFU) * n) >> 32);
}

}}}  // namespace eddy::EDDY_ABI::detail
