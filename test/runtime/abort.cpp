#include <eddy/task/join_handle.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/any_runtime.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::promise;

struct never {
  eddy::polled<> poll(eddy::context&) noexcept { return eddy::pending; }
};
future<> one_round() { co_await eddy::yield_now(); }
future<> wait_for_ever(std::shared_ptr<int>) { co_await never(); }

TEST_CASE("abort of a task that has not run: it never does") {
  const test::leak_check leaks;
  eddy::runtime rt;
  const auto held = std::make_shared<int>();
  bool ran = false;
  rt.block_on([&]() -> future<> {
    auto h = eddy::spawn([&ran, held]() -> future<> {
      ran = true;
      co_return;
    });
    h.abort();
    CHECK_FALSE(h.is_finished());
    CHECK(held.use_count() == 2);
    co_await eddy::yield_now();
    CHECK(h.is_finished());
    CHECK(held.use_count() == 1);
    const auto r = co_await eddy::attempt(h);
    CHECK(r.error() == eddy::errc::aborted);
  });
  CHECK_FALSE(ran);
}

TEST_CASE("abort of a task that waits, twice, and then dropping the handle") {
  const test::leak_check leaks;
  eddy::runtime rt;
  const auto held = std::make_shared<int>();
  rt.block_on([&]() -> future<> {
    {
      auto h = eddy::spawn(wait_for_ever(held));
      co_await eddy::yield_now();
      const auto polls = test::polls();
      h.abort();
      h.abort();
      co_await eddy::yield_now();
      CHECK(test::polls() - polls == 2);  // ours and one for the task, whose destruction counts
      h.abort();                          // it has ended: nothing
    }
    CHECK(held.use_count() == 1);
  });
}

TEST_CASE("abort of a task that is queued again") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  std::atomic<int> rounds{0};
  rt.block_on([&]() -> future<> {
    auto h = eddy::spawn([&]() -> future<> {
      for (;;) {
        ++rounds;
        co_await eddy::yield_now();
      }
    });
    while (rounds < 2) co_await eddy::yield_now();
    int before = rounds;
    h.abort();
    const auto r = co_await eddy::attempt(std::move(h));
    CHECK(r.error() == eddy::errc::aborted);
    if (test::on_pool()) before = rounds;  // it may have been in the middle of one
    co_await eddy::yield_now();
    CHECK(rounds == before);
  });
}

TEST_CASE("abort of a task from inside itself: it ends where it next waits, or with its value") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    std::optional<eddy::join_handle<int>> self;
    int steps = 0;
    self = eddy::spawn([&]() -> future<int> {
      self->abort();
      ++steps;
      co_await []() -> future<> { co_return; }();  // ready at once is no wait
      ++steps;
      co_await eddy::yield_now();
      ++steps;
      co_return 1;
    });
    const auto r = co_await eddy::attempt(*self);
    CHECK(r.error() == eddy::errc::aborted);
    CHECK(steps == 2);

    self.reset();
    self = eddy::spawn([&]() -> future<int> {
      self->abort();
      co_return 2;
    });
    CHECK(co_await *self == 2);  // it ended in the very poll
  });
}

TEST_CASE("abort of a task that has ended changes nothing") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto h = eddy::spawn([]() -> future<int> { co_return 3; });
    while (!h.is_finished()) co_await eddy::yield_now();
    h.abort();
    std::thread([&] { h.abort(); }).join();
    co_await eddy::yield_now();
    CHECK(co_await std::move(h) == 3);
  });
}

TEST_CASE("abort outside of block_on, and with a handle from outside") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  const auto held = std::make_shared<int>();
  auto waits = rt.spawn(wait_for_ever(held));
  auto unseen = rt.spawn(wait_for_ever(held));
  unseen.abort();
  while (!unseen.is_finished()) rt.block_on(one_round());
  CHECK(held.use_count() == 2);
  waits.abort();
  if (!test::on_pool()) {  // nobody runs it now
    CHECK_FALSE(waits.is_finished());
    CHECK(held.use_count() == 2);
  }
  const auto r = rt.block_on(eddy::attempt(std::move(waits)));
  CHECK(r.error() == eddy::errc::aborted);
  CHECK(held.use_count() == 1);
}

TEST_CASE(
    "an aborted task's children go on, and what it awaits in its own frames is destroyed inside "
    "out") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    std::string order;
    struct note {
      std::string* to;
      char c;
      ~note() { *to += c; }
    };
    std::atomic<bool> child_ran{false};
    std::atomic<bool> waits{false};
    auto h = eddy::spawn([&]() -> future<> {
      const note a{&order, 'a'};
      eddy::spawn([&]() -> future<> {
        co_await eddy::yield_now();
        co_await eddy::yield_now();
        child_ran = true;
      });
      co_await [](std::string& o, std::atomic<bool>& there) -> future<> {
        const note b{&o, 'b'};
        co_await [](std::string& o2, std::atomic<bool>& there2) -> future<> {
          const note c{&o2, 'c'};
          there2 = true;
          co_await never();
        }(o, there);
      }(order, waits);
    });
    while (!waits) co_await eddy::yield_now();
    h.abort();
    static_cast<void>(co_await eddy::attempt(std::move(h)));
    CHECK(order == "cba");
    while (!child_ran) co_await eddy::yield_now();
  });
}

