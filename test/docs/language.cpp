// The guide's snippets about coroutines, tasks, errors and time.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

// [guide:traps]
eddy::future<std::size_t> measured(std::string prefix, std::string name) {
  // A lambda whose captures have destructors: name the awaitable, then await it.
  auto job = eddy::spawn_blocking([prefix](std::string s) { return (prefix + s).size(); }, name);
  const auto whole = co_await job;

  // Or capture nothing and pass the arguments separately.
  const auto part = co_await eddy::spawn_blocking([](std::string s) { return s.size(); }, name);

  // A choice between objects of class type: `if` and a local, not `?:` inside the await.
  std::string text = "short";
  if (whole > 5) text = "long";
  const auto more = co_await eddy::spawn_blocking([](std::string s) { return s.size(); }, text);

  co_return whole + part + more;  // three locals: one co_await per expression
}
// [/guide:traps]

// [guide:closure]
eddy::future<std::size_t> closures(std::string name) {
  // Right: the lambda moves into the task and lives as long as the coroutine.
  auto task = eddy::spawn([name]() -> eddy::future<std::size_t> {
    co_await eddy::yield_now();
    co_return name.size();
  });
  // Wrong, and refused with std::logic_error: the lambda is gone before its coroutine runs.
  //   eddy::spawn([name]() -> eddy::future<std::size_t> { ... }());
  co_return co_await task;
}
// [/guide:closure]

// [guide:futures]
eddy::future<int> answer() { co_return 42; }

eddy::future<std::string> futures() {
  auto later = answer();                    // nothing has run yet
  const int a = co_await std::move(later);  // runs it to its end; awaited once, as an rvalue
  const int b = co_await answer();          // the usual form
  auto text = co_await answer().then([](int v) { return std::to_string(v); });
  co_return text + (a == b ? "!" : "?");
}
// [/guide:futures]

// [guide:tasks]
eddy::future<int> work(int n) {
  co_await eddy::sleep(10ms);
  co_return n;
}

eddy::future<int> sum() {
  auto a = eddy::spawn(work(1));  // a future,
  auto b = eddy::spawn(work, 2);  // a callable with arguments,
  auto c = eddy::spawn([n = 3]() -> eddy::future<int> { co_return n; });  // or a lambda
  int total = co_await a;
  total += co_await b;
  total += co_await c;
  co_return total;  // after 10 ms, not 20: the tasks ran concurrently
}
// [/guide:tasks]

// [guide:local]
eddy::future<> add(eddy::rc<int> total, int n) {
  co_await eddy::sleep(10ms);
  *total += n;
}

eddy::future<int> shared_total() {
  auto total = eddy::make_rc<int>(0);
  auto a = eddy::spawn_local(add, total, 1);  // spawn(add, total, 1) does not compile
  auto b = eddy::spawn_local(add(total, 2));  // a future knows the types of its parameters
  co_await a;
  co_await b;
  co_return *total;
}
// [/guide:local]

// [guide:task_local]
constexpr eddy::task_local<std::string> request;  // at namespace scope

eddy::future<std::string> log_line(std::string text) {
  co_await eddy::yield_now();
  co_return request.get() + ": " + text;
}

eddy::future<std::string> handle_request() {
  co_return co_await request.scope("request 7", log_line("accepted"));
}
// [/guide:task_local]

// [guide:abort]
eddy::future<> forever(std::shared_ptr<int> ticks) {
  for (;;) {
    ++*ticks;
    co_await eddy::sleep(1h);
  }
}

eddy::future<bool> stopped(std::shared_ptr<int> ticks) {
  auto task = eddy::spawn(forever(ticks));
  co_await eddy::yield_now();                   // the task runs until its sleep
  task.abort();                                 // a request: the task's loop destroys it
  auto outcome = co_await eddy::attempt(task);  // a bare co_await would throw join_error
  co_return outcome.error() == eddy::errc::aborted;
}
// [/guide:abort]

#if EDDY_EXCEPTIONS
// [guide:throw]
eddy::future<std::string> try_to_connect(std::string where) {
  try {
    auto stream = co_await eddy::net::tcp_stream::connect(where);
    co_return "connected";
  } catch (const std::system_error& e) {  // base of eddy::failure, elapsed and join_error
    if (e.code() == std::errc::connection_refused) co_return "nobody there";
    co_return e.what();  // names the operation and the address
  }
}
// [/guide:throw]
#endif

// [guide:attempt]
eddy::future<std::string> describe(std::string where) {
  auto stream = co_await eddy::attempt(eddy::net::tcp_stream::connect(where));
  if (stream) co_return "connected";
  if (stream.error() == std::errc::connection_refused) co_return "nobody there";
  co_return stream.error().message();
}
// [/guide:attempt]

// [guide:or_return]
eddy::future<eddy::result<std::size_t>> greet(std::string where) {
  auto stream = co_await eddy::or_return(eddy::net::tcp_stream::connect(where));
  co_await eddy::or_return(stream.write_all("hello"));
  co_return std::size_t{5};
}
// [/guide:or_return]

// [guide:own_errors]
eddy::future<eddy::result<int>> port_of(std::string text) {
  int port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') co_return eddy::error::system(EINVAL, "port", text);
    port = 10 * port + (c - '0');
    if (port > 65535) co_return eddy::error::system(ERANGE, "port", text);
  }
  if (port == 0) co_return eddy::errc::closed;
  co_return port;
}
// [/guide:own_errors]

