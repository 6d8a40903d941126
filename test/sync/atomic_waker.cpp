#include <eddy/sync/atomic_waker.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "support/mock_task.hpp"

namespace {

using eddy::context;
using eddy::sync::atomic_waker;

TEST_CASE("the task stored last is woken, once; without one nothing happens") {
  test::mock_task one, two;
  atomic_waker slot;
  slot.wake();
  {
    context cx(one);
    slot.store(cx);
    slot.store(cx);
  }
  CHECK(one.references() == 1);
  {
    context cx(two);
    slot.store(cx);
  }
  CHECK(one.references() == 0);
  slot.wake();
  slot.wake();
  CHECK(one.take_wakes() == 0);
  CHECK(two.take_wakes() == 1);
  CHECK(two.references() == 0);
}

TEST_CASE("take gives the waker away, to be woken later") {
  test::mock_task task;
  atomic_waker slot;
  CHECK_FALSE(static_cast<bool>(slot.take()));
  context cx(task);
  slot.store(cx);
  auto who = slot.take();
  CHECK(task.take_wakes() == 0);
  std::move(who).wake();
  CHECK(task.take_wakes() == 1);
}

#if EDDY_POOL
TEST_CASE("two threads wake, one waits: every change is seen") {
  for (int round = 0; round < 300; ++round) {
    atomic_waker slot;
    std::atomic<int> done{0};
    const auto change = [&] {
      done.fetch_add(1, std::memory_order_acq_rel);
      slot.wake();
    };
    std::thread one(change), two(change);
    test::mock_task task;
    for (;;) {
      context cx(task);
      slot.store(cx);
      if (done.load(std::memory_order_acquire) == 2) break;
      while (task.take_wakes() == 0) std::this_thread::yield();
    }
    one.join();
    two.join();
    static_cast<void>(slot.take());
  }
}
#endif

}  // namespace
