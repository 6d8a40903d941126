// Forms of select and join inside co_await expressions that g++ 12 takes rightly: everything is destroyed once, in
// whatever step the scenario is dropped.

#include <eddy/combine/select.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "support/cut_points.hpp"
#include "support/trace.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using test::note;

future<note> late(note n, std::string text) {
  note local("local");
  co_await eddy::sleep(1ms);
  co_return note(n.name() + text);
}
future<std::size_t> length(std::string text) {
  co_await eddy::yield_now();
  co_return text.size();
}

future<std::size_t> returned() {
  co_return (co_await eddy::select(length("four"), late(note("x"), "y"))).index();
}

future<> scenario() {
  auto plain = co_await eddy::select(late(note("a"), "b"), length(std::string(40, 'x')));
  CHECK(plain.index() == 1);
  if ((co_await eddy::select(late(note("a"), "b"), length("in an if"))).index() != 1) co_return;
  switch (
      (co_await eddy::select(eddy::when(true, late(note("a"), "b")), eddy::otherwise(note("none"))))
          .index()) {
    case 0:
      break;
    default:
      FAIL("otherwise");
  }
  int rounds = 0;
  while ((co_await eddy::select(late(note("loop"), "b"), eddy::when(++rounds < 3, length("x"))))
             .index() == 1) {
  }
  CHECK(rounds == 3);
  const auto visited =
      (co_await eddy::select(late(note("v"), "w"), eddy::sleep(1h)))
          .visit([&](note n) { return n.name(); }, [] { return std::string("never"); });
  CHECK(visited == "vw");
  auto [a, b] = co_await eddy::join(late(note("a"), "1"), late(note("b"), std::string("2")));
  CHECK(a.name() + b.name() == "a1b2");
  for (int i = 0; i < 2; ++i) {
    auto [c, nothing, d] =
        co_await eddy::try_join(late(note("c"), "1"), eddy::sleep(2ms), length("d"));
    CHECK(c.name().size() == d + 1);
  }
  auto cut = co_await eddy::attempt(eddy::timeout(
      1ms, eddy::join(late(note("e"), "f"), eddy::select(eddy::sleep(1h), late(note("g"), "h")),
                      eddy::sleep(1h))));
  CHECK(cut.error() == eddy::errc::elapsed);
  std::vector<future<note>> list;
  list.push_back(late(note("l"), "1"));
  list.push_back(late(note("l"), "2"));
  auto any = co_await eddy::select_any(std::move(list));
  CHECK(any.value().name().size() == 2);
  const auto last = co_await returned();
  CHECK(last == 0);
}

TEST_CASE("forms of select and join with temporaries, dropped at every cut point") {
  const auto live = note::live();
  CHECK(test::cut_points(scenario) >= 15);
  CHECK(note::live() == live);
  test::take_trace();
}

}  // namespace
