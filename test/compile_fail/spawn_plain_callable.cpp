// expect: spawn\(callable, args\.\.\.\) wants a callable that returns a future
#include <eddy/task/spawn.hpp>

void start() {
  eddy::spawn([] { return 1; });
}