TEST_CASE("a task's destructors may abort, wake and await nothing of itself") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    std::optional<eddy::join_handle<>> self;
    eddy::waker own;
    struct at_end {
      std::optional<eddy::join_handle<>>* self;
      eddy::waker* own;
      ~at_end() {
        (*self)->abort();
        own->wake();
        CHECK_FALSE((*self)->is_finished());
      }
    };
    self = eddy::spawn([&]() -> future<> {
      const at_end e{&self, &own};
      co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
        own = cx.get_waker();
        return eddy::pending;
      });
    });
    co_await eddy::yield_now();
    self->abort();
    const auto r = co_await eddy::attempt(*self);
    CHECK(r.error() == eddy::errc::aborted);
    own.wake();
    co_await eddy::yield_now();
    own.reset();
  });
}

TEST_CASE("a task whose frames drop its own handle") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto box = std::make_shared<std::optional<eddy::join_handle<>>>();
    *box = eddy::spawn(
        [](std::shared_ptr<std::optional<eddy::join_handle<>>> b) -> future<> {
          co_await eddy::yield_now();
          b->reset();  // detached by itself
          co_await eddy::yield_now();
        },
        box);
    co_await eddy::yield_now();
    auto last = eddy::spawn(
        [](std::shared_ptr<std::optional<eddy::join_handle<>>>) -> future<> { co_await never(); },
        box);
    box->emplace(std::move(last));  // the last reference is in the task's own frame
    co_await eddy::yield_now();
    const auto weak = std::weak_ptr(box);
    (*box)->abort();
    box.reset();
    while (!weak.expired()) co_await eddy::yield_now();
  });
}

TEST_CASE("awaiting a handle twice is misuse") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto h = eddy::spawn([]() -> future<int> { co_return 1; });
    CHECK(co_await h == 1);
    const auto r = co_await eddy::attempt(h);
    CHECK(r.error() == eddy::errc::misuse);
    auto moved = std::move(h);
    const auto m = co_await eddy::attempt(h);
    CHECK(m.error() == eddy::errc::misuse);
    CHECK(h.is_finished());
    CHECK(h.id() == eddy::task_id{});
  });
}

TEST_CASE("a join handle: ready at once, ready later, dropped while waiting, another task asks") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    for (const bool portable : {false, true}) {
      CAPTURE(portable);
      const auto start = [portable](future<int> f) {
        return portable ? eddy::handle::current().spawn(std::move(f)) : eddy::spawn(std::move(f));
      };
      const auto after = [](future<> go) -> future<int> {
        co_await std::move(go);
        co_return 9;
      };
      test::mock_task one;
      test::mock_task two;
      promise<> p;
      auto h = start(after(p.get_future()));
      co_await eddy::yield_now();
      CHECK_FALSE(one.poll(h));
      CHECK(one.references() == 1);
      CHECK_FALSE(one.poll(h));
      CHECK(one.references() == 1);
      CHECK_FALSE(two.poll(h));  // the last who asked is woken
      p.set_value();
      co_await eddy::yield_now();
      CHECK(two.take_wakes() == 1);
      CHECK(one.take_wakes() == 0);
      auto r = one.poll(h);
      REQUIRE(r);
      CHECK(r->value() == 9);
      {
        promise<> q;
        auto dropped = start(after(q.get_future()));
        co_await eddy::yield_now();
        CHECK_FALSE(one.poll(dropped));
        {
          const auto gone = std::move(dropped);
        }
        q.set_value();
        co_await eddy::yield_now();
        co_await eddy::yield_now();
      }
      CHECK(one.take_wakes() <= 1);  // harmless
      {
        const auto gone = std::move(h);
      }
      CHECK(one.references() == 0);
      CHECK(two.references() == 0);
    }
  });
}

TEST_CASE("a tree of tasks is dropped at every cut point") {
  const auto polls = test::cut_points([]() -> future<> {
    auto held = std::make_shared<std::string>(40, 'x');
    auto a = eddy::spawn(
        [](std::shared_ptr<std::string> s) -> future<std::shared_ptr<std::string>> {
          auto inner = eddy::spawn(
              [](std::shared_ptr<std::string> t) -> future<std::string> {
                co_await eddy::sleep(1s);
                co_return *t;
              },
              s);
          co_await eddy::yield_now();
          const std::string text = co_await std::move(inner);
          co_return std::make_shared<std::string>(text);
        },
        held);
    auto b = eddy::handle::current().spawn(
        [](std::shared_ptr<std::string>) -> future<> { co_await eddy::sleep(9s); }, held);
    const auto text = co_await std::move(a);
    CHECK(text->size() == 40);
    b.abort();
    CHECK_FALSE(co_await eddy::attempt(std::move(b)));
  });
  CHECK(polls > 5);
}

}  // namespace
