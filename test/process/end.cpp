// How children end, and who sees it.
#include <eddy/process/child.hpp>

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/combine/join_all.hpp>
#include <eddy/combine/select.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/io/read.hpp>
#include <eddy/process/command.hpp>
#include <eddy/runtime/runtime.hpp>
#include <eddy/task/spawn.hpp>
#include <eddy/task/yield.hpp>
#include <eddy/time/sleep.hpp>

#include "process/exit_watch.hpp"
#include "process/orphans.hpp"
#include "support/any_runtime.hpp"
#include "support/cut_points.hpp"
#include "support/few_descriptors.hpp"
#include "support/mock_task.hpp"

using namespace std::chrono_literals;
using eddy::future;
using eddy::process::child;
using eddy::process::command;
using eddy::process::stdio;

namespace {

command sh(std::string script) {
  command c("sh");
  c.arg("-c").arg(std::move(script));
  return c;
}
child sleeper(bool kill_on_drop = true) {
  return command("sleep").arg("1000").kill_on_drop(kill_on_drop).spawn().value();
}
bool is_there(::pid_t pid) { return ::kill(pid, 0) == 0; }  // also a zombie is
// Until whoever collects dropped children has done so.
void let_orphans_end() {
  while (eddy::detail::orphan_count() != 0) std::this_thread::yield();
}

// Each body once with pidfds and once without.
template <class F>
void both_ways(F f) {
  for (const bool pidfds : {true, false}) {
    CAPTURE(pidfds);
    const test::leak_check leaks;
    eddy::detail::exit_watch::use_pidfds(pidfds);
    f();
    let_orphans_end();
  }
  eddy::detail::exit_watch::use_pidfds(true);
}

}  // namespace

TEST_CASE("a wait is ready at once for a child that has ended, and later for one that ends later") {
  both_ways([] {
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      auto c = command("sleep").arg("1000").spawn().value();
      {
        test::mock_task task;
        auto waiting = c.wait();
        task.assert_pending(waiting);
      }
      CHECK(!c.try_wait().value());
      c.start_kill().value();
      const auto status = co_await c.wait();
      CHECK(status.signal() == SIGKILL);
      test::mock_task task;
      auto again = c.wait();
      CHECK(task.assert_ready(again)->signal() == SIGKILL);
    });
  });
}

TEST_CASE("killing a child that has ended is fine, seen or unseen; another signal is ESRCH") {
  both_ways([] {
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      auto c = sh("exit 2").spawn().value();
      c.start_kill().value();
      co_await c.wait();
      c.start_kill().value();
      co_await c.kill();
      CHECK(c.send(eddy::signal::kind::terminate()).error() == std::errc::no_such_process);
      auto t = sleeper();
      t.send(eddy::signal::kind::terminate()).value();
      const auto status = co_await t.wait();
      CHECK(status.signal() == SIGTERM);
    });
  });
}

TEST_CASE("a dropped child runs on and leaves no zombie, runtime or not") {
  both_ways([] {
    ::pid_t pid = 0;
    {
      auto rt = test::make_runtime();
      rt.block_on([&pid]() -> future<> {
        auto c = sleeper(false);
        pid = c.id().value();
        co_return;
      });
    }
    CHECK(is_there(pid));
    CHECK(eddy::detail::orphan_count() == 1);
    REQUIRE(::kill(pid, SIGKILL) == 0);
    let_orphans_end();
    CHECK(!is_there(pid));
  });
}

TEST_CASE("a child that is dropped when descriptors have run out is collected all the same") {
  both_ways([] {
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      std::optional c(sleeper(false));
      const auto pid = c->id().value();
      {
        const test::few_descriptors none;
        c.reset();
      }
      CHECK(eddy::detail::orphan_count() == 1);
      REQUIRE(::kill(pid, SIGKILL) == 0);
      let_orphans_end();
      CHECK(!is_there(pid));
      co_return;
    });
  });
}

