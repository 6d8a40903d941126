// What the locks end a program for, in one line each; and, in a build without the pool, use from elsewhere.

#include <eddy/base/detail/lock.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <eddy/eddy.hpp>

#include "death/child.hpp"
#include "support/mock_task.hpp"

namespace {

using eddy::future;
using eddy::detail::basic_lock;
using eddy::detail::locked;
using eddy::detail::loop_memory;
using eddy::sync::barrier;
using eddy::sync::mutex;
using eddy::sync::rw_lock;
using eddy::sync::semaphore;
using test::in_child;

/// One line on standard error, and an abort.
template <class F>
std::string line_of(F f) {
  const auto end = in_child([&f] {
    f();
    return 0;
  });
  CHECK(end.signal == SIGABRT);
  CHECK(end.text.find('\n') == end.text.size() - 1);
  return end.text;
}

TEST_CASE("more permits than a semaphore can hold end the program with one line") {
  const std::string expected =
      "eddy: more permits were given to a semaphore than it can hold (semaphore::max_permits)\n";
  CHECK(line_of([] {
          semaphore s(1);
          s.add(semaphore::max_permits);
        }) == expected);
  CHECK(line_of([] {
          semaphore s(semaphore::max_permits - 1);
          s.add(1);
          s.add(1);
        }) == expected);
  CHECK(line_of([] {  // by way of the queue
          semaphore s(0);
          test::mock_task t;
          auto a = s.acquire();
          static_cast<void>(t.poll(a));
          s.add(semaphore::max_permits);
          s.add(2);
        }) == expected);
}

TEST_CASE("a wait for a lock that is polled after its end ends the program with one line") {
  const std::string expected = "eddy: the wait for a lock was polled after it had ended\n";
  const auto twice = [](auto leaf) {
    test::mock_task t;
    static_cast<void>(t.poll(leaf));
    static_cast<void>(t.poll(leaf));
  };
  mutex<int> m;
  rw_lock<int> l;
  barrier b(1);
  CHECK(line_of([&] { twice(m.lock()); }) == expected);
  CHECK(line_of([&] { twice(l.read()); }) == expected);
  CHECK(line_of([&] { twice(l.write()); }) == expected);
  CHECK(line_of([&] { twice(b.wait()); }) ==
        "eddy: the wait at a barrier was polled after it had ended\n");
}

#if !EDDY_EXCEPTIONS
TEST_CASE("misuse of locks and permits ends the program with one line") {
  CHECK(line_of([] { semaphore s(semaphore::max_permits + 1); }) ==
        "eddy: more permits than semaphore::max_permits\n");
  CHECK(line_of([] {
          semaphore a(1), b(1);
          auto p = a.try_acquire();
          auto q = b.try_acquire();
          p->merge(std::move(*q));
        }) == "eddy: permits of two semaphores cannot be merged\n");
  CHECK(line_of([] { rw_lock<int> l(1, 0); }) == "eddy: an rw_lock for 0 readers\n");
  CHECK(line_of([] {
          mutex<int> m;
          const auto g = m.try_lock();
          m.get_mut() = 1;
        }) == "eddy: mutex::get_mut: the mutex is locked\n");
#if EDDY_POOL
  CHECK(line_of([] {
          eddy::runtime rt;
          rt.block_on([]() -> future<> {
            mutex<int> m;
            const auto g = m.blocking_lock();
            co_return;
          });
        }) ==
        "eddy: mutex::blocking_lock would stop the loop that runs on this thread: await instead\n");
#endif
}
#endif

// ---- loop-local memory. The library's own locks use it in a build without the pool.

TEST_CASE("a loop-local lock that its holder takes again ends the program with one line") {
  CHECK(line_of([] {
          basic_lock<loop_memory> l;
          const locked once(l);
          const locked twice(l);
        }) ==
        "eddy: a value's own constructor or destructor used the channel or lock that was moving "
        "it\n");
}

TEST_CASE("a lock of any memory is seen to be taken twice while there is one thread") {
  CHECK(line_of([] {
          eddy::detail::sync_lock l;
          const locked once(l);
          if (eddy::detail::sync_memory::single_threaded()) {
            const locked twice(l);
          } else {  // then it would wait for ever
            eddy::detail::fatal(
                "a value's own constructor or destructor used the channel or lock that was moving "
                "it");
          }
        }) ==
        "eddy: a value's own constructor or destructor used the channel or lock that was moving "
        "it\n");
}

/// Takes the next message of its channel while it is taken out itself.
class greedy {
 public:
  explicit greedy(eddy::sync::mpsc::receiver<greedy>* from) noexcept : from_(from) {}
  greedy(greedy&& other) noexcept : from_(other.from_) {
    if (armed) static_cast<void>(from_->try_recv());
  }
  static inline bool armed = false;

