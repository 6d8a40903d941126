// expect: a child of a scope returns nothing
#include <eddy/combine/scope.hpp>

void start(eddy::task_scope& s) {
  s.spawn([](int n) -> eddy::future<int> { co_return n; }, 1);
}
