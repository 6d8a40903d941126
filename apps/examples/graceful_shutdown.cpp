// On Ctrl-C or SIGTERM the program asks its workers to end and waits while they finish their work.

#include <chrono>
#include <cstdio>

#include <eddy/eddy.hpp>
#include <eddy/signal/shutdown.hpp>

using namespace std::chrono_literals;

using eddy::sync::cancellation_token;

eddy::future<> stop_on_signal(cancellation_token stop) {
  const auto signal =
      co_await eddy::signal::shutdown();  // a second signal ends the program at once
  std::printf("%s: shutting down\n", signal.name().c_str());
  stop.cancel();
}

eddy::future<> worker(int id, cancellation_token stop) {
  std::printf("worker %d works\n", id);
  std::fflush(stdout);
  for (;;) {
    const auto worked = co_await stop.run_until_cancelled(eddy::sleep(10ms));
    if (!worked) break;
  }
  co_await eddy::sleep(5ms);  // stands for saving what must not be lost; not cancelled
  std::printf("worker %d has saved its orders\n", id);
}

eddy::future<> async_main() {
  const cancellation_token stop;
  const eddy::sync::task_tracker workers;
  eddy::spawn(stop_on_signal(stop));
  for (int id = 0; id < 3; ++id) workers.spawn(worker(id, stop));

  co_await stop.cancelled();
  workers.close();
  const auto ended = co_await eddy::attempt(eddy::timeout(5s, workers.wait()));
  std::puts(ended ? "shutdown complete" : "some workers did not end in time");
}

int main() { return eddy::run(async_main()); }
