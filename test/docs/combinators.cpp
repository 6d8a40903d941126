// The guide's snippets about waiting for several things.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <eddy/sync/mpsc.hpp>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;
namespace mpsc = eddy::sync::mpsc;

namespace {

eddy::future<int> work(int n) {
  co_await eddy::sleep(10ms);
  co_return n;
}

// [guide:select]
eddy::future<std::string> first_of(mpsc::receiver<int> rx) {
  auto r = co_await eddy::select(eddy::sleep(1s), work(7), rx.recv());
  switch (r.index()) {
    case 0:
      co_return "nothing for a second";
    case 1:
      co_return "work gave " + std::to_string(r.get<1>());
    default:
      co_return r.get<2>() ? "a message" : "the channel is closed";
  }
}
// [/guide:select]

// [guide:loop]
eddy::future<int> sum_of_two(mpsc::receiver<int> a, mpsc::receiver<int> b, bool with_b) {
  int sum = 0;
  for (;;) {
    auto r = co_await eddy::select(eddy::some(a.recv()), eddy::when(with_b, eddy::some(b.recv())),
                                   eddy::otherwise(0));
    if (r.index() == 2) co_return sum;  // each is closed or disabled
    if (auto* v = r.get_if<0>()) sum += *v;
    if (auto* v = r.get_if<1>()) sum += *v;
  }
}
// [/guide:loop]

// [guide:pinned]
eddy::future<int> with_progress(int& ticks) {
  auto slow = eddy::pin(work(42));
  auto every = eddy::interval(3ms);
  for (;;) {
    auto r = co_await eddy::select(slow, every.tick());  // by name: `slow` keeps its progress
    if (r.index() == 0) co_return r.get<0>();
    ++ticks;
  }
}
// [/guide:pinned]

// [guide:futurelock]
eddy::future<> update(eddy::sync::semaphore& lock, int& value) {
  auto held = co_await lock.acquire();
  co_await eddy::sleep(20ms);
  ++value;
}

eddy::future<> patient_update(eddy::sync::semaphore& lock, int& value) {
  auto first = eddy::pin(update(lock, value));
  auto r = co_await eddy::select(first, eddy::sleep(5ms));
  if (r.index() == 0) co_return;
  // Wrong: co_await update(lock, value) waits forever. `first` holds the lock, unpolled.
  co_await eddy::join(first, update(lock, value));  // right: polls both
}
// [/guide:futurelock]

// [guide:join]
eddy::future<int> both() {
  auto [a, b] = co_await eddy::join(work(1), work(2));  // 10 ms later, not 20

  auto [c, d] = co_await eddy::join(eddy::attempt(work(3)), eddy::attempt(work(4)));
  co_return a + b + c.value_or(0) + d.value_or(0);
}
// [/guide:join]

// [guide:lists]
eddy::future<int> lists() {
  std::vector<eddy::future<int>> some;
  std::vector<eddy::future<int>> others;
  for (int i = 1; i <= 3; ++i) {
    some.push_back(work(i));
    others.push_back(work(10 * i));
  }
  auto all = co_await eddy::try_join_all(std::move(some));  // in the list's order
  auto one = co_await eddy::select_any(std::move(others));
  co_return all[0] + all[1] + all[2] + one.value();
}
// [/guide:lists]

TEST_CASE("the guide's select and join examples do what it says") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> eddy::future<> {
    auto [tx, rx] = mpsc::channel<int>(4);
    const auto worked = co_await first_of(std::move(rx));
    CHECK(worked == "work gave 7");

    auto [tx1, rx1] = mpsc::channel<int>(4);
    auto [tx2, rx2] = mpsc::channel<int>(4);
    for (int i = 1; i <= 3; ++i) {
      static_cast<void>(tx1.try_send(i));
      static_cast<void>(tx2.try_send(10 * i));
    }
    {
      const auto gone1 = std::move(tx1);
      const auto gone2 = std::move(tx2);
    }
    const int sum = co_await sum_of_two(std::move(rx1), std::move(rx2), true);
    CHECK(sum == 66);

    int ticks = 0;
    const int slow = co_await with_progress(ticks);
    CHECK(slow == 42);
    CHECK(ticks == 4);  // at 0, 3, 6 and 9 ms

    eddy::sync::semaphore lock(1);
    int value = 0;
    co_await patient_update(lock, value);
    CHECK(value == 2);

    const int joined = co_await both();
    CHECK(joined == 10);
    const int listed = co_await lists();
    CHECK(listed >= 16);
  });
}

}  // namespace
