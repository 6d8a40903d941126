// The guide's snippets about signals.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

int configurations = 0;
void read_configuration() {
  if (++configurations == 1) ::kill(::getpid(), SIGHUP);
}
eddy::future<> serve() { co_await eddy::sleep(1h); }
eddy::future<> say_goodbye() { co_await eddy::yield_now(); }

// [guide:shutdown]
eddy::future<int> server() {
  auto ended = co_await eddy::select(serve(), eddy::signal::shutdown());
  if (ended.index() == 0) co_return 1;
  std::printf("%s: ending\n", ended.get<1>().name().c_str());
  co_await eddy::timeout(10s, say_goodbye());  // a second signal ends the program at once
  co_return 0;
}
// [/guide:shutdown]

// [guide:hangup]
eddy::future<> configure() {
  auto hangup = eddy::signal::signal(eddy::signal::kind::hangup()).value();
  for (;;) {
    read_configuration();
    co_await hangup.recv();
  }
}
// [/guide:hangup]

}  // namespace

TEST_CASE("the guide's server ends on SIGTERM") {
  eddy::runtime rt;
  const int status = rt.block_on([]() -> eddy::future<int> {
    auto running = eddy::spawn(server());
    co_await eddy::yield_now();
    ::kill(::getpid(), SIGTERM);
    co_return co_await running;
  });
  CHECK(status == 0);
}

TEST_CASE("the guide's configuration is read again on SIGHUP") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto running = eddy::spawn(configure());
    while (configurations < 2) co_await eddy::yield_now();
    running.abort();
  });
}
