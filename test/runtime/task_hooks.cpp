// What a task is called by, and who is told of it: ids, abort handles, hooks, the policy for failures.

#include <eddy/runtime/runtime.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::task_id;
namespace this_task = eddy::this_task;

/// Notes the task it is destroyed in.
class notes_id {
 public:
  explicit notes_id(std::vector<task_id>& seen) : seen_(&seen) {}
  notes_id(notes_id&& other) noexcept : seen_(std::exchange(other.seen_, nullptr)) {}
  notes_id& operator=(notes_id&&) = delete;
  ~notes_id() {
    if (seen_ != nullptr) seen_->push_back(this_task::try_id().value_or(task_id{}));
  }

 private:
  std::vector<task_id>* seen_;
};

TEST_CASE("a task knows its id, which is its handle's and no other task's") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    const auto own = this_task::id();
    const auto tell = []() -> future<task_id> {
      const auto before = this_task::id();
      co_await eddy::yield_now();
      CHECK(this_task::id() == before);
      co_return before;
    };
    auto a = eddy::spawn(tell());
    auto b = eddy::spawn_local(tell());
    const auto a_id = a.id();
    const auto b_id = b.id();
    CHECK(co_await a == a_id);
    CHECK(co_await b == b_id);
    CHECK(a_id != b_id);
    CHECK(a_id != own);
    CHECK(this_task::id() == own);
    auto job = eddy::spawn_blocking([] { return this_task::id(); });
    const auto job_id = job.id();
    CHECK(co_await job == job_id);
    CHECK(job_id != own);
  });
}

TEST_CASE("outside of tasks there is no id") {
  const test::leak_check leaks;
  CHECK(this_task::try_id() == std::nullopt);
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> { co_return; });
  CHECK(this_task::try_id() == std::nullopt);
#if EDDY_EXCEPTIONS
  CHECK_THROWS_WITH_AS(static_cast<void>(this_task::id()),
                       "eddy: this_task::id: this is not called in a task", std::logic_error);
#endif
}

TEST_CASE("what a task held is destroyed in it, when it ends, is aborted, and with its runtime") {
  const test::leak_check leaks;
  std::vector<task_id> seen;
  std::vector<task_id> ids;
  {
    eddy::runtime rt = test::make_runtime();
    rt.block_on([](std::vector<task_id>& all, std::vector<task_id>& log) -> future<> {
      const auto ends = [](notes_id) -> future<> { co_return; };
      const auto waits = [](notes_id) -> future<> { co_await eddy::sleep(1h); };
      auto a = eddy::spawn(ends(notes_id(log)));
      auto b = eddy::spawn(waits(notes_id(log)));
      auto c = eddy::spawn(waits(notes_id(log)));
      all = {a.id(), b.id(), c.id()};
      co_await a;
      b.abort();
      static_cast<void>(co_await eddy::attempt(b));
    }(ids, seen));
    CHECK(seen.size() == 2);
  }
  CHECK(seen == ids);
}

TEST_CASE("a value that nobody takes is destroyed in its task, whenever its handle is dropped") {
  const test::leak_check leaks;
  std::vector<task_id> seen;
  std::vector<task_id> ids;
  eddy::runtime rt;
  rt.block_on([](std::vector<task_id>& all, std::vector<task_id>& log) -> future<> {
    const auto gives = [](std::vector<task_id>& l) -> future<notes_id> { co_return notes_id(l); };
    {
      auto before = eddy::spawn(gives(log));
      all.push_back(before.id());
    }
    co_await eddy::yield_now();
    CHECK(log.size() == 1);
    {
      auto after = eddy::spawn(gives(log));
      all.push_back(after.id());
      while (!after.is_finished()) co_await eddy::yield_now();
      CHECK(log.size() == 1);
    }
    CHECK(log.size() == 2);
  }(ids, seen));
  CHECK(seen == ids);
}

TEST_CASE("an abort handle aborts, tells, and outlives task and runtime") {
  const test::leak_check leaks;
  std::optional<eddy::abort_handle> kept;
  {
    eddy::runtime rt = test::make_runtime();
    kept = rt.block_on([]() -> future<eddy::abort_handle> {
      auto h = eddy::spawn([]() -> future<> { co_await eddy::sleep(1h); });
      auto a = h.abort_handle();
      const auto copy = a;
      CHECK(copy.id() == h.id());
      co_await eddy::yield_now();
      CHECK_FALSE(copy.is_finished());
      std::thread([other = a] { other.abort(); }).join();
      const auto r = co_await eddy::attempt(std::move(h));
      CHECK(r.error() == eddy::errc::aborted);
      CHECK(copy.is_finished());
      co_return a;
    });
  }
  kept->abort();
  CHECK(kept->is_finished());
  CHECK(kept->id() != task_id{});
}

// ---- hooks

