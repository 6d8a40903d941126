#include <eddy/task/detail/thread_waiter.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/leaves.hpp"
#include "support/long_run.hpp"

namespace {

using eddy::detail::block_thread;
using eddy::detail::thread_waiter;

TEST_CASE("a leaf that is ready at once needs no wake") {
  test::after leaf(0, 7);
  CHECK(block_thread("wait", leaf).take() == 7);
}

TEST_CASE("a leaf that wakes while it is polled is polled again") {
  test::after leaf(3, std::make_unique<int>(8));
  CHECK(*block_thread("wait", leaf).take() == 8);
}

/// Ready when another thread has said so; for as many threads as there are rounds.
class flag {
 public:
  eddy::polled<> poll(eddy::context& cx) noexcept {
    const std::lock_guard lock(mutex_);
    if (up_) return eddy::ready;
    cx.store_waker(waker_);
    return eddy::pending;
  }
  void raise() {
    eddy::waker w;
    {
      const std::lock_guard lock(mutex_);
      up_ = true;
      w = std::move(waker_);
    }
    std::move(w).wake();
  }

 private:
  std::mutex mutex_;
  bool up_ = false;
  eddy::waker waker_;
};

TEST_CASE(
    "a thread that sleeps is woken by another, and leaves only when that one has let go of it") {
  for (int i = 0; i < test::rounds(500); ++i) {
    flag f;
    std::thread other([&f] { f.raise(); });
    CHECK(block_thread("wait", f).is_ready());
    other.join();
  }
}

TEST_CASE("wakes that come early, twice or for nothing do no harm") {
  thread_waiter here("wait");
  here.wake();
  here.wake();
  test::after leaf(2, 1);
  CHECK(here.wait(leaf).take() == 1);
  flag f;
  std::thread other([&] {
    here.wake();
    std::this_thread::yield();
    f.raise();
  });
  CHECK(here.wait(f).is_ready());
  other.join();
}

TEST_CASE("a thread beside the loops may wait, also under enter() and in a blocking job") {
  eddy::runtime rt;
  {
    const auto entered = rt.enter();
    test::after leaf(1, 2);
    CHECK(block_thread("wait", leaf).take() == 2);
  }
  rt.block_on([]() -> eddy::future<> {
    const int v = co_await eddy::spawn_blocking([] {
      test::after leaf(1, 3);
      return block_thread("wait", leaf).take();
    });
    CHECK(v == 3);
  });
}

#if EDDY_EXCEPTIONS
TEST_CASE("on a thread that runs a loop it is misuse, and says what was called") {
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    test::after leaf(0, 7);
    CHECK_THROWS_WITH_AS(
        block_thread("blocking_this", leaf).take(),
        "eddy: blocking_this would stop the loop that runs on this thread: await instead",
        std::logic_error);
    co_return;
  });
}
#endif

}  // namespace
