// What the code of messages and wake targets may do: use the very channel or lock that is at work.

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <utility>

#include <eddy/core/context.hpp>
#include <eddy/runtime/runtime.hpp>
#include <eddy/sync/barrier.hpp>
#include <eddy/sync/mpsc.hpp>
#include <eddy/sync/semaphore.hpp>
#include <eddy/time/rate_limiter.hpp>

#include "support/mock_task.hpp"

namespace {

namespace mpsc = eddy::sync::mpsc;

/// Its last reference, as it goes, runs `F`.
template <class F>
class last_words final : public eddy::wake_target {
 public:
  explicit last_words(F f) : run_(std::move(f)) {}
  void wake() noexcept override {}
  void retain() noexcept override { ++references_; }
  void release() noexcept override {
    if (--references_ == 0) run_();
  }

 private:
  F run_;
  int references_ = 0;
};

/// Polls `leaf` for a target that uses what it waits for as it goes, then for another: the first one goes.
template <class Leaf, class F>
void poll_for_two(Leaf leaf, F use) {
  bool used = false;
  auto noted = [&] {
    use();
    used = true;
  };
  test::mock_task other;
  last_words first(noted);
  auto waiting = std::move(leaf);  // goes before its targets
  {
    eddy::context cx(first);
    CHECK_FALSE(waiting.poll(cx).is_ready());
  }
  CHECK_FALSE(other.poll(waiting).is_ready());
  CHECK(used);
}

/// Made with a look at the channel it goes into.
class stamped {
 public:
  explicit stamped(const mpsc::sender<stamped>& to) : room_(to.capacity()) {}
  std::size_t room() const { return room_; }

 private:
  std::size_t room_;
};

}  // namespace

TEST_CASE("a waker that is replaced goes behind the lock, and may use what was waited for") {
  eddy::sync::semaphore s(1);
  auto permit = s.try_acquire().value();
  poll_for_two(s.acquire(), [&] { CHECK_FALSE(s.try_acquire().has_value()); });
  auto [tx, rx] = mpsc::channel<int>(1);
  CHECK(tx.try_send(1).has_value());
  poll_for_two(tx.send(2), [&t = tx] { CHECK(t.capacity() == 0); });
  poll_for_two(tx.closed(), [&t = tx] { CHECK(t.capacity() == 0); });
  eddy::sync::barrier b(3);
  poll_for_two(b.wait(), [&] {
    test::mock_task third;
    auto wait = b.wait();
    CHECK_FALSE(third.poll(wait).is_ready());
  });
}

TEST_CASE("a waker that waits behind others at a rate_limiter goes behind the lock, too") {
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    eddy::rate_limiter limit(1, std::chrono::hours(1));
    CHECK(limit.try_acquire());
    test::mock_task task;
    auto first = limit.acquire();
    CHECK_FALSE(task.poll(first).is_ready());
    poll_for_two(limit.acquire(), [&] { CHECK_FALSE(limit.try_acquire()); });
    co_return;
  });
}

TEST_CASE("a message made for a permit may look at its channel as it is made") {
  auto [tx, rx] = mpsc::channel<stamped>(4);
  auto permit = tx.try_reserve().value();
  permit.emplace(tx);
  CHECK(rx.try_recv()->room() == 3);
}

#if EDDY_EXCEPTIONS
namespace {

int moves_left = 0;
class reluctant {
 public:
  explicit reluctant(int v) : value_(v) {}
  reluctant(reluctant&& other) noexcept(false) : value_(other.value_) {
    if (moves_left-- == 0) throw std::runtime_error("no move");
  }
  int value() const { return value_; }

 private:
  int value_;
};

}  // namespace

TEST_CASE("try_recv moves a message once: one that throws there stays the first") {
  auto [tx, rx] = mpsc::unbounded_channel<reluctant>();
  moves_left = 100;
  CHECK(tx.emplace(7).has_value());
  moves_left = 0;
  CHECK_THROWS_WITH(static_cast<void>(rx.try_recv()), "no move");
  CHECK(rx.len() == 1);
  moves_left = 1;
  const auto got = rx.try_recv();
  CHECK(got->value() == 7);
}
#endif
