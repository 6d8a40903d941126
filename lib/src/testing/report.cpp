#include <eddy/testing/report.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace eddy { inline namespace EDDY_ABI { namespace test {

namespace {

void print(const failed_check& f) noexcept {
  std::fprintf(stderr, "eddy: %s:%u: %.*s\n", f.file, static_cast<unsigned>(f.line),
               static_cast<int>(f.what.size()), f.what.data());
}
[[noreturn]] void print_and_abort(const failed_check& f) {
  print(f);
  std::abort();
}

// A function pointer alone is published; no partner.
std::atomic<reporter> current{&print_and_abort};

}  // namespace

reporter set_reporter(reporter r) noexcept {
  return current.exchange(r != nullptr ? r : &print_and_abort, std::memory_order_relaxed);
}

void fail(std::string_view what, std::source_location at) noexcept {
  current.load(std::memory_order_relaxed)(failed_check{at.file_name(), at.line(), what, false});
}

void fail_and_end(std::string_view what, std::source_location at) {
  const failed_check f{at.file_name(), at.line(), what, true};
  current.load(std::memory_order_relaxed)(f);
  print_and_abort(f);  // it came back: there are no exceptions
}

}}}  // namespace eddy::EDDY_ABI::test