TEST_CASE("a wait that is asked again before its watch has heard of the end says it") {
  both_ways([] {
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      for (int i = 0; i < 20; ++i) {
        auto c = sleeper();
        auto round = eddy::spawn(
            [](child* one) -> future<> {
              test::mock_task task;
              auto waiting = one->wait();
              task.assert_pending(waiting);
              co_await eddy::yield_now();  // on another worker, perhaps
              one->start_kill().value();
              siginfo_t info;
              const auto pid = static_cast<id_t>(one->id().value());
              REQUIRE(::waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0);
              CHECK(task.assert_ready(waiting)->signal() == SIGKILL);
            },
            &c);
        co_await round;
      }
    });
  });
}

TEST_CASE("a child that has ended unseen is collected when its handle is dropped") {
  both_ways([] {
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      auto t = sh("exec true");
      std::optional c(t.std_out(stdio::piped()).spawn().value());
      const auto all = co_await eddy::io::read_to_string(*c->std_out);
      const auto pid = c->id().value();
      siginfo_t info;
      REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
      c.reset();
      CHECK(eddy::detail::orphan_count() == 0);
      CHECK(!is_there(pid));
    });
  });
}

TEST_CASE("kill_on_drop kills the child, not its children") {
  both_ways([] {
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      auto script =
          sh("(sleep 0.2; echo grandchild ran) & echo started; sleep 1 >/dev/null; echo not this");
      script.kill_on_drop().std_out(stdio::piped());
      std::optional c(script.spawn().value());
      auto out = std::move(*c->std_out);
      std::string started(8, '\0');
      co_await eddy::io::read_exact(out, started);
      c.reset();
      const auto text = co_await eddy::io::read_to_string(out);
      CHECK(text == "grandchild ran\n");
    });
  });
}

TEST_CASE(
    "a child is waited for on another runtime than it was started on, the first one gone or not") {
  both_ways([] {
    std::optional<child> c;
    std::optional<eddy::runtime> first(test::make_runtime());
    auto second = test::make_runtime();
    first->block_on([&c]() -> future<> {
      auto script = sh("read x; exit 4");
      c.emplace(script.std_in(stdio::piped()).std_out(stdio::null()).spawn().value());
      auto in = std::move(c->std_in);
      test::mock_task task;
      auto waiting = c->wait();
      task.assert_pending(waiting);  // watched by the first one's loop
      in->try_write("go\n").value();
      co_return;
    });
    const auto status = second.block_on([&c]() -> future<int> {
      const auto s = co_await c->wait();
      co_return s.code().value();
    });
    CHECK(status == 4);
    auto late = first->block_on([]() -> future<child> { co_return sleeper(); });
    first.reset();
    second.block_on([&late]() -> future<> { co_await late.kill(); });
  });
}

TEST_CASE("a hundred children that end together are all seen") {
  both_ways([] {
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      std::vector<future<>> batches;
      for (int b = 0; b < 10; ++b)
        batches.push_back([]() -> future<> {
          std::vector<child> ten;
          for (int i = 0; i < 10; ++i) {
            command c("true");
            c.std_in(stdio::null()).std_out(stdio::null()).kill_on_drop();
            ten.push_back(c.spawn().value());
          }
          for (auto& c : ten) {
            const auto status = co_await c.wait();
            CHECK(status.success());
          }
        }());
      co_await eddy::join_all(std::move(batches));
    });
  });
}

TEST_CASE("runtimes in several threads start children and see their ends") {
  both_ways([] {
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([t, &right] {
        auto rt = test::make_runtime();
        rt.block_on([t, &right]() -> future<> {
          for (int i = 0; i < 10; ++i) {
            const int code = t * 10 + i;
            const auto status = co_await sh("exit " + std::to_string(code)).status();
            if (status.code() == code) ++right;
          }
        });
      });
    for (auto& t : threads) t.join();
    CHECK(right == 40);
  });
}

