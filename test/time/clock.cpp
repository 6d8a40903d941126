#include <eddy/time/clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ratio>

#include <eddy/eddy.hpp>

#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::duration;
using eddy::instant;
using eddy::saturating_add;
using eddy::saturating_since;
using eddy::saturating_sub;
using eddy::detail::to_duration;
using eddy::detail::to_nanoseconds;

TEST_CASE("durations of every kind become nanoseconds, rounded up") {
  CHECK(to_duration(5ms) == 5'000'000ns);
  CHECK(to_duration(1ns) == 1ns);
  CHECK(to_duration(std::chrono::duration<std::int64_t, std::pico>(1)) == 1ns);
  CHECK(to_duration(std::chrono::duration<std::int64_t, std::pico>(1001)) == 2ns);
  CHECK(to_duration(std::chrono::duration<double>(0.5)) == 500ms);
  CHECK(to_duration(std::chrono::duration<float, std::milli>(1.5F)) == 1500us);
  CHECK(to_duration(std::chrono::duration<double, std::nano>(0.1)) == 1ns);
  CHECK(to_duration(std::chrono::duration<std::uint8_t, std::ratio<3600>>(200)) == 200h);
  CHECK(to_duration(std::chrono::duration<int, std::ratio<1, 3>>(1)) == 333'333'334ns);
}

TEST_CASE("negative times and what is no number are none") {
  CHECK(to_duration(-1ns) == 0ns);
  CHECK(to_duration(std::chrono::hours::min()) == 0ns);
  CHECK(to_duration(duration::min()) == 0ns);
  CHECK(to_duration(std::chrono::duration<double>(-1e300)) == 0ns);
  CHECK(to_duration(std::chrono::duration<double>(-std::numeric_limits<double>::infinity())) ==
        0ns);
  CHECK(to_duration(std::chrono::duration<double>(std::nan(""))) == 0ns);
}

TEST_CASE("times that no clock can hold are the longest") {
  CHECK(to_duration(std::chrono::hours::max()) == duration::max());
  CHECK(to_duration(duration::max()) == duration::max());
  CHECK(to_duration(std::chrono::duration<double>(1e300)) == duration::max());
  CHECK(to_duration(std::chrono::duration<double>(std::numeric_limits<double>::infinity())) ==
        duration::max());
  CHECK(to_duration(std::chrono::duration<std::uint64_t, std::nano>(UINT64_MAX)) ==
        duration::max());
  CHECK(to_duration(duration::max() - 1ns) == duration::max() - 1ns);
}

TEST_CASE("near the longest, floating times neither wrap nor come early") {
  for (double s = std::nextafter(9223372036.854775807, 0.0), i = 0; i < 100;
       ++i, s = std::nextafter(s, 0.0)) {
    const auto d = to_duration(std::chrono::duration<double>(s));
    REQUIRE(d > 292 * 365 * 24h);
    REQUIRE(static_cast<long double>(d.count()) >= static_cast<long double>(s) * 1e9L);
  }
  for (float s = 9223372036.854775807F, i = 0; i < 10; ++i, s = std::nextafter(s, 0.0F))
    REQUIRE(to_duration(std::chrono::duration<float>(s)) > 292 * 365 * 24h);
}

TEST_CASE("points in time: sums stop at the last, the wheel's time begins at 0") {
  CHECK(saturating_add(instant(5ns), 3ns) == instant(8ns));
  CHECK(saturating_add(instant(5ns), duration::max()) == instant::max());
  CHECK(saturating_add(instant::max(), 1ns) == instant::max());
  CHECK(saturating_add(instant::max(), 0ns) == instant::max());
  CHECK(saturating_add(instant::max() - 5ns, std::chrono::hours::max()) == instant::max());
  CHECK(saturating_add(instant(5ns), std::chrono::duration<double>(1e300)) == instant::max());
  CHECK(saturating_add(instant::min(), duration::max()) == instant(-1ns));
  CHECK(saturating_add(instant(5ns), -3h) == instant(5ns));  // a negative time is none
  CHECK(saturating_sub(instant(5ns), 8ns) == instant(-3ns));
  CHECK(saturating_sub(instant::min(), 1ns) == instant::min());
  CHECK(saturating_sub(instant(-5ns), std::chrono::hours::max()) == instant::min());
  CHECK(saturating_since(instant(8ns), instant(5ns)) == 3ns);
  CHECK(saturating_since(instant(5ns), instant(8ns)) == 0ns);
  CHECK(saturating_since(instant::max(), instant::min()) == duration::max());
  CHECK(saturating_since(instant::min(), instant::max()) == 0ns);
  CHECK(to_nanoseconds(instant(7ns)) == 7);
  CHECK(to_nanoseconds(instant(-7ns)) == 0);
  CHECK(to_nanoseconds(instant::min()) == 0);
  CHECK(to_nanoseconds(instant::max()) == static_cast<std::uint64_t>(INT64_MAX));
}

TEST_CASE("it is steady, and a chrono clock") {
  static_assert(std::chrono::is_clock_v<eddy::clock>);
  auto last = eddy::clock::now();
  for (int i = 0; i < 1000; ++i) {
    const auto now = eddy::clock::now();
    REQUIRE(now >= last);
    last = now;
  }
}

TEST_CASE("paused it stands, advances by hand, and goes on from there") {
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> eddy::future<> {
    const auto start = eddy::clock::now();
    co_await eddy::yield_now();
    CHECK(eddy::clock::now() == start);
    test::advance(5s);
    CHECK(eddy::clock::now() == start + 5s);
    test::here().resume();
    CHECK(eddy::clock::now() >= start + 5s);
    test::here().pause();
    const auto again = eddy::clock::now();
    CHECK(again >= start + 5s);
    CHECK(eddy::clock::now() == again);
  });
}

TEST_CASE("time goes on to the last instant, and stands there") {
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> eddy::future<> {
    co_await eddy::sleep_until(eddy::instant::max());
    CHECK(eddy::clock::now() == eddy::instant::max());
    test::here().resume();
    const auto before = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() == before) {
    }
    CHECK(eddy::clock::now() == eddy::instant::max());
  });
}

}  // namespace
