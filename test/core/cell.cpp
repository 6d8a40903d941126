#include <eddy/core/detail/cell.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using eddy::detail::cell;
using test::note;

/// Both ends, by hand.
template <class T>
struct ends {
  ends() : c(cell<T>::make()) {}
  ends(const ends&) = delete;
  ~ends() {
    if (sender) c->release();
    if (receiver) c->release();
  }
  template <class... A>
  void fill(A&&... args) {
    c->fill(std::forward<A>(args)...);
    c->release();
    sender = false;
  }
  void leave() {
    c->abandon();
    c->release();
    receiver = false;
  }
  bool poll(test::mock_task& task) {
    eddy::context cx(task);
    return c->poll(cx);
  }
  cell<T>* c;
  bool sender = true;
  bool receiver = true;
};

TEST_CASE("filled before the first poll: ready at once, nobody is woken") {
  const test::leak_check leaks;
  test::mock_task task;
  ends<int> e;
  CHECK_FALSE(e.c->is_filled());
  e.fill(4);
  CHECK(e.c->is_filled());
  CHECK(e.poll(task));
  CHECK(*e.c->take() == 4);
  CHECK(task.take_wakes() == 0);
  CHECK(task.references() == 0);
}

TEST_CASE("filled later: the last poll's target is woken, once") {
  const test::leak_check leaks;
  test::mock_task one, two;
  {
    ends<std::string> e;
    CHECK_FALSE(e.poll(one));
    CHECK_FALSE(e.poll(one));
    CHECK(one.references() == 1);
    CHECK_FALSE(e.poll(two));
    CHECK(one.references() == 0);
    CHECK(two.references() == 1);
    e.fill("text");
    CHECK(one.take_wakes() == 0);
    CHECK(two.take_wakes() == 1);
    CHECK(e.poll(one));
    CHECK(*e.c->take() == "text");
  }
  CHECK(two.references() == 0);
}

TEST_CASE("a failure is an outcome too") {
  const test::leak_check leaks;
  test::mock_task task;
  ends<int> e;
  CHECK_FALSE(e.poll(task));
  e.c->fail(eddy::error(eddy::errc::closed, "cell"));
  CHECK(task.take_wakes() == 1);
  CHECK(e.poll(task));
  CHECK(e.c->take().error() == eddy::errc::closed);
}

TEST_CASE("abandoned: nobody is woken, and a value goes with the cell") {
  const test::leak_check leaks;
  const auto before = note::live();
  test::take_trace();
  test::mock_task task;
  {
    ends<note> e;
    CHECK_FALSE(e.poll(task));
    CHECK_FALSE(e.c->is_abandoned());
    e.leave();
    CHECK(e.c->is_abandoned());
    e.fill("value");
    CHECK(task.take_wakes() == 0);
  }
  CHECK(test::take_trace() == "~value ");
  {
    ends<note> e;
    e.fill("unread");
    e.leave();
  }
  CHECK(test::take_trace() == "~unread ");
  CHECK(note::live() == before);
}

TEST_CASE("who comes second is told: publish after abandon, abandon after publish") {
  ends<int> first;
  CHECK_FALSE(first.c->abandon());
  CHECK_FALSE(first.c->publish());
  ends<int> second;
  CHECK(second.c->publish());
  CHECK(second.c->abandon());
}

TEST_CASE("void and references") {
  const test::leak_check leaks;
  test::mock_task task;
  ends<void> v;
  v.fill();
  CHECK(v.poll(task));
  CHECK(v.c->take().has_value());
  int n = 0;
  ends<int&> r;
  r.fill(&n);
  CHECK(r.poll(task));
  CHECK(&*r.c->take() == &n);
}

/// Starts two threads on one round at the same time.
class rounds {
 public:
  template <class A, class B>
  static void run(int n, A sender, B receiver) {
    std::atomic<int> at{0};
    std::thread other([&] {
      for (int i = 0; i < n; ++i) {
        while (at.load(std::memory_order_acquire) != 2 * i + 1) std::this_thread::yield();
        sender(i);
        at.store(2 * i + 2, std::memory_order_release);
      }
    });
    for (int i = 0; i < n; ++i) {
      receiver(
          i, [&] { at.store(2 * i + 1, std::memory_order_release); },
          [&] {
            while (at.load(std::memory_order_acquire) != 2 * i + 2) std::this_thread::yield();
          });
    }
    other.join();
  }
};

TEST_CASE("a sender on another thread: no wake is lost, whenever it comes and whoever waits") {
  const test::leak_check leaks;
  cell<std::unique_ptr<int>>* c = nullptr;
  int sum = 0;
  rounds::run(
      3000,
      [&](int i) {
        auto* const mine = c;
        mine->fill(std::make_unique<int>(i));
        mine->release();
      },
      [&](int i, auto&& go, auto&& wait) {
        test::mock_task one, two;
        c = cell<std::unique_ptr<int>>::make();
        auto* const mine = c;
        const auto poll = [&](test::mock_task& t) {
          eddy::context cx(t);
          return mine->poll(cx);
        };
        if (i % 3 == 0) CHECK_FALSE(poll(one));
        go();
        bool filled = false;
        test::mock_task* last = nullptr;
        for (int k = 0; !filled && k < 4; ++k) {  // the waker changes while the sender comes
          last = k % 2 == 0 ? &two : &one;
          filled = poll(*last);
        }
        while (!filled) {
          while (!last->is_woken()) std::this_thread::yield();
          filled = poll(*last);
        }
        sum += **mine->take();
        const bool was_filled = mine->abandon();
        CHECK(was_filled);
        wait();  // the sender may still be waking
        mine->release();
      });
  CHECK(sum == 3000 * 2999 / 2);
}

TEST_CASE("a receiver that leaves while the sender comes: exactly one of them sees the other") {
  const test::leak_check leaks;
  const auto before = note::live();
  cell<int>* c = nullptr;
  std::atomic<bool> delivered{false};
  int given = 0;
  rounds::run(
      3000,
      [&](int) {
        auto* const mine = c;
        delivered.store(mine->publish(), std::memory_order_relaxed);
        mine->release();
      },
      [&](int i, auto&& go, auto&& wait) {
        test::mock_task task;
        c = cell<int>::make();
        auto* const mine = c;
        if (i % 2 == 0) {
          eddy::context cx(task);
          CHECK_FALSE(mine->poll(cx));
        }
        go();
        const bool was_filled = mine->abandon();
        mine->release();
        wait();
        CHECK(was_filled == delivered.load(std::memory_order_relaxed));
        given += was_filled;
      });
  CHECK(note::live() == before);
  CHECK(given <= 3000);
}

}  // namespace
