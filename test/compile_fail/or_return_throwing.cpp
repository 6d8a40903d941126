// expect: or_return wants a future<result<T>>; of a future that throws
#include <eddy/core/or_return.hpp>

eddy::future<int> number() { co_return 1; }

eddy::future<eddy::result<int>> work() {
  const int n = co_await eddy::or_return(number());
  co_return n;
}
