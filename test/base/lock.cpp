#include <eddy/base/detail/lock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "support/long_run.hpp"

namespace {

using eddy::detail::basic_lock;
using eddy::detail::locked;
using eddy::detail::loop_memory;
using eddy::detail::replace;
using eddy::detail::shared_memory;

TEST_CASE("a word is replaced when it is what was loaded, in either memory") {
  const auto in = [](auto memory) {
    using M = decltype(memory);
    typename M::template atomic<int> word{1};
    int expected = word.load(std::memory_order_relaxed);
    // A weak exchange may fail without a reason.
    while (!replace<M>(word, expected, 2, std::memory_order_relaxed)) CHECK(expected == 1);
    CHECK(word.load(std::memory_order_relaxed) == 2);
  };
  in(shared_memory());
  in(loop_memory());
  static_assert(loop_memory::single_threaded());
}

TEST_CASE("a loop's lock is taken, given back and taken again") {
  basic_lock<loop_memory> l;
  int n = 0;
  for (int i = 0; i < 2; ++i) {
    const locked held(l);
    ++n;
  }
  locked held(l);
  held.unlock();
  held.relock(l);
  CHECK(n == 2);
}

// The first test of this process that starts a thread: before it plain stores do.
TEST_CASE("a lock that was taken before there were threads is held for those that come") {
  basic_lock<shared_memory> l;
  int shared = 0;
  std::atomic<bool> tries{false};
  std::thread other;
  {
    const locked held(l);
    other = std::thread([&] {
      tries = true;
      const locked mine(l);
      CHECK(shared == 1);
      shared = 2;
    });
    while (!tries) std::this_thread::yield();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();  // it spins, then sleeps on the word
    shared = 1;
  }
  other.join();
  const locked held(l);
  CHECK(shared == 2);
}

TEST_CASE("a word that changes between load and replace is loaded anew") {
  std::thread([] {}).join();
  shared_memory::atomic<int> word{5};
  std::thread other([&] {
    int expected = 4;
    while (!replace<shared_memory>(word, expected, 6, std::memory_order_relaxed)) {
      CHECK((expected == 5));
    }
  });
  other.join();
  CHECK(word.load(std::memory_order_relaxed) == 6);
}

TEST_CASE("threads hold a lock one at a time, and none sleeps for ever") {
  basic_lock<shared_memory> l;
  std::int64_t n = 0;
  constexpr int threads = 4;
  const int each = test::rounds(20'000);
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        locked held(l);
        ++n;
        if (i % 64 == 0) std::this_thread::yield();  // others run out of patience and sleep
        if (i % 3 != 0) continue;
        held.unlock();
        held.relock(l);
        ++n;
      }
    });
  for (auto& t : all) t.join();
  CHECK(n == threads * (each + (each + 2) / 3));
}

}  // namespace
