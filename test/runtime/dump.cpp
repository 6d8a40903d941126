#include <eddy/runtime/runtime.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "core/site.hpp"
#include "support/leak_check.hpp"

namespace outer {
eddy::future<const void*> named(int) { co_return __builtin_source_location(); }
struct thing {
  eddy::future<const void*> member() const { co_return __builtin_source_location(); }
  eddy::future<const void*> operator()(int) { co_return __builtin_source_location(); }
};
template <class T>
eddy::future<const void*> templated(T, void (*)(int) = nullptr) {
  co_return __builtin_source_location();
}
}  // namespace outer

namespace {

using namespace std::chrono_literals;
using eddy::future;

/// Numbers become '#', so that lines and ids may move.
std::string masked(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c < '0' || c > '9')
      out += c;
    else if (out.empty() || out.back() != '#')
      out += '#';
  }
  return out;
}

future<> doze() { co_await eddy::sleep(1h); }
future<> descend(int levels) {
  if (levels > 0)
    co_await descend(levels - 1);
  else
    co_await doze();
}
future<int> value() { co_return 1; }

TEST_CASE("dump shows every live task: id, name, state, spawn site, and where it awaits") {
  const test::leak_check leaks;
  eddy::runtime rt;
  const std::string text = rt.block_on([]() -> future<std::string> {
    eddy::spawn(doze());
    eddy::spawn(descend(2));
    auto waits = eddy::spawn([]() -> future<> { co_await eddy::sleep(1h); });
    eddy::spawn(value()).id();  // ended by the time of the dump
    co_await eddy::yield_now();
    waits.abort();
    eddy::spawn(value());
    co_return eddy::dump();
  });
  CHECK(masked(text) ==
        "task # 'block_on' running, spawned at dump.cpp:#\n"
        "task # 'doze' waiting, spawned at dump.cpp:#\n"
        "  at doze dump.cpp:#\n"
        "task # 'descend' waiting, spawned at dump.cpp:#\n"
        "  at descend dump.cpp:#\n"
        "  at descend dump.cpp:#\n"
        "  at descend dump.cpp:#\n"
        "  at doze dump.cpp:#\n"
        "task # 'lambda' aborting, spawned at dump.cpp:#\n"
        "  at lambda dump.cpp:#\n"
        "task # 'value' ready, spawned at dump.cpp:#\n"
        "  at value dump.cpp:#\n");
}

TEST_CASE("what run was given was spawned where run was called, whatever it is") {
  const std::string expected = "task # 'block_on' running, spawned at dump.cpp:#\n";
  std::string text;
  const auto tell = [&text]() -> future<> {
    text = masked(eddy::dump());
    co_return;
  };
  const auto tell_and_answer = [&text]() -> future<int> {
    text = masked(eddy::dump());
    co_return 0;
  };
  CHECK(eddy::run(tell()) == 0);
  CHECK(text == expected);
  CHECK(eddy::run(tell_and_answer()) == 0);
  CHECK(text == expected);
  CHECK(eddy::run(tell) == 0);
  CHECK(text == expected);
  CHECK(eddy::run(eddy::runtime(), tell()) == 0);
  CHECK(text == expected);
  CHECK(eddy::run(eddy::runtime(), tell) == 0);
  CHECK(text == expected);
}

TEST_CASE("dump names the place of the await itself, and of the spawn, by whichever way") {
  const test::leak_check leaks;
  eddy::runtime rt;
  std::string text;
  int at = __LINE__ + 1;
  static_cast<void>(rt.spawn(doze()));
  const auto line = [](int n) { return "dump.cpp:" + std::to_string(n) + "\n"; };
  rt.block_on([&]() -> future<> {
    co_await eddy::yield_now();
    text = eddy::dump();
    CHECK(text.find("'doze' waiting, spawned at " + line(at)) != text.npos);
    at = __LINE__ + 1;
    static_cast<void>(eddy::handle::current().spawn([]() -> future<> { co_await doze(); }));
    co_await eddy::yield_now();
    text = eddy::dump();
    CHECK(text.find("'lambda' waiting, spawned at " + line(at) + "  at lambda " + line(at)) !=
          text.npos);
  });
}

TEST_CASE("dump is empty where no loop runs") {
  CHECK(eddy::dump().empty());
  eddy::runtime rt;
  static_cast<void>(rt.spawn(doze()));
  const auto guard = rt.enter();
  CHECK(eddy::dump().empty());  // another thread might be running it
}

TEST_CASE("a function is named without its types, in the same way by every compiler") {
  eddy::runtime rt;
  const auto name = [&](future<const void*> f) {
    return eddy::detail::describe_function(rt.block_on(std::move(f)));
  };
  outer::thing t;
  CHECK(name(outer::named(1)) == "outer::named");
  CHECK(name(t.member()) == "outer::thing::member");
  CHECK(name(t(1)) == "outer::thing::operator()");
  CHECK(name(outer::templated(std::vector<int>())).starts_with("outer::templated"));
  CHECK(name(outer::templated([] {})).starts_with("outer::templated"));
  CHECK(name([]() -> future<const void*> { co_return __builtin_source_location(); }()) == "lambda");
  CHECK(eddy::detail::describe_function(nullptr) == "?");
  CHECK(eddy::detail::describe_place(nullptr) == "?");
}

TEST_CASE("task_builder: a name given at the spawn is what dumps and failures show") {
  std::string failed;
  eddy::runtime rt =
      eddy::runtime::builder()
          .on_unhandled_failure([&failed](const eddy::task_failure& f) { failed = f.name; })
          .build();
  const std::string text = rt.block_on([]() -> future<std::string> {
    eddy::task_builder().name("feed").spawn(doze());
    eddy::task_builder().name("with captures").spawn([n = 1]() -> future<> {
      static_cast<void>(n);
      co_await doze();
    });
    auto sum = eddy::task_builder().name("sum").spawn(
        [](int a, int b) -> future<int> { co_return a + b; }, 2, 3);
    const int five = co_await sum;
    CHECK(five == 5);
#if EDDY_EXCEPTIONS
    eddy::task_builder().name("doomed").spawn([]() -> future<> {
      throw 1;
      co_return;
    });
#endif
    co_await eddy::yield_now();
    co_await eddy::yield_now();
    co_return eddy::dump();
  });
  CHECK(text.find(" 'feed' waiting") != text.npos);
  CHECK(text.find(" 'with captures' waiting") != text.npos);
#if EDDY_EXCEPTIONS
  CHECK(failed == "doomed");
#endif
}

}  // namespace
