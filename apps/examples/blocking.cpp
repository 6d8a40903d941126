// The golden rule: never block the loop. A heartbeat shows when the loop is blocked.

#include <chrono>
#include <cstdio>
#include <thread>

#include <eddy/eddy.hpp>

using namespace std::chrono_literals;

eddy::future<> heartbeat(int& beats) {
  for (;; ++beats) co_await eddy::sleep(1ms);
}

int slow_call() {  // stands for a function that blocks: a database driver, a large computation
  std::this_thread::sleep_for(50ms);
  return 42;
}

eddy::future<> async_main() {
  int beats = 0;
  const eddy::abort_on_drop heart(eddy::spawn(heartbeat, std::ref(beats)));
  co_await eddy::sleep(5ms);

  // Wrong: nothing else runs on this loop while slow_call does.
  int before = beats;
  static_cast<void>(slow_call());
  std::printf("blocking the loop: %d beats\n", beats - before);

  // Right: eddy's own operations wait without blocking the loop.
  before = beats;
  co_await eddy::sleep(50ms);
  std::printf("sleeping: %s\n", beats > before ? "the heart beats" : "it stopped");

  // Also right: code that has to block runs on a blocking thread.
  before = beats;
  const int answer = co_await eddy::spawn_blocking(slow_call);
  std::printf("spawn_blocking: %d, and %s\n", answer,
              beats > before ? "the heart beats" : "it stopped");
}

int main() { return eddy::run(async_main()); }
