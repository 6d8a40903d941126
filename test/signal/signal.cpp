#include <eddy/signal/signal.hpp>

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/combine/select.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/runtime/runtime.hpp>
#include <eddy/signal/ctrl_c.hpp>
#include <eddy/signal/shutdown.hpp>
#include <eddy/stream/stream.hpp>
#include <eddy/task/spawn.hpp>
#include <eddy/task/yield.hpp>

#include "death/child.hpp"
#include "support/any_runtime.hpp"
#include "support/cut_points.hpp"
#include "support/mock_task.hpp"

using eddy::future;
using eddy::signal::kind;
using eddy::signal::listener;

namespace {

listener listen(kind k) { return eddy::signal::signal(k).value(); }
// The handler has returned when this does; one sent to the process may run on any thread of a pool, later.
void send(kind k) { REQUIRE(::raise(k.number()) == 0); }

void* disposition(int number) {
  struct sigaction now;
  REQUIRE(::sigaction(number, nullptr, &now) == 0);
  return reinterpret_cast<void*>(now.sa_handler);
}
void* const by_default = reinterpret_cast<void*>(SIG_DFL);

std::atomic<int> foreign_calls{0};
void foreign(int) { ++foreign_calls; }

void install(int number, void (*f)(int)) {
  struct sigaction a = {};
  a.sa_handler = f;
  REQUIRE(::sigaction(number, &a, nullptr) == 0);
}

// doctest handles these itself.
void without_doctest() {
  for (const int number : {SIGINT, SIGTERM}) install(number, SIG_DFL);
}

}  // namespace

TEST_CASE(
    "a listener hears a signal that comes while it waits, and one that came before it asked") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto usr1 = listen(kind::user_defined1());
    CHECK(usr1.what() == kind::user_defined1());
    send(kind::user_defined1());
    co_await usr1.recv();
    auto waiting = eddy::spawn([](listener* l) -> future<> { co_await l->recv(); }, &usr1);
    co_await eddy::yield_now();
    CHECK(!waiting.is_finished());
    send(kind::user_defined1());
    co_await waiting;
  });
  CHECK(disposition(SIGUSR1) == by_default);
}

TEST_CASE("one that came before the listener was made, or was taken, is not heard") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto early = listen(kind::user_defined1());
    send(kind::user_defined1());
    auto late = listen(kind::user_defined1());
    co_await early.recv();
    test::mock_task task;
    auto none = late.recv();
    task.assert_pending(none);
    auto again = early.recv();
    task.assert_pending(again);
    CHECK(task.wakes() == 0);
    co_return;
  });
}

TEST_CASE("arrivals that were not taken are one") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto usr1 = listen(kind::user_defined1());
    for (int i = 0; i < 1000; ++i) send(kind::user_defined1());
    co_await usr1.recv();
    test::mock_task task;
    auto again = usr1.recv();
    task.assert_pending(again);
    co_return;
  });
}

TEST_CASE("a signal wakes every listener to it and nobody else's") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto one = listen(kind::user_defined2());
    auto two = listen(kind::user_defined2());
    auto other = listen(kind::user_defined1());
    auto first = eddy::spawn([](listener* l) -> future<> { co_await l->recv(); }, &one);
    auto third = eddy::spawn([](listener* l) -> future<> { co_await l->recv(); }, &other);
    co_await eddy::yield_now();
    send(kind::user_defined2());
    co_await two.recv();
    co_await first;
    CHECK(!third.is_finished());
    send(kind::user_defined1());
    co_await third;
  });
}

TEST_CASE("listeners that go take nothing from those that stay") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    std::optional before(listen(kind::user_defined1()));
    auto stays = listen(kind::user_defined1());
    std::optional after(listen(kind::user_defined1()));
    before.reset();
    after.reset();
    send(kind::user_defined1());
    co_await stays.recv();
  });
}

TEST_CASE("a wait that is dropped has no waker any more and loses nothing") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto usr1 = listen(kind::user_defined1());
    {
      test::mock_task task;
      auto waiting = usr1.recv();
      task.assert_pending(waiting);
      CHECK(task.references() != 0);
    }
    send(kind::user_defined1());
    co_await usr1.recv();
  });
}

TEST_CASE("a listener and its wait are dropped at every cut point") {
  const auto cuts = test::cut_points([]() -> future<> {
    auto merged = listen(kind::user_defined1()).merge(listen(kind::user_defined2()));
    for (const auto k : {kind::user_defined2(), kind::user_defined1()}) {
      auto sender = eddy::spawn(
          [](kind what) -> future<> {
            co_await eddy::yield_now();
            send(what);
          },
          k);
      const auto heard = co_await merged.next();
      CHECK(heard == k);
      co_await sender;
    }
  });
  CHECK(cuts > 3);
  CHECK(disposition(SIGUSR1) == by_default);
}

