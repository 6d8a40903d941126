#include <eddy/eddy.hpp>
#include <eddy/net/lookup.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include <eddy/core/attempt.hpp>
#include <eddy/runtime/runtime.hpp>
#include <eddy/task/yield.hpp>

#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

using eddy::net::lookup_host;
using eddy::net::socket_address;

TEST_CASE("a numeric address answers at the first poll") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    test::mock_task task;
    for (const std::string text : {"127.0.0.1:80", "[::1]:80"}) {
      auto op = lookup_host(text);
      auto p = task.poll(op);
      REQUIRE(p.is_ready());
      REQUIRE(p->has_value());
      REQUIRE((*p)->size() == 1);
      CHECK((*p)->front().to_string() == text);
    }
    co_return;
  });
}

TEST_CASE("a name is looked up") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    const auto found = co_await lookup_host("localhost:80");
    REQUIRE(!found.empty());
    for (const auto& a : found) {
      CHECK(a.is_loopback());
      CHECK(a.port() == 80);
      CHECK(std::count(found.begin(), found.end(), a) == 1);
    }
  });
}

TEST_CASE("what cannot be looked up is named") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    const auto unknown = co_await eddy::attempt(lookup_host("no-such-host.invalid:80"));
    REQUIRE(!unknown.has_value());
    CHECK(unknown.error().message().find("lookup no-such-host.invalid: ") == 0);
    CHECK(unknown.error().code().category() == eddy::uv_category());
    for (const std::string text :
         {"", "localhost", "localhost:", "localhost:http", "::1:80", ":80"}) {
      const auto wrong = co_await eddy::attempt(lookup_host(text));
      REQUIRE(!wrong.has_value());
      CHECK(wrong.error() == std::errc::invalid_argument);
    }
  });
}

TEST_CASE("a lookup dropped while it waits leaves nothing behind") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    // By a real task: the thread that looks up may hold its waker for a moment longer.
    auto first =
        co_await eddy::select(eddy::biased, lookup_host("localhost:80"), eddy::yield_now());
    static_cast<void>(first);
    co_await lookup_host("localhost:81");  // the threads still work
  });
}
