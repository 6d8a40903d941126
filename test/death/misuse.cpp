// What ends a program says why in one line. And: how run() ends one.

#include <eddy/runtime/runtime.hpp>

#include <doctest/doctest.h>
#include <uv.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <eddy/base/rc.hpp>
#include <eddy/eddy.hpp>

#include "death/child.hpp"
#include "support/mock_task.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using test::in_child;

future<int> just(int v) { co_return v; }

// ---- run

TEST_CASE("run gives 0, or the future's value, as exit code, and prints nothing") {
  auto end = in_child([] { return eddy::run([]() -> future<> { co_await eddy::sleep(1ms); }()); });
  CHECK(end.code == 0);
  CHECK(end.text.empty());
  end = in_child([] { return eddy::run(just(7)); });
  CHECK(end.code == 7);
  CHECK(end.text.empty());
}

TEST_CASE("run on a runtime of one's own is the same, and ends it") {
  auto end = in_child([] {
    auto rt = eddy::runtime::builder().build();
    const auto h = rt.get_handle();
    const int code = eddy::run(std::move(rt), just(7));
    return code +
           (h.spawn(just(0)).is_finished() ? 0 : 100);  // ended: what is spawned is aborted at once
  });
  CHECK(end.code == 7);
  CHECK(end.text.empty());
  end = in_child([] {
    return eddy::run(eddy::runtime::builder().build(),
                     []() -> future<> { co_await eddy::sleep(1ms); });
  });
  CHECK(end.code == 0);
#if EDDY_POOL
  end = in_child([] {
    return eddy::run(eddy::runtime::builder().multi_loop().worker_threads(2).build(), just(7));
  });
  CHECK(end.code == 7);
  CHECK(end.text.empty());
#endif
}

#if EDDY_EXCEPTIONS
TEST_CASE("run gives 1 for a failure, and prints it in one line") {
  auto end = in_child([] {
    return eddy::run([]() -> future<> {
      co_await eddy::yield_now();
      throw std::runtime_error("the mast is gone");
    }());
  });
  CHECK(end.code == 1);
  CHECK(end.text == "the mast is gone\n");
  end = in_child([] {
    return eddy::run(eddy::runtime::builder().build(), []() -> future<> {
      co_await eddy::yield_now();
      throw std::runtime_error("the mast is gone");
    });
  });
  CHECK(end.code == 1);
  CHECK(end.text == "the mast is gone\n");
  end = in_child([] {
    return eddy::run([]() -> future<int> {
      co_await eddy::timeout(1ms, eddy::sleep(1h));
      co_return 0;
    }());
  });
  CHECK(end.code == 1);
  CHECK(end.text.find("timeout") != end.text.npos);
  CHECK(end.text.find('\n') == end.text.size() - 1);
}

TEST_CASE("run of a future that is empty, or inside a runtime, is 1 and a line") {
  auto end = in_child([] { return eddy::run(future<int>()); });
  CHECK(end.code == 1);
  CHECK(end.text.find("empty future") != end.text.npos);
  end = in_child([] {
    eddy::runtime rt;
    return rt.block_on([]() -> future<int> { co_return eddy::run(just(0)); });
  });
  CHECK(end.code == 1);
  CHECK(end.text.find("block_on") != end.text.npos);
}

future<> sinks() {
  co_await eddy::yield_now();
  throw std::runtime_error("water in the hold");
}

TEST_CASE("a failure that nobody awaits is one line: id, name, place and reason") {
  const auto end = in_child([] {
    eddy::runtime rt;
    static_cast<void>(rt.spawn(sinks()));
    rt.block_on(eddy::sleep(1ms));
    return 0;
  });
  CHECK(end.code == 0);
  CHECK(end.text.starts_with("eddy: task 1 'sinks' (spawned at misuse.cpp:"));
  CHECK(end.text.ends_with(") failed: water in the hold\n"));
}

TEST_CASE("a failure whose handle outlives the runtime and is then dropped is the same line") {
  for (const bool portable : {false, true}) {
    CAPTURE(portable);
    const auto end = in_child([portable] {
      {
        std::optional<eddy::join_handle<>> kept;
        eddy::runtime rt;
        rt.block_on([&]() -> future<> {
          kept.emplace(portable ? eddy::handle::current().spawn(sinks()) : eddy::spawn(sinks()));
          while (!kept->is_finished()) co_await eddy::yield_now();
        });
        {
          const eddy::runtime gone = std::move(rt);
        }
        CHECK(kept->is_finished());
      }
      return 0;
    });
    CHECK(end.code == 0);
    CHECK(end.text.starts_with("eddy: task 2 'sinks' (spawned at misuse.cpp:"));
    CHECK(end.text.ends_with(") failed: water in the hold\n"));
  }
}
#else
TEST_CASE("without exceptions a bare await that fails ends the program with one line") {
  const auto end = in_child([] {
    return eddy::run([]() -> future<int> {
      co_await eddy::timeout(1ms, eddy::sleep(1h));
      co_return 0;
    }());
  });
  CHECK(end.signal == SIGABRT);
  CHECK(end.text.starts_with("eddy: unhandled error: "));
}

TEST_CASE("without exceptions misuse ends the program with one line") {
  const auto end = in_child([] {
    static_cast<void>(eddy::handle::current());
    return 0;
  });
  CHECK(end.signal == SIGABRT);
  CHECK(end.text == "eddy: handle::current: this thread is not on a runtime\n");
}
#endif

// ---- misuse where nobody can catch

TEST_CASE("a sleep polled outside a runtime ends the program with one line") {
  const auto end = in_child([] {
    test::mock_task task;
    auto s = eddy::sleep(1h);
    static_cast<void>(task.poll(s));
    return 0;
  });
  CHECK(end.signal == SIGABRT);
  CHECK(end.text == "eddy: sleep or timeout polled outside a runtime\n");
}

