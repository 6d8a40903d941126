// expect: a future does nothing until it is awaited or spawned
#include <eddy/core/future.hpp>

eddy::future<> work() { co_return; }

void start() { work(); }
