// expect: eddy: block_in_place wants an ordinary function; await what returns a future
#include <eddy/task/block_in_place.hpp>

eddy::future<int> work(int v) { co_return v; }

void start() { static_cast<void>(eddy::block_in_place(work, 4)); }
