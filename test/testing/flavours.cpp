#include <eddy/testing/flavour.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/testing/clock.hpp>
#include <eddy/testing/doctest.hpp>

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::test::flavour;
using eddy::test::flavours;
using eddy::test::test_clock;

int runs = 0;
int real_runs = 0;

EDDY_TEST_CASE("a coroutine test runs on every flavour") {
  ++runs;
  co_await eddy::sleep(1h);
}
EDDY_TEST_CASE_REAL_TIME("a coroutine test runs on every flavour by the real clock") {
  ++real_runs;
  co_await eddy::spawn([]() -> future<> { co_await eddy::sleep(1us); });
}
TEST_CASE("as often as there are flavours") {
  const auto paused = static_cast<int>(flavours(test_clock::paused).size());
  const auto real = static_cast<int>(flavours(test_clock::real).size());
  CHECK(paused == 3);
  CHECK(real == (EDDY_POOL ? 5 : 3));
  CHECK(runs % paused == 0);
  CHECK(real_runs % real == 0);
}

/// The order in which ten ready tasks run.
std::string order_of_ten(eddy::runtime& rt) {
  return rt.block_on([]() -> future<std::string> {
    std::string order;
    std::vector<eddy::join_handle<>> all;
    for (char c = '0'; c <= '9'; ++c)
      all.push_back(eddy::spawn(
          [](std::string& log, char which) -> future<> {
            log += which;
            co_await eddy::yield_now();
            log += which;
          },
          std::ref(order), c));
    for (auto& h : all) co_await h;
    co_return order;
  });
}
std::string shuffled(std::uint64_t seed) {
  auto rt = eddy::runtime::builder().rng_seed(seed).shuffle_ready().build();
  return order_of_ten(rt);
}

TEST_CASE("shuffled tasks run in an order that the seed decides, each once a round") {
  eddy::runtime plain;
  const std::string in_order = "01234567890123456789";
  CHECK(order_of_ten(plain) == in_order);
  const auto one = shuffled(1);
  CHECK(shuffled(1) == one);
  CHECK(one != in_order);
  CHECK(one.substr(0, 10) != one.substr(10));
  std::set<std::string> different;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto order = shuffled(seed);
    const auto digits = [&](std::size_t from) {
      const auto half = order.substr(from, 10);
      return std::set<char>(half.begin(), half.end()).size();
    };
    CHECK(digits(0) == 10);
    CHECK(digits(10) == 10);
    different.insert(order);
  }
  CHECK(different.size() == 20);
}

TEST_CASE("the seed is one for the process") {
  CHECK(eddy::test::seed() == eddy::test::seed());
  if (const char* given = std::getenv("EDDY_SEED"))
    CHECK(std::to_string(eddy::test::seed()) == given);
}

// Functions: g++ calls a lambda made a pointer without an object, and UBSan sees its promise bind a reference to that.
future<> expects_paused_clock() {
  CHECK(eddy::test::is_paused());
  co_return;
}
future<> expects_real_clock() {
  CHECK_FALSE(eddy::test::is_paused());
  co_await eddy::sleep(1us);
}
future<> leaves_a_task_behind() {
  auto h = eddy::spawn([]() -> future<> {
    for (;;) co_await eddy::sleep(1h);
  });
  co_await eddy::yield_now();
}

TEST_CASE("the clock of a flavour is as asked for") {
  for (const flavour& f : flavours(test_clock::paused)) {
    CAPTURE(f.name);
    const eddy::test::leak_check leaks;
    f.run(test_clock::paused, &expects_paused_clock);
  }
  for (const flavour& f : flavours(test_clock::real)) {
    CAPTURE(f.name);
    const eddy::test::leak_check leaks;
    f.run(test_clock::real, &expects_real_clock);
  }
}

TEST_CASE("tasks that a test leaves behind are destroyed with its runtime") {
  for (const flavour& f : flavours(test_clock::real)) {
    CAPTURE(f.name);
    const eddy::test::leak_check leaks;
    f.run(test_clock::real, &leaves_a_task_behind);
  }
}

#if EDDY_EXCEPTIONS
future<> throws_out_of_range() {
  co_await eddy::yield_now();
  throw std::out_of_range("body");
}

TEST_CASE("what a test throws comes out of each flavour") {
  for (const flavour& f : flavours(test_clock::real)) {
    CAPTURE(f.name);
    const eddy::test::leak_check leaks;
    CHECK_THROWS_AS(f.run(test_clock::real, &throws_out_of_range), std::out_of_range);
  }
}
#endif

}  // namespace
