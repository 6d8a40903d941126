// expect: a child of a scope returns nothing
#include <eddy/combine/scope.hpp>

eddy::future<int> work() { co_return 1; }

void start(eddy::task_scope& s) { s.spawn(work()); }
