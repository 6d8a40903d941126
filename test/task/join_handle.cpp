#include <eddy/task/join_handle.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/any_runtime.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"
#include "support/trace.hpp"

namespace {

using eddy::errc;
using eddy::future;
using eddy::join_handle;
using test::note;

future<int> number(int v, int turns = 0) {
  for (int i = 0; i < turns; ++i) co_await eddy::yield_now();
  co_return v;
}
future<int> wait_on(test::gate& g, note) {
  co_await g.wait();
  co_return 5;
}

TEST_CASE("ready at once, and ready later") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto h = eddy::spawn(number(3, 1));
    CHECK_FALSE(task.poll(h).is_ready());
    CHECK_FALSE(task.poll(h).is_ready());
    CHECK(task.take_wakes() == 0);
    co_await eddy::yield_now();
    co_await eddy::yield_now();
    CHECK(task.take_wakes() == 1);
    CHECK(h.is_finished());
    auto r = task.poll(h);
    REQUIRE(r.is_ready());
    CHECK(**r == 3);

    auto done = eddy::spawn(number(4));
    while (!done.is_finished()) co_await eddy::yield_now();
    auto q = task.poll(done);
    REQUIRE(q.is_ready());
    CHECK(**q == 4);
    CHECK(task.take_wakes() == 0);
  });
}

TEST_CASE("the last poll's target is woken") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    test::mock_task one, two;
    auto h = eddy::spawn(number(3));
    CHECK_FALSE(one.poll(h).is_ready());
    CHECK_FALSE(two.poll(h).is_ready());
    CHECK(one.references() == 0);
    co_await eddy::yield_now();
    CHECK(one.take_wakes() == 0);
    CHECK(two.take_wakes() == 1);
    co_await h;
  });
}

TEST_CASE("dropped while awaited: the task runs on, and nobody is woken") {
  const test::leak_check leaks;
  test::gate g;
  test::mock_task task;
  eddy::runtime rt;
  rt.block_on([](test::gate& on, test::mock_task& t) -> future<> {
    {
      auto h = eddy::spawn(wait_on(on, note("n")));
      CHECK_FALSE(t.poll(h).is_ready());
      CHECK(t.references() == 1);
    }
    CHECK(t.references() == 0);
    co_await eddy::yield_now();
    CHECK(on.waiting() == 1);
    on.open();
    co_await eddy::yield_now();
    CHECK(on.waiting() == 0);
    CHECK(t.take_wakes() == 0);
  }(g, task));
  test::take_trace();
}

future<> scenario() {
  auto a = eddy::spawn(number(1, 2));
  auto b = eddy::spawn(
      [](note n) -> future<std::string> {
        co_await eddy::sleep(std::chrono::seconds(1));
        co_return n.name();
      },
      note("b"));
  const int v = co_await a;
  CHECK(v == 1);
  const auto text = co_await b;
  CHECK(text == "b");
}

TEST_CASE("dropped at every cut point") {
  const auto before = note::live();
  CHECK(test::cut_points(scenario) > 5);
  CHECK(note::live() == before);
  test::take_trace();
}

TEST_CASE("an awaiting task that is dropped leaves the handle usable") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto h = eddy::spawn(number(3, 5));
    {
      auto waits = [](join_handle<int>& on) -> future<int> {
        const int v = co_await on;
        co_return v;
      };
      auto w = eddy::spawn(waits(h));
      co_await eddy::yield_now();
      w.abort();
      auto r = co_await eddy::attempt(std::move(w));
      CHECK(r.error() == errc::aborted);
    }
    const int v = co_await h;
    CHECK(v == 3);
  });
}

TEST_CASE("awaited twice, or after a move: misuse") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    test::mock_task task;
    auto h = eddy::spawn(number(3));
    const int v = co_await h;
    CHECK(v == 3);
    for (int i = 0; i < 2; ++i) {
      auto again = co_await eddy::attempt(h);
      REQUIRE_FALSE(again.has_value());
      CHECK(again.error() == errc::misuse);
    }
    auto to = eddy::spawn(number(4));
    auto moved = std::move(to);
    auto from = co_await eddy::attempt(to);
    CHECK(from.error() == errc::misuse);
    CHECK(to.is_finished());
    CHECK(to.id() == eddy::task_id{});
    to.abort();
    const int w = co_await moved;
    CHECK(w == 4);
  });
}

TEST_CASE("assigned over: both tasks keep to their handles") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto a = eddy::spawn(number(1));
    auto b = eddy::spawn(number(2));
    const auto id = b.id();
    a = std::move(b);
    CHECK(a.id() == id);
    const int v = co_await a;
    CHECK(v == 2);
    auto& same = a;
    a = std::move(same);
    auto twice = co_await eddy::attempt(a);
    CHECK(twice.error() == errc::misuse);
  });
}

TEST_CASE("abort: the task ends where it waits, the handle says so; ended tasks are not affected") {
  const test::leak_check leaks;
  test::gate g;
  eddy::runtime rt;
  rt.block_on([](test::gate& on) -> future<> {
    test::take_trace();
    auto waiting = eddy::spawn(wait_on(on, note("waiting")));
    auto unstarted = eddy::spawn(wait_on(on, note("unstarted")));
    unstarted.abort();
    co_await eddy::yield_now();
    CHECK(on.waiting() == 1);
    waiting.abort();
    waiting.abort();
    CHECK(on.waiting() == 1);  // not in place
    auto r = co_await eddy::attempt(waiting);
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error() == errc::aborted);
    CHECK(on.waiting() == 0);
    auto u = co_await eddy::attempt(unstarted);
    CHECK(u.error() == errc::aborted);
    CHECK(test::take_trace() == "~unstarted ~waiting ");

    auto ended = eddy::spawn(number(1));
    while (!ended.is_finished()) co_await eddy::yield_now();
    ended.abort();
    const int v = co_await ended;
    CHECK(v == 1);
  }(g));
}

