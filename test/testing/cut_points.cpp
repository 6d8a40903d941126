#include <eddy/testing/cut_points.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/testing/doctest.hpp>

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::test::cut_points;
using eddy::test::failed_check;

TEST_CASE("a scenario is cut after each number of polls, and at last runs to its end") {
  std::vector<int> got;
  const auto cuts = cut_points([&got]() -> future<> {
    got.push_back(0);
    for (int i = 0; i < 3; ++i) {
      co_await eddy::yield_now();
      ++got.back();
    }
  });
  CHECK(cuts == 4);
  CHECK(got == std::vector{0, 1, 2, 3});
}

TEST_CASE("what the scenario spawns counts, and time passes by itself") {
  const auto cuts = cut_points([]() -> future<> {
    auto h = eddy::spawn([]() -> future<> { co_await eddy::sleep(1h); });
    co_await eddy::sleep(2h);
    co_await h;
  });
  CHECK(cuts == 4);
}

// Collected, because a leak is what these want.
std::vector<std::string> leaks;
void collect(const failed_check& f) {
  leaks.emplace_back(f.what);
#if EDDY_EXCEPTIONS
  if (f.ends_test) throw std::runtime_error("ended");
#endif
}

TEST_CASE("what is left behind is a failed check that names the cut") {
  leaks.clear();
  std::vector<future<>> hidden;
  const auto before = eddy::test::set_reporter(&collect);
  const auto never_run = []() -> future<> { co_return; };
  cut_points([&]() -> future<> {
    co_await eddy::yield_now();
    if (hidden.empty()) hidden.push_back(never_run());
    co_await eddy::yield_now();
  });
  eddy::test::set_reporter(before);
  REQUIRE(leaks.size() == 1);
  CHECK(std::string_view(leaks[0]).starts_with("a leak: "));
  CHECK(std::string_view(leaks[0]).ends_with(" before (cut after 2 polls)"));
}

#if EDDY_EXCEPTIONS
TEST_CASE("a scenario without an end is a failed check; what it throws comes out") {
  leaks.clear();
  const auto before = eddy::test::set_reporter(&collect);
  CHECK_THROWS_AS(cut_points(
                      []() -> future<> {
                        for (;;) co_await eddy::yield_now();
                      },
                      20),
                  std::runtime_error);
  eddy::test::set_reporter(before);
  REQUIRE(leaks.size() == 1);
  CHECK(leaks[0] == "the scenario did not end after 20 polls");
  CHECK_THROWS_AS(cut_points([]() -> future<> {
                    co_await eddy::yield_now();
                    throw std::out_of_range("scenario");
                  }),
                  std::out_of_range);
}
#endif

}  // namespace
