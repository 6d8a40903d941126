// expect: a future is awaited once and consumed by it: co_await std::move\(f\)
#include <eddy/core/future.hpp>

eddy::future<int> one() { co_return 1; }

eddy::future<int> twice() {
  auto f = one();
  co_return co_await f;
}