// [guide:time]
eddy::future<> times() {
  co_await eddy::sleep(20ms);
  const auto deadline = eddy::clock::now() + 5ms;
  co_await eddy::sleep_until(deadline);  // never ends early

  const int n = co_await eddy::timeout(1s, work(2));  // throws eddy::elapsed after 1 s

  auto page = co_await eddy::attempt(eddy::timeout(5ms, work(n)));  // work takes 10 ms
  if (!page && page.error() == eddy::errc::elapsed) {
    // too late: work(n) is already destroyed
  }
}
// [/guide:time]

// [guide:pin]
eddy::future<int> patient() {
  auto slow = eddy::pin(work(7));
  for (int waits = 0;; ++waits) {
    auto r = co_await eddy::attempt(eddy::timeout(4ms, slow));  // an lvalue: `slow` survives
    if (r) co_return waits;
    if (r.error() != eddy::errc::elapsed) r.error().raise();  // work failed: not a timeout
  }
}
// [/guide:pin]

#if EDDY_EXCEPTIONS
// [guide:hook]
eddy::runtime quiet(std::vector<std::string>& log) {
  return eddy::runtime::builder()
      .name("quiet")
      .on_unhandled_failure([&log](const eddy::task_failure& f) {
        log.push_back(std::string(f.name) + ": " + f.why.message());
      })
      .build();
}
// [/guide:hook]
#endif

eddy::runtime paused() { return eddy::runtime::builder().start_paused().build(); }

}  // namespace

TEST_CASE("the forms that avoid g++ 12's bugs work, and a called lambda is refused by spawn") {
  const test::leak_check leaks;
  eddy::runtime rt;
  CHECK(rt.block_on(measured("a", "bcdefg")) == 7 + 6 + 4);
  CHECK(rt.block_on(closures("eddy")) == 4);
#if EDDY_EXCEPTIONS
  CHECK_THROWS_AS(rt.block_on([]() -> eddy::future<> {
    const std::string name = "eddy";
    eddy::spawn([name]() -> eddy::future<std::size_t> { co_return name.size(); }());
    co_return;
  }),
                  std::logic_error);
#endif
}

TEST_CASE("futures run when awaited, tasks run concurrently and can be aborted") {
  const test::leak_check leaks;
  auto rt = paused();
  CHECK(rt.block_on(futures()) == "42!");
  const auto before =
      rt.block_on([]() -> eddy::future<eddy::instant> { co_return eddy::clock::now(); });
  CHECK(rt.block_on(sum()) == 6);
  const auto after =
      rt.block_on([]() -> eddy::future<eddy::instant> { co_return eddy::clock::now(); });
  CHECK(after - before == 10ms);
  auto ticks = std::make_shared<int>(0);
  CHECK(rt.block_on(stopped(ticks)));
  CHECK(*ticks == 1);
  CHECK(ticks.use_count() == 1);
}

TEST_CASE("errors can be caught, attempted, returned and made") {
  const test::leak_check leaks;
  eddy::runtime rt;
  const std::string nobody = "127.0.0.1:1";
#if EDDY_EXCEPTIONS
  CHECK(rt.block_on(try_to_connect(nobody)) == "nobody there");
  CHECK(rt.block_on(try_to_connect("no port")) != "connected");
#endif
  CHECK(rt.block_on(describe(nobody)) == "nobody there");
  const auto greeted = rt.block_on(greet(nobody));
  REQUIRE(!greeted.has_value());
  CHECK(greeted.error().message() == "connect 127.0.0.1:1: connection refused");
  CHECK(rt.block_on(port_of("80")) == 80);
  CHECK(rt.block_on(port_of("http")).error().message() == "port http: invalid argument");
  CHECK(rt.block_on(port_of("99999999999")).error() == std::errc::result_out_of_range);
  CHECK(rt.block_on(port_of("0")).error() == eddy::errc::closed);
}

TEST_CASE("a task owns what its lambda captured, move-only values too") {
  const test::leak_check leaks;
  eddy::runtime rt;
  const int got = rt.block_on([]() -> eddy::future<int> {
    eddy::promise<int> p;
    auto f = p.get_future();
    eddy::spawn([p = std::move(p)]() mutable -> eddy::future<> {
      co_await eddy::yield_now();
      p.set_value(9);
    });
    co_return co_await std::move(f);
  });
  CHECK(got == 9);
}

TEST_CASE("sleeps, timeouts, local tasks and task locals do what the guide says") {
  const test::leak_check leaks;
  auto rt = paused();
#if EDDY_EXCEPTIONS
  CHECK_THROWS_AS(rt.block_on(eddy::timeout(5ms, work(1))), eddy::elapsed);
#endif
  rt.block_on(times());
  CHECK(rt.block_on(shared_total()) == 3);
  CHECK(rt.block_on(handle_request()) == "request 7: accepted");
  CHECK(rt.block_on(patient()) == 2);
}

#if EDDY_EXCEPTIONS
TEST_CASE("the failure of a detached task goes to the hook") {
  std::vector<std::string> log;
  auto rt = quiet(log);
  rt.block_on([]() -> eddy::future<> {
    eddy::spawn([]() -> eddy::future<> {
      co_await eddy::yield_now();
      throw std::runtime_error("lost");
    });
    for (int i = 0; i < 3; ++i) co_await eddy::yield_now();
  });
  REQUIRE(log.size() == 1);
  CHECK(log[0].ends_with(": lost"));
}
#endif
