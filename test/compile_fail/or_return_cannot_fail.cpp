// expect: or_return of an operation that cannot fail
#include <eddy/core/or_return.hpp>
#include <eddy/task/yield.hpp>

eddy::future<eddy::result<int>> work() {
  co_await eddy::or_return(eddy::yield_now());
  co_return 1;
}