TEST_CASE("a listener may be moved between two polls of it as a stream") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto here = listen(kind::user_defined1());
    test::mock_task task;
    auto first = here.next();
    task.assert_pending(first);
    auto there = std::move(here);
    send(kind::user_defined1());
    const auto heard = co_await there.next();
    CHECK(heard == kind::user_defined1());
  });
}

TEST_CASE("realtime signals are heard, each for itself") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    std::vector<listener> all;
    for (int n = SIGRTMIN; n <= SIGRTMAX; ++n) all.push_back(listen(kind(n)));
    for (int n = SIGRTMIN; n <= SIGRTMAX; ++n) send(kind(n));
    for (auto& l : all) co_await l.recv();
  });
  CHECK(kind(SIGRTMIN + 2).name() == "SIGRTMIN+2");
}

TEST_CASE("what cannot be listened to is refused by name, and outside a runtime it is misuse") {
  CHECK(eddy::signal::signal(kind::hangup()).error() == eddy::errc::misuse);
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    for (const int n : {SIGKILL, SIGSTOP, SIGSEGV, SIGILL, SIGFPE, SIGBUS, -1, 0, 32, 500}) {
      const auto refused = eddy::signal::signal(kind(n));
      REQUIRE(!refused);
      CHECK(refused.error() == std::errc::invalid_argument);
      CHECK(refused.error().message().find(kind(n).name()) != std::string::npos);
    }
    co_return;
  });
  CHECK(kind(SIGKILL).name() == "SIGKILL");
  CHECK(kind(-1).name() == "signal -1");
}

TEST_CASE("runtimes in several threads all hear of it, again and again") {
  const test::leak_check leaks;
  for (int round = 0; round < 10; ++round) {
    std::latch listening(4);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&listening] {
        auto rt = test::make_runtime();
        rt.block_on([&listening]() -> future<> {
          auto hup = listen(kind::hangup());
          listening.count_down();
          co_await hup.recv();
        });
      });
    listening.wait();
    REQUIRE(::kill(::getpid(), SIGHUP) == 0);
    for (auto& t : threads) t.join();
  }
}

TEST_CASE("a runtime that ends takes no signals from the others") {
  const test::leak_check leaks;
  const auto made = [](eddy::runtime& rt) {
    return rt.block_on([]() -> future<listener> { co_return listen(kind::user_defined1()); });
  };
  const auto hear = [](listener* l) -> future<> { co_await l->recv(); };
  std::optional<eddy::runtime> first(test::make_runtime());
  auto second = test::make_runtime();
  std::optional<listener> a(made(*first));
  auto b = made(second);
  send(kind::user_defined1());
  first->block_on(hear(&*a));
  first.reset();
  a.reset();
  send(kind::user_defined1());
  second.block_on(hear(&b));
}

TEST_CASE("a listener waits on its own runtime only, and not when that has ended") {
  const test::leak_check leaks;
  std::optional<listener> l;
  auto other = test::make_runtime();
  {
    auto rt = test::make_runtime();
    l.emplace(rt.block_on([]() -> future<listener> { co_return listen(kind::user_defined1()); }));
    other.block_on([&l]() -> future<> {
      auto wrong = co_await eddy::attempt(l->recv());
      CHECK(wrong.error() == eddy::errc::misuse);
    });
  }
  other.block_on([&l]() -> future<> {
    auto late = co_await eddy::attempt(l->recv());
    CHECK(late.error() == eddy::errc::closed);
  });
}

TEST_CASE(
    "the disposition from before comes back: the default, ignored, a handler that was called too") {
  const test::leak_check leaks;
  foreign_calls = 0;
  for (const auto before : {SIG_DFL, SIG_IGN, &foreign}) {
    install(SIGUSR1, before);
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      auto one = listen(kind::user_defined1());
      auto two = listen(kind::user_defined1());
      send(kind::user_defined1());
      co_await one.recv();
      co_await two.recv();
    });
    CHECK(disposition(SIGUSR1) == reinterpret_cast<void*>(before));
  }
  CHECK(foreign_calls == 1);
  install(SIGUSR1, SIG_DFL);
}