TEST_CASE("another library's SIGCHLD handler is called and stays") {
  static std::atomic<int> calls{0};
  both_ways([] {
    calls = 0;
    const auto handler = +[](int) { ++calls; };
    struct sigaction theirs = {};
    theirs.sa_handler = handler;
    theirs.sa_flags = SA_RESTART;
    REQUIRE(::sigaction(SIGCHLD, &theirs, nullptr) == 0);
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      auto c = sleeper();
      co_await c.kill();
    });
    CHECK(calls >= 1);
    struct sigaction now;
    REQUIRE(::sigaction(SIGCHLD, nullptr, &now) == 0);
    const bool stays = now.sa_handler == handler;
    CHECK(stays);
    ::signal(SIGCHLD, SIG_DFL);
  });
}

TEST_CASE("a SIGCHLD handler that is installed later, and ignores ours, costs a pidfd nothing") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto c = sleeper();
    auto waiting = eddy::spawn([](child* one) -> future<> { co_await one->wait(); }, &c);
    co_await eddy::yield_now();
    ::signal(SIGCHLD, [](int) {});
    c.start_kill().value();
    co_await waiting;
    ::signal(SIGCHLD, SIG_DFL);
  });
}

TEST_CASE(
    "a child that another part of the program has collected ends its wait, and nothing hangs") {
  both_ways([] {
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      auto c = sh("read x; exit 5");
      c.std_in(stdio::piped()).std_out(stdio::null());
      auto one = c.spawn().value();
      auto in = std::move(one.std_in);
      auto waiting = eddy::spawn(
          [](child* w) -> future<eddy::result<eddy::process::exit_status>> {
            co_return co_await eddy::attempt(w->wait());
          },
          &one);
      co_await eddy::yield_now();
      in->try_write("go\n").value();
      CHECK(::waitpid(-1, nullptr, 0) > 0);  // the thief
      auto seen = co_await waiting;
      if (seen)  // by a pidfd, since Linux 6.15
        CHECK(seen->code() == 5);
      else
        CHECK(seen.error() == std::errc::no_child_process);
      one.start_kill().value();  // nobody is hit
      CHECK(one.try_wait().has_value() == seen.has_value());
    });
  });
}

TEST_CASE("a child that SIGCHLD says nothing of, because it is ignored, ends its wait too") {
  const test::leak_check leaks;
  ::signal(SIGCHLD, SIG_IGN);  // the system collects children itself
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto c = sleeper();
    auto waiting = eddy::spawn(
        [](child* w) -> future<bool> {
          auto r = co_await eddy::attempt(w->wait());
          co_return r ? r->signal() == SIGKILL : r.error() == std::errc::no_child_process;
        },
        &c);
    co_await eddy::yield_now();
    c.start_kill().value();
    const bool told = co_await waiting;
    CHECK(told);
  });
  ::signal(SIGCHLD, SIG_DFL);
}

TEST_CASE("children, pipes and waits are dropped at every cut point") {
  for (const bool pidfds : {true, false}) {
    eddy::detail::exit_watch::use_pidfds(pidfds);
    const auto cuts = test::cut_points([]() -> future<> {
      auto c = sh("cat; exit 1");
      c.std_in(stdio::piped()).std_out(stdio::piped()).kill_on_drop();
      auto one = c.spawn().value();
      co_await one.std_in->write_all("some bytes");
      auto done = co_await std::move(one).wait_with_output();
      CHECK(done.std_out == "some bytes");
      CHECK(done.status.code() == 1);
      auto two = sleeper();
      co_await two.kill();
    });
    CHECK(cuts > 2);
  }
  eddy::detail::exit_watch::use_pidfds(true);
}

TEST_CASE("a child that another one traces is seen to end once its tracer has gone") {
  both_ways([] {
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      command traced("strace");
      traced.args({"-o", "/dev/null", "-D", "sleep", "1000"}).std_err(stdio::null());
      auto c = traced.kill_on_drop().spawn();
      if (!c) {
        MESSAGE("skipped: " << c.error().message());
        co_return;
      }
      co_await eddy::sleep(100ms);
      static_cast<void>(c->send(eddy::signal::kind::interrupt()));
      co_await c->wait();
      CHECK(!c->id());
    });
  });
}
