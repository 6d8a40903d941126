// Tasks run concurrently; a join_handle is the right to a task's outcome.

#include <chrono>
#include <cstdio>

#include <eddy/eddy.hpp>

using namespace std::chrono_literals;

eddy::future<int> work(const char* name, int result) {
  std::printf("%s begins\n", name);
  co_await eddy::sleep(10ms);
  std::printf("%s ends\n", name);
  co_return result;
}

eddy::future<> async_main() {
  auto first = eddy::spawn(work("first", 42));  // both sleep at the same time
  auto second = eddy::spawn(work("second", 100));
  const int a = co_await first;
  const int b = co_await second;
  std::printf("results: %d, %d\n", a, b);

  // Dropping the handle detaches the task: it runs on, and its result is discarded.
  eddy::spawn(work("detached", 0));

  // abort() ends a task where it waits; awaiting the task reports that it was aborted.
  auto endless = eddy::spawn([]() -> eddy::future<> { co_await eddy::sleep(1h); });
  endless.abort();
  const auto outcome = co_await eddy::attempt(endless);
  std::printf("endless: %s\n", outcome.error() == eddy::errc::aborted ? "aborted" : "?");

  co_await eddy::sleep(50ms);  // otherwise the runtime would end, and with it the detached task
}

int main() { return eddy::run(async_main()); }