 private:
  eddy::sync::mpsc::receiver<greedy>* from_;
};

TEST_CASE("a message that uses the receiver as it is taken out ends the program with one line") {
  CHECK(line_of([] {
          auto [tx, rx] = eddy::sync::mpsc::channel<greedy>(2);
          static_cast<void>(tx.try_send(greedy(&rx)));
          static_cast<void>(tx.try_send(greedy(&rx)));
          greedy::armed = true;
          static_cast<void>(rx.try_recv());
        }) == "eddy: a message's own move or destructor used the channel that was moving it\n");
}

template <class F>
future<> calls(F f) {
  f();
  co_return;
}

#ifndef NDEBUG
TEST_CASE("something loop-local that two loops use ends the program with one line") {
  CHECK(line_of([] {
          basic_lock<loop_memory> l;
          const auto uses = [&l] { const locked held(l); };
          uses();  // the program's setting up: nobody's yet
          eddy::runtime one, two;
          one.block_on(calls(uses));
          one.block_on(calls(uses));
          uses();  // on the same thread, between the loop's turns
          two.block_on(calls(uses));
        }) ==
        "eddy: a channel or lock was used on two loops: this library was built with "
        "-Dpool=disabled\n");
}

TEST_CASE("something loop-local that another thread uses ends the program with one line") {
  CHECK(line_of([] {
          basic_lock<loop_memory> l;
          const auto uses = [&l] { l.check(); };
          eddy::runtime rt;
          rt.block_on(calls(uses));
          std::thread(uses).join();
        }) ==
        "eddy: a channel or lock was used by two threads: this library was built with "
        "-Dpool=disabled\n");
}

TEST_CASE("something loop-local may be made on one thread and its loop driven by others in turn") {
  const auto end = in_child([] {
    basic_lock<loop_memory> l;
    const auto uses = [&l] { const locked held(l); };
    uses();
    eddy::runtime rt;
    std::thread([&] { rt.block_on(calls(uses)); }).join();
    rt.block_on(calls(uses));
    uses();
    return 3;
  });
  CHECK(end.code == 3);
  CHECK(end.text.empty());
}
#endif

#if !EDDY_POOL && !defined(NDEBUG)
TEST_CASE("without the pool every lock and permit is one loop's") {
  const auto on_two_loops = [](auto uses) {
    return line_of([&] {
      eddy::runtime one, two;
      one.block_on(calls(uses));
      two.block_on(calls(uses));
    });
  };
  const std::string expected =
      "eddy: a channel or lock was used on two loops: this library was built with "
      "-Dpool=disabled\n";
  semaphore s(1);
  mutex<int> m;
  rw_lock<int> l;
  barrier b(1);
  test::mock_task t;
  CHECK(on_two_loops([&] { static_cast<void>(s.try_acquire()); }) == expected);
  CHECK(on_two_loops([&] { s.add(1); }) == expected);
  CHECK(on_two_loops([&] { s.forget(1); }) == expected);
  CHECK(on_two_loops([&] { s.close(); }) == expected);
  CHECK(on_two_loops([&] { static_cast<void>(m.try_lock()); }) == expected);
  CHECK(on_two_loops([&] {
          auto reads = l.read();
          static_cast<void>(t.poll(reads));
        }) == expected);
  CHECK(on_two_loops([&] {
          auto w = b.wait();
          static_cast<void>(t.poll(w));
        }) == expected);
}
#endif

}  // namespace
