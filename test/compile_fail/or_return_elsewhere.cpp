// expect: co_await or_return\(x\) needs a coroutine that returns future<result<T>>
#include <eddy/core/or_return.hpp>

eddy::future<eddy::result<int>> one() { co_return 1; }

eddy::future<int> work() {
  const int v = co_await eddy::or_return(one());
  co_return v;
}