TEST_CASE(
    "a watch channel sent to by the thread that borrows from it ends the program with one line") {
  const auto end = in_child([] {
    auto [tx, rx] = eddy::sync::watch::channel(1);
    const auto look = rx.borrow();
    static_cast<void>(tx.send(2));
    return 0;
  });
  CHECK(end.signal == SIGABRT);
  CHECK(end.text ==
        "eddy: a watch channel was sent to while this thread borrowed its value, or was changing "
        "it\n");
  const auto inside = in_child([] {
    auto [tx, rx] = eddy::sync::watch::channel(1);
    tx.send_modify([](int& v, auto& other) { v = *other.borrow(); }, rx);
    return 0;
  });
  CHECK(inside.signal == SIGABRT);
  CHECK(inside.text ==
        "eddy: a watch channel was borrowed from by the function that was changing its value\n");
}

#if EDDY_POOL && !defined(NDEBUG)
TEST_CASE("the same is seen in a process of several threads") {
  const auto end = in_child([] {
    std::thread([] {}).join();
    auto [tx, rx] = eddy::sync::watch::channel(1);
    const auto look = rx.borrow();
    static_cast<void>(tx.send(2));
    return 0;
  });
  CHECK(end.signal == SIGABRT);
  CHECK(end.text.find("while this thread borrowed its value") != end.text.npos);
  const auto later = in_child([] {
    auto [tx, rx] = eddy::sync::watch::channel(1);
    const auto look = rx.borrow();
    std::thread([] {}).join();
    static_cast<void>(tx.send(2));
    return 0;
  });
  CHECK(later.signal == SIGABRT);
  CHECK(later.text.find("while this thread borrowed its value") != later.text.npos);
}
#endif

TEST_CASE("a runtime destroyed by its own task ends the program with one line") {
  const auto end = in_child([] {
    auto rt = std::make_unique<eddy::runtime>();
    auto* raw = rt.get();
    raw->block_on([&rt]() -> future<> {
      rt.reset();
      co_return;
    });
    return 0;
  });
  CHECK(end.signal == SIGABRT);
  CHECK(end.text == "eddy: a runtime was destroyed by one of its own tasks\n");
}

#if EDDY_POOL
TEST_CASE("a pool destroyed by its own task, also in place, ends the program with one line") {
  for (const bool in_place : {false, true}) {
    const auto end = in_child([in_place] {
      auto rt = std::make_unique<eddy::runtime>(
          eddy::runtime::builder().multi_loop().worker_threads(1).build());
      auto* raw = rt.get();
      raw->block_on([&rt, in_place]() -> future<> {
        if (in_place)
          eddy::block_in_place([&rt] { rt.reset(); });
        else
          rt.reset();
        co_return;
      });
      return 0;
    });
    CHECK(end.signal == SIGABRT);
    CHECK(end.text == "eddy: a runtime was destroyed by one of its own tasks\n");
  }
}
#endif

TEST_CASE("an attachment detached by its own task ends the program with one line") {
  const auto end = in_child([] {
    uv_loop_t loop;
    uv_loop_init(&loop);
    auto rt = eddy::runtime::attach(&loop);
    static_cast<void>(rt.spawn([&rt]() -> future<> {
      rt.detach();
      co_return;
    }));
    uv_run(&loop, UV_RUN_DEFAULT);
    return 0;
  });
  CHECK(end.signal == SIGABRT);
  CHECK(end.text == "eddy: a runtime was detached by one of its own tasks\n");
}

TEST_CASE("an enter() guard that ends out of order ends the program with one line") {
  const auto end = in_child([] {
    const eddy::runtime a;
    const eddy::runtime b;
    auto* first = new auto(a.enter());
    const auto second = b.enter();
    delete first;
    return 0;
  });
  CHECK(end.signal == SIGABRT);
  CHECK(end.text == "eddy: an enter() guard ended out of order, or on another thread\n");
}

// ---- blocking jobs that never come back

TEST_CASE("a job that sleeps for ever keeps neither the runtime nor the program from ending") {
  const auto end = in_child([]() -> int {
    std::atomic<bool> started{false};
    {
      eddy::runtime rt;
      rt.block_on([&]() -> future<> {
        static_cast<void>(eddy::spawn_blocking([&started] {
          started = true;
          for (;;) std::this_thread::sleep_for(1h);
        }));
        while (!started) co_await eddy::yield_now();
      });
    }
    std::exit(3);  // with all that exit() does
  });
  CHECK(end.code == 3);
  CHECK(end.text.empty());
}

TEST_CASE("the program may end inside of a runtime, with tasks and jobs alive") {
  const auto end = in_child([]() -> int {
    static eddy::runtime rt;
    rt.block_on([]() -> future<> {
      eddy::spawn([]() -> future<> { co_await eddy::sleep(1h); });
      static_cast<void>(eddy::spawn_blocking([] {
        for (;;) std::this_thread::sleep_for(1h);
      }));
      co_await eddy::sleep(1ms);
    });
    std::exit(4);  // destroys rt
  });
  CHECK(end.code == 4);
  CHECK(end.text.empty());
}

#ifndef NDEBUG
TEST_CASE("an rc on another thread ends the program with one line") {
  const auto end = in_child([] {
    auto p = eddy::make_rc<int>(1);
    std::thread([&] { const auto copy = p; }).join();
    return 0;
  });
  CHECK(end.code == -1);
  CHECK(end.text ==
        "eddy: an rc was used by two threads: tasks that hold one are started with spawn_local\n");
}
#endif

}  // namespace
