#include <eddy/stream/stream_of.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <forward_list>
#include <list>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>

#include "stream/support.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::errc;
using eddy::future;
using ints = std::vector<int>;
using test::all;
using test::at_end;
using test::is_pending;
using test::value;

TEST_CASE("ranges of every kind, moved after each element") {
  const test::leak_check leaks;
  test::mock_task task;
  const auto check = [&](auto s, const ints& expected) {
    ints seen;
    for (;;) {
      auto moved = std::make_unique<decltype(s)>(std::move(s));
      auto p = test::step(task, *moved);
      auto next = std::make_unique<decltype(s)>(std::move(*moved));
      moved.reset();
      std::destroy_at(&s);
      std::construct_at(&s, std::move(*next));
      if (!p->value()) break;
      seen.push_back(*p->value());
    }
    CHECK(seen == expected);
    CHECK(s.is_terminated());
    CHECK(at_end(task, s));
  };
  check(eddy::stream_of(ints{1, 2, 3}), {1, 2, 3});
  check(eddy::stream_of(std::array{1, 2, 3}), {1, 2, 3});
  check(eddy::stream_of(std::list{1, 2, 3}), {1, 2, 3});
  check(eddy::stream_of(std::forward_list{1, 2}), {1, 2});
  check(eddy::stream_of(std::set{3, 1, 2}), {1, 2, 3});
  check(eddy::stream_of(ints{}), {});
  check(eddy::stream_of(std::list<int>{}), {});
  check(eddy::stream_of(std::views::iota(1, 4)), {1, 2, 3});
  check(eddy::stream_of(std::views::iota(1) | std::views::take_while([](int v) { return v < 4; })),
        {1, 2, 3});
  ints odd{1, 2, 3};
  check(eddy::stream_of(odd | std::views::filter([](int v) { return v % 2 == 1; })), {1, 3});
  check(eddy::stream_of(std::span(odd)), {1, 2, 3});
  std::istringstream text("4 5 6");
  check(eddy::stream_of(std::ranges::istream_view<int>(text)), {4, 5, 6});
  std::string letters = "ab";  // a short string keeps its characters in itself
  auto s = eddy::stream_of(letters);
  auto moved = std::move(s);
  CHECK(value(task, moved) == 'a');
  auto bits = eddy::stream_of(std::vector<bool>{true, false});
  CHECK(all(task, bits) == std::vector<bool>{true, false});
}

TEST_CASE("a container given by value is moved from, one behind a view is copied") {
  const test::leak_check leaks;
  test::mock_task task;
  std::vector<std::string> words{"a word that is long enough for the heap"};
  const auto* before = words[0].data();
  auto views = eddy::stream_of(std::span(words));
  CHECK(value(task, views) == words[0]);
  auto moves = eddy::stream_of(std::move(words));
  CHECK(value(task, moves).data() == before);
}

TEST_CASE("a range that never ends lets others run") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto s = eddy::stream_of(std::views::iota(0));
    auto ready = [](auto& from) {
      return eddy::poll_fn([&from](eddy::context& cx) -> eddy::polled<int> {
        int n = 0;
        while (from.poll_next(cx).is_ready()) ++n;
        return n;
      });
    };
    auto counting = ready(s);
    const int n = co_await counting;
    CHECK(n > 100);
    CHECK(n < 1000);
    co_await eddy::yield_now();
    auto again = ready(s);
    const int more = co_await again;
    CHECK(more > 100);
    CHECK(more < 1000);
  });
}

TEST_CASE("one value, none, and never any") {
  const test::leak_check leaks;
  test::mock_task task;
  auto one = eddy::once_stream(std::make_unique<int>(4));
  CHECK_FALSE(one.is_terminated());
  CHECK(*value(task, one) == 4);
  CHECK(at_end(task, one));
  auto none = eddy::empty_stream<int>();
  CHECK(none.is_terminated());
  CHECK(at_end(task, none));
  auto never = eddy::pending_stream<int>();
  CHECK(is_pending(task, never));
  CHECK(is_pending(task, never));
  CHECK(task.references() == 0);
}

future<std::string> waits(test::gate& g, test::note) {
  co_await g.wait();
  co_return "done";
}

TEST_CASE("a future is a stream of its one value, which may be moved while the future waits") {
  const test::leak_check leaks;
  test::take_trace();
  test::mock_task task;
  test::gate gate;
  {
    auto s = eddy::stream_of(waits(gate, test::note("n")));
    CHECK(is_pending(task, s));
    auto moved = std::move(s);
    gate.open();
    CHECK(task.take_wakes() == 1);
    CHECK(value(task, moved) == "done");
    CHECK(test::take_trace() == "~n ");
    CHECK(at_end(task, moved));
    CHECK(at_end(task, s));
  }
  gate.close();
  {
    auto dropped = eddy::stream_of(waits(gate, test::note("n")));
    CHECK(is_pending(task, dropped));
  }
  CHECK(gate.waiting() == 0);
  test::take_trace();
  auto leaf = eddy::stream_of(test::after<int>(1, 3));
  CHECK(is_pending(task, leaf));
  CHECK(value(task, leaf) == 3);
  task.take_wakes();
}