future<int> aborts_itself(std::unique_ptr<join_handle<int>>& self, bool waits) {
  co_await eddy::yield_now();
  self->abort();
  if (waits) co_await eddy::yield_now();
  co_return 6;
}

TEST_CASE("a task that aborts itself ends at its next wait, or with its value if there is none") {
  const test::leak_check leaks;
  eddy::runtime rt;
  for (const bool waits : {false, true})
    rt.block_on([](bool w) -> future<> {
      std::unique_ptr<join_handle<int>> h;
      h = std::make_unique<join_handle<int>>(eddy::spawn(aborts_itself(h, w)));
      auto r = co_await eddy::attempt(*h);
      CHECK(r.has_value() == !w);
    }(waits));
}

future<> drops_own_handle(std::unique_ptr<join_handle<>>& self) {
  co_await eddy::yield_now();
  self.reset();
  co_await eddy::yield_now();
  test::say("end");
}

TEST_CASE("a task may drop its own handle") {
  const test::leak_check leaks;
  test::take_trace();
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    std::unique_ptr<join_handle<>> h;
    h = std::make_unique<join_handle<>>(eddy::spawn(drops_own_handle(h)));
    for (int i = 0; i < 4; ++i) co_await eddy::yield_now();
    CHECK(h == nullptr);
  });
  CHECK(test::take_trace() == "end ");
}

TEST_CASE("ids differ and order by time") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto a = eddy::spawn(number(1));
    auto b = eddy::spawn(number(1));
    CHECK(a.id() != b.id());
    CHECK(a.id() < b.id());
    co_await a;
    co_await b;
  });
}

TEST_CASE("references come out as the same object") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  int n = 0;
  rt.block_on([](int& object) -> future<> {
    auto h = eddy::spawn([](int& o) -> future<int&> { co_return o; }(object));
    int& r = co_await h;
    CHECK(&r == &object);
  }(n));
}

TEST_CASE("a handle of another thread: awaited, aborted, dropped, after the runtime too") {
  const test::leak_check leaks;
  const auto before = note::live();
  for (int round = 0; round < 30; ++round) {
    test::gate g;
    eddy::runtime rt;
    rt.block_on([](int k) -> future<> {
      auto here = eddy::handle::current();
      std::optional<join_handle<std::string>> back;
      eddy::promise<> done;
      auto ready = done.get_future();
      std::thread t([&] {
        auto value = here.spawn([]() -> future<std::string> {
          co_await eddy::yield_now();
          co_return "from a task that another thread has made";
        });
        auto stopped =
            here.spawn([](note) -> future<> { co_await eddy::sleep(std::chrono::hours(1)); },
                       note("argument"));
        auto dropped = here.spawn(number(1, 3));
        stopped.abort();
        back.emplace(std::move(value));
        done.set_value();
      });
      co_await std::move(ready);
      t.join();
      if (k % 3 != 0) {
        const auto text = co_await *back;
        CHECK(text.size() == 40);
        auto again = co_await eddy::attempt(*back);
        CHECK(again.error() == errc::misuse);
      }
    }(round));
  }
  CHECK(note::live() == before);
  test::take_trace();
}

#if EDDY_EXCEPTIONS
TEST_CASE("what a task threw comes out of the await, once; an abort is join_error") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto h = eddy::spawn([]() -> future<int> {
      throw std::out_of_range("task");
      co_return 1;
    });
    bool caught = false;
    try {
      co_await h;
    } catch (const std::out_of_range& e) {
      caught = std::string(e.what()) == "task";
    }
    CHECK(caught);
    bool misuse = false;
    try {
      co_await h;
    } catch (const std::logic_error& e) {
      misuse = std::string(e.what()) ==
               "eddy: a join handle was awaited twice, or after it was moved from";
    }
    CHECK(misuse);
    auto stopped = eddy::spawn(number(1, 10));
    stopped.abort();
    bool aborted = false;
    try {
      co_await stopped;
    } catch (const eddy::join_error& e) {
      aborted = e.code() == errc::aborted;
    }
    CHECK(aborted);
  });
}

class moody {
 public:
  explicit moody(int fuse) : fuse_(fuse) { ++live; }
  moody(moody&& o) : fuse_(o.fuse_) {
    if (fuse_ == 0) throw std::runtime_error("moved");
    --fuse_;
    ++live;
  }
  ~moody() { --live; }
  static inline int live = 0;

 private:
  int fuse_;
};

TEST_CASE("a value whose move throws on its way into or out of the task is a failure of the task") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  for (int fuse = 0; fuse < 3; ++fuse) {
    CAPTURE(fuse);
    rt.block_on([](int k) -> future<> {
      auto h = eddy::spawn([](int f) -> future<moody> { co_return moody(f); }, k);
      bool threw = false;
      try {
        auto m = co_await h;
      } catch (const std::runtime_error&) {
        threw = true;
      }
      CHECK(threw);
    }(fuse));
    CHECK(moody::live == 0);
  }
}

TEST_CASE("a handle awaited on the wrong runtime does not keep the outcome") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto value = std::make_shared<int>(1);
    auto h = eddy::spawn(
        [](std::shared_ptr<int> v) -> future<std::shared_ptr<int>> { co_return v; }, value);
    co_await eddy::yield_now();
    CHECK(value.use_count() == 2);
    std::thread([&h] {
      eddy::runtime other;
      CHECK_THROWS_AS(other.block_on([&h]() -> future<> { co_await h; }), std::logic_error);
    }).join();
    {
      const auto dropped = std::move(h);
    }
    CHECK(value.use_count() == 1);
  });
}
#endif

}  // namespace
