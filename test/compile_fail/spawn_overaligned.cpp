// expect: a spawned callable and its arguments have alignment 16 at most
#include <eddy/task/spawn.hpp>

struct alignas(64) wide {
  char bytes[64];
};

eddy::future<> work(const wide&) { co_return; }

void start() { eddy::spawn(work, wide()); }