TEST_CASE("a stream of one's own gets next() and the adapters") {
  struct countdown {
    int left;
    eddy::polled<std::optional<int>> poll_next(eddy::context&) noexcept {
      return left == 0 ? std::nullopt : std::optional(left--);
    }
  };
  test::mock_task task;
  auto s = eddy::stream_of(countdown{3}).map([](int v) { return v * 2; });
  CHECK(all(task, s) == ints{6, 4, 2});
}

/// A receiver as channels have them: its leaf is in the list of who waits.
class inbox {
 public:
  explicit inbox(test::gate& g, int* values) noexcept : gate_(&g), values_(values) {}
  class [[nodiscard]] leaf {
   public:
    explicit leaf(inbox& i) noexcept : of_(&i), wait_(i.gate_->wait()) {}
    eddy::polled<eddy::result<std::optional<int>>> poll(eddy::context& cx) noexcept {
      if (!wait_.poll(cx)) return eddy::pending;
      const int v = *of_->values_;
      if (v == 0) return eddy::result<std::optional<int>>(std::nullopt);
      if (v < 0) return eddy::result<std::optional<int>>(eddy::error(errc::lagged));
      return eddy::result<std::optional<int>>(std::in_place, v);
    }

   private:
    inbox* of_;
    test::gate::leaf wait_;
  };
  leaf recv() noexcept { return leaf(*this); }

 private:
  test::gate* gate_;
  int* values_;
};

TEST_CASE("a receiver: its leaf lives while it waits, and a move of the stream makes another") {
  const test::leak_check leaks;
  test::mock_task task;
  test::gate gate;
  int next = 1;
  auto s = eddy::stream_of(inbox(gate, &next));
  CHECK(is_pending(task, s));
  CHECK(is_pending(task, s));
  CHECK(gate.waiting() == 1);
  auto moved = std::move(s);
  CHECK(gate.waiting() == 0);
  CHECK(is_pending(task, moved));
  CHECK(gate.waiting() == 1);
  gate.open();
  CHECK(task.take_wakes() == 1);
  CHECK(value(task, moved) == 1);
  CHECK(gate.waiting() == 0);
  next = -1;
  CHECK(test::failure(task, moved) == errc::lagged);
  next = 2;
  CHECK(value(task, moved) == 2);
  next = 0;
  CHECK_FALSE(moved.is_terminated());
  CHECK(at_end(task, moved));
  const int polls = gate.polls();
  CHECK(at_end(task, moved));
  CHECK(gate.polls() == polls);
  CHECK(moved.is_terminated());
}

TEST_CASE("an interval is a stream of its ticks, without an end") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> future<> {
    test::mock_task task;
    const auto start = eddy::clock::now();
    auto s = eddy::stream_of(eddy::interval(10ms));
    CHECK(value(task, s) == start);
    CHECK(is_pending(task, s));
    CHECK(test::here().timer_count() == 1);
    auto moved = std::move(s);
    CHECK(test::here().timer_count() == 0);
    CHECK(is_pending(task, moved));
    test::advance(10ms);
    CHECK(task.take_wakes() == 1);
    CHECK(value(task, moved) == start + 10ms);
    CHECK_FALSE(moved.is_terminated());
    co_return;
  });
}

TEST_CASE("a join_set is a stream of its tasks' results") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    eddy::join_set<int> set;
    for (int i = 0; i < 3; ++i)
      set.spawn(
          [](int v) -> future<int> {
            for (int n = 0; n < v; ++n) co_await eddy::yield_now();
            co_return v;
          },
          i);
    auto op = eddy::stream_of(std::move(set)).values().collect();
    const auto values = co_await op;
    CHECK(values == ints{0, 1, 2});
  });
}

TEST_CASE("a listener is a stream of connections") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> future<> {
    auto listener = co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
    const auto at = listener.local_addr();
    auto incoming = eddy::stream_of(std::move(listener));
    test::mock_task task;
    CHECK(is_pending(task, incoming));
    auto client = co_await eddy::net::tcp_stream::connect(at);
    auto connection = co_await incoming.next();
    REQUIRE(connection.has_value());
    CHECK(connection->peer == client.local_addr());
    CHECK_FALSE(incoming.is_terminated());
  });
}

TEST_CASE("sources at every cut point") {
  CHECK(test::cut_points([]() -> future<> {
          auto ticks =
              eddy::stream_of(eddy::interval(10ms)).take(3).map([](eddy::instant) { return 1; });
          auto words =
              eddy::stream_of(std::list<std::string>{"a", "b", "one that is on the heap, surely"})
                  .then([](std::string s) -> future<int> {
                    co_await eddy::yield_now();
                    co_return static_cast<int>(s.size());
                  });
          auto last = eddy::stream_of([]() -> future<int> {
            co_await eddy::sleep(1s);
            co_return 5;
          }());
          auto op = std::move(ticks).merge(std::move(words)).chain(std::move(last)).collect();
          const auto values = co_await op;
          CHECK(values.size() == 7);
        }) > 5);
}

}  // namespace
