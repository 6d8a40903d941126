// Waits for whichever comes first: an answer, a timeout, or Ctrl-C.

#include <chrono>
#include <cstdio>
#include <string>

#include <eddy/eddy.hpp>
#include <eddy/signal/ctrl_c.hpp>

using namespace std::chrono_literals;

eddy::future<std::string> fetch_data(std::chrono::milliseconds takes) {
  co_await eddy::sleep(takes);
  co_return "data";
}

eddy::future<> first_of(std::chrono::milliseconds takes) {
  auto r = co_await eddy::select(eddy::sleep(200ms), fetch_data(takes), eddy::signal::ctrl_c());
  switch (r.index()) {  // the other two branches have been destroyed
    case 0:
      std::printf("timeout\n");
      break;
    case 1:
      std::printf("got %s\n", r.get<1>().c_str());
      break;
    default:
      std::printf("interrupted\n");
  }
}

eddy::future<> async_main() {
  co_await first_of(10ms);
  co_await first_of(1h);

  // In a loop, a branch passed by name keeps its progress from round to round.
  auto slow = eddy::pin(fetch_data(50ms));
  eddy::interval every(20ms);
  for (int waits = 0;; ++waits) {
    auto r = co_await eddy::select(slow, every.tick());
    if (r.index() == 0) break;
    if (waits == 0) std::printf("still waiting\n");
  }
  std::printf("the slow answer came too\n");
}

int main() { return eddy::run(async_main()); }
