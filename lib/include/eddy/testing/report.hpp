#pragma once

#include <cstdint>
#include <source_location>
#include <string_view>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace test {

/// A check of the test kit that did not hold.
struct failed_check {
  const char* file;       ///< where it stands
  std::uint32_t line;     ///< where it stands
  std::string_view what;  ///< what was found
  bool ends_test;         ///< the test cannot go on: the reporter throws, or ends the program
};

/// Told of every failed check. For one that does not end the test it must not throw: destructors report too.
using reporter = void (*)(const failed_check&);

/// Who is told from now on; who was before. Without one, the default, a failed check is a line on standard error and
/// ends the program. `<eddy/testing/doctest.hpp>` sets doctest's.
/// Threads: any.
reporter set_reporter(reporter r) noexcept;

/// Reports a failed check; the test goes on.
void fail(std::string_view what,
          std::source_location at = std::source_location::current()) noexcept;
/// The same for one behind which the test cannot go on.
[[noreturn]] void fail_and_end(std::string_view what,
                               std::source_location at = std::source_location::current());

}}}  // namespace eddy::EDDY_ABI::test
