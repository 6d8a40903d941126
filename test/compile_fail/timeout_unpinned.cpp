// expect: a future named as a branch would be left half run: pin it first
#include <chrono>

#include <eddy/time/timeout.hpp>

eddy::future<int> work() { co_return 1; }

eddy::future<int> wait() {
  auto f = work();
  co_return co_await eddy::timeout(std::chrono::seconds(5), f);
}
