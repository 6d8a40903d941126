#pragma once

// For tests with doctest: what the kit finds becomes doctest's, and test cases may be coroutines.

#include <doctest/doctest.h>

#include <string>

#include <eddy/config.hpp>
#include <eddy/core/future.hpp>
#include <eddy/testing/flavour.hpp>
#include <eddy/testing/leak_check.hpp>
#include <eddy/testing/report.hpp>
#include <eddy/testing/seed.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace test::detail {

inline void report_to_doctest(const failed_check& f) {
  const std::string what(f.what);
  const auto line = static_cast<int>(f.line);
  if (f.ends_test)
    DOCTEST_ADD_FAIL_AT(f.file, line, what);
  else
    DOCTEST_ADD_FAIL_CHECK_AT(f.file, line, what);
}
inline const bool reports_to_doctest = (set_reporter(&report_to_doctest), true);

inline void run_on_flavours(test_clock clock, future<> (*body)()) {
  for (const flavour& f : flavours(clock)) {
    DOCTEST_SUBCASE(f.name) {
      DOCTEST_INFO("EDDY_SEED=", seed());
      const leak_check leaks;
      f.run(clock, body);
    }
  }
}

}}}  // namespace eddy::EDDY_ABI::test::detail

/// A test case whose body is a coroutine, run once on each flavour of runtime of one loop with a paused clock:
/// `EDDY_TEST_CASE("it answers") { auto r = co_await ask(); CHECK(r == 42); }`
/// Its last statement may be `co_return;`, and must be where nothing is awaited. At its end nothing may have leaked. A
/// failure prints the seed of the shuffled order.
#define EDDY_TEST_CASE(name) EDDY_TEST_CASE_WITH_(name, paused, DOCTEST_ANONYMOUS(eddy_test_case_))
/// The same by the real clock, for what waits for sockets or threads; on pools, too, where the tasks it spawns run
/// beside it on other threads.
#define EDDY_TEST_CASE_REAL_TIME(name) \
  EDDY_TEST_CASE_WITH_(name, real, DOCTEST_ANONYMOUS(eddy_test_case_))

#define EDDY_TEST_CASE_WITH_(name, clock, body)                                    \
  static ::eddy::future<> body();                                                  \
  DOCTEST_TEST_CASE(name) {                                                        \
    ::eddy::test::detail::run_on_flavours(::eddy::test::test_clock::clock, &body); \
  }                                                                                \
  static ::eddy::future<> body()