TEST_CASE("the hooks are called for each task and each poll, with its id and its spawn site") {
  const test::leak_check leaks;
  std::vector<std::string> log;
  std::set<task_id> spawned;
  const auto note = [&log](const char* what) {
    return [&log, what](const eddy::task_meta& task) {
      CHECK(task.id() != task_id{});
      log.push_back(what);
      if (task.name() == "named") log.back() += "!";
    };
  };
  std::string site;
  eddy::runtime rt = eddy::runtime::builder()
                         .on_task_spawn([&](const eddy::task_meta& task) {
                           spawned.insert(task.id());
                           site = task.spawned_at();
                           log.emplace_back("spawn");
                         })
                         .on_task_terminate(note("end"))
                         .on_before_task_poll(note("before"))
                         .on_after_task_poll(note("after"))
                         .build();
  auto early = rt.spawn([]() -> future<> { co_await eddy::yield_now(); });
  CHECK(log == std::vector<std::string>{"spawn"});
  CHECK(site.find("task_hooks.cpp:") != std::string::npos);
  CHECK(spawned.count(early.id()) == 1);
  rt.block_on(std::move(early));
  log.clear();
  rt.block_on([](std::vector<std::string>& l) -> future<> {
    auto h = eddy::task_builder().name("named").spawn([]() -> future<> { co_return; });
    l.clear();
    co_await h;
    CHECK(l == std::vector<std::string>{"after", "before!", "after!", "end!", "before"});
  }(log));
  CHECK(spawned.size() == 4);
}

TEST_CASE("the hooks see each task begin and end and each of its polls, on every runtime") {
  const test::leak_check leaks;
  std::atomic<int> spawned{0};
  std::atomic<int> ended{0};
  std::atomic<int> begun{0};
  std::atomic<int> over{0};
  const auto count = [](std::atomic<int>& n) {
    return [&n](const eddy::task_meta& task) {
      n += task.spawned_at().find("task_hooks.cpp:") != std::string::npos ? 1 : 1000;
    };
  };
  {
    eddy::runtime::builder b;
    b.on_task_spawn(count(spawned)).on_task_terminate(count(ended));
    b.on_before_task_poll(count(begun)).on_after_task_poll(count(over));
    eddy::runtime rt = test::make_runtime(std::move(b));
    auto outside = rt.spawn([]() -> future<> { co_await eddy::yield_now(); });
    rt.block_on([](eddy::join_handle<> h) -> future<> {
      co_await h;
      auto inside = eddy::spawn([]() -> future<> { co_return; });
      co_await inside;
      auto pinned = eddy::spawn_local([]() -> future<> { co_return; });
      co_await pinned;
    }(std::move(outside)));
  }
  CHECK(spawned == 4);
  CHECK(ended == 4);
  CHECK(begun == over);
  CHECK(begun >= 6);
}

TEST_CASE("the hook for ended tasks sees aborted ones, and those that end with the runtime") {
  const test::leak_check leaks;
  int ended = 0;
  {
    eddy::runtime rt = eddy::runtime::builder()
                           .on_task_terminate([&](const eddy::task_meta&) { ++ended; })
                           .build();
    rt.block_on([]() -> future<> {
      auto a = eddy::spawn([]() -> future<> { co_await eddy::sleep(1h); });
      a.abort();
      static_cast<void>(co_await eddy::attempt(a));
      static_cast<void>(eddy::spawn([]() -> future<> { co_await eddy::sleep(1h); }));
    });
    CHECK(ended == 2);
  }
  CHECK(ended == 3);
}

#if EDDY_EXCEPTIONS
future<> fails() {
  co_await eddy::yield_now();
  throw std::runtime_error("lost");
}

TEST_CASE(
    "shutdown_runtime: a failure that nobody awaits destroys the tasks, and block_on throws") {
  const test::leak_check leaks;
  std::vector<task_id> seen;
  int reports = 0;
  eddy::runtime rt = eddy::runtime::builder()
                         .unhandled_panic(eddy::unhandled_panic::shutdown_runtime)
                         .on_unhandled_failure([&](const eddy::task_failure&) { ++reports; })
                         .build();
  auto waiting = rt.spawn([](notes_id) -> future<> { co_await eddy::sleep(1h); }(notes_id(seen)));
  const auto down = [&] {
    std::string text;
    try {
      rt.block_on([]() -> future<> {
        static_cast<void>(eddy::spawn(fails()));
        co_await eddy::sleep(1h);
      });
    } catch (const eddy::join_error& e) {
      text = e.what();
    }
    return text;
  };
  CHECK(down().find("nobody awaited it") != std::string::npos);
  CHECK(reports == 1);
  CHECK(seen == std::vector{waiting.id()});
  CHECK(waiting.is_finished());
  CHECK(down().find("nobody awaited it") != std::string::npos);
}

TEST_CASE("shutdown_runtime: a failure that is awaited is none of the runtime's business") {
  const test::leak_check leaks;
  eddy::runtime rt =
      eddy::runtime::builder().unhandled_panic(eddy::unhandled_panic::shutdown_runtime).build();
  rt.block_on([]() -> future<> {
    auto h = eddy::spawn(fails());
    const auto r = co_await eddy::attempt(h);
    CHECK_FALSE(r.has_value());
    co_await eddy::yield_now();
  });
  CHECK_THROWS_AS(rt.block_on(fails()), std::runtime_error);
}
#endif

}  // namespace
