#include <eddy/runtime/random.hpp>

#include "runtime/loop.hpp"

namespace eddy::inline EDDY_ABI::detail {

std::uint32_t draw(const context& cx, std::uint32_t n) noexcept {
  auto* const l = loop::of(cx);
  if (l == nullptr) return 0;
  return static_cast<std::uint32_t>(((l->random() & 0xFFFFFFFFU) * n) >> 32);
}

}  // namespace eddy::inline EDDY_ABI::detail