TEST_CASE("a handler from before is not called for a request to end, and is back afterwards") {
  const test::leak_check leaks;
  foreign_calls = 0;
  install(SIGTERM, &foreign);
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto term = listen(kind::terminate());
    send(kind::terminate());
    co_await term.recv();
  });
  CHECK(foreign_calls == 0);
  CHECK(disposition(SIGTERM) == reinterpret_cast<void*>(&foreign));
}

TEST_CASE(
    "a handler that was put over a listener's stays when the listener goes, and later listeners "
    "hear") {
  const test::leak_check leaks;
  foreign_calls = 0;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    {
      auto l = listen(kind::user_defined1());
      install(SIGUSR1, &foreign);
    }
    send(kind::user_defined1());
    CHECK(foreign_calls == 1);
    {
      auto l = listen(kind::user_defined1());
      send(kind::user_defined1());
      co_await l.recv();
      CHECK(foreign_calls == 1);  // it may call eddy's: see I5
    }
  });
  CHECK(disposition(SIGUSR1) == reinterpret_cast<void*>(&foreign));
  install(SIGUSR1, SIG_DFL);
}

TEST_CASE("ctrl_c hears SIGINT, and the next one is the default again") {
  without_doctest();
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto waiting = eddy::spawn([]() -> future<> { co_await eddy::signal::ctrl_c(); });
    co_await eddy::yield_now();
    send(kind::interrupt());
    co_await waiting;
    CHECK(disposition(SIGINT) == by_default);
    auto first = co_await eddy::select(eddy::signal::ctrl_c(), eddy::yield_now());
    CHECK(first.index() == 1);
    CHECK(disposition(SIGINT) == by_default);
  });
}

TEST_CASE("a child made by fork has the dispositions from before and may listen itself") {
  eddy::runtime rt;  // ThreadSanitizer starts no threads in the child of a pool
  rt.block_on([]() -> future<> {
    auto usr1 = listen(kind::user_defined1());
    const auto end = test::in_child([] {
      if (disposition(SIGUSR1) != by_default) return 1;
      std::thread([] {  // this one is inside the parent's runtime
        eddy::runtime own;
        own.block_on([]() -> future<> {
          auto l = listen(kind::user_defined1());
          send(kind::user_defined1());
          co_await l.recv();
        });
      })
          .join();
      ::raise(SIGUSR1);
      return 2;
    });
    CHECK(end.signal == SIGUSR1);
    test::mock_task task;
    auto none = usr1.recv();
    task.assert_pending(none);  // the child's signals are the child's
    CHECK(task.wakes() == 0);
    co_return;
  });
}

TEST_CASE("shutdown says which signal, to all who ask, and to those who ask later") {
  const auto end = test::in_child([] {
    without_doctest();
    return eddy::run([]() -> future<int> {
      auto other =
          eddy::spawn([]() -> future<> { static_cast<void>(co_await eddy::signal::shutdown()); });
      co_await eddy::yield_now();
      send(kind::terminate());
      const auto why = co_await eddy::signal::shutdown();
      if (why != kind::terminate()) co_return 1;
      co_await other;
      const auto later = co_await eddy::signal::shutdown();
      co_return later == kind::terminate() ? 0 : 2;
    });
  });
  CHECK(end.code == 0);
}

TEST_CASE(
    "the second request to end ends the program by its signal, whoever listens and whatever runs") {
  for (const int first : {SIGINT, SIGTERM}) {
    const auto end = test::in_child([first] {
      without_doctest();
      return eddy::run([](int number) -> future<int> {
        auto other = listen(kind::terminate());
        auto waiting = eddy::signal::shutdown();
        static_cast<void>(co_await eddy::select(waiting, eddy::yield_now()));
        send(kind(number));
        send(kind::terminate());  // no loop has run in between
        co_return 1;
      }(first));
    });
    CHECK(end.signal == SIGTERM);
  }
}

TEST_CASE(
    "a shutdown that was dropped leaves signals as they were; one that was asked for stays so") {
  const auto end = test::in_child([] {
    without_doctest();
    return eddy::run([]() -> future<int> {
      static_cast<void>(co_await eddy::select(eddy::signal::shutdown(), eddy::yield_now()));
      if (disposition(SIGTERM) != by_default || disposition(SIGINT) != by_default) co_return 1;
      {
        test::mock_task task;
        auto asked = eddy::signal::shutdown();
        task.assert_pending(asked);
        send(kind::interrupt());
      }
      const auto why = co_await eddy::signal::shutdown();
      if (why != kind::interrupt()) co_return 2;
      send(kind::terminate());
      co_return 3;
    });
  });
  CHECK(end.signal == SIGTERM);
}
