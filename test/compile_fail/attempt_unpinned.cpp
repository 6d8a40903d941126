// expect: a future named as a branch would be left half run: pin it first
#include <eddy/core/attempt.hpp>

eddy::future<int> work() { co_return 1; }

eddy::future<> wait() {
  auto f = work();
  auto r = co_await eddy::attempt(f);
}
