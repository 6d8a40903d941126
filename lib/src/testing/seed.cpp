#include <eddy/testing/seed.hpp>

#include <chrono>
#include <cstdlib>

namespace eddy { inline namespace EDDY_ABI { namespace test {

std::uint64_t seed() noexcept {
  static const std::uint64_t value = [] {
    if (const char* const given = std::getenv("EDDY_SEED"))
      return static_cast<std::uint64_t>(std::strtoull(given, nullptr, 10));
    // Some digits, to be typed again.
    return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count() /
                                      1000 % 1'000'000'000);
  }();
  return value;
}

}}}  // namespace eddy::EDDY_ABI::test
