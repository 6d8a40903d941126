// expect: for blocking or CPU-bound work use spawn_blocking
#include <eddy/task/spawn.hpp>

int twice(int v) { return 2 * v; }

void start() { eddy::spawn(twice, 4); }
