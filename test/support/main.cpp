#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "base/sanitizer.hpp"

#ifdef EDDY_TSAN
// libuv closes by a bare system call, which TSan does not see: a descriptor number that another thread's loop
// gets afterwards looks like one that two threads use at once. So TSan shall not follow libuv's own calls. It
// loses nothing of eddy's: callbacks are eddy's code, and nothing there leans on libuv for its ordering.
extern "C" const char* __tsan_default_suppressions() { return "called_from_lib:libuv.so\n"; }
#endif

namespace {

unsigned cases = 0;

/// Counts the cases that a filter leaves; doctest itself is content with none.
struct count_cases : doctest::IReporter {
  explicit count_cases(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& run) override {
    cases = run.numTestCasesPassingFilters;
  }
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};

}  // namespace

REGISTER_LISTENER("count", 1, count_cases);

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int failed = context.run();
  if (failed != 0 || context.shouldExit() || cases != 0) return failed;
  std::fputs("no test case has this name or is in this file\n", stderr);
  return 1;
}
