// expect: spawn_blocking wants an ordinary function; spawn runs one that returns a future
#include <eddy/task/spawn_blocking.hpp>

eddy::future<int> work(int v) { co_return v; }

void start() { static_cast<void>(eddy::spawn_blocking(work, 4)); }
