// expect: a future's result has alignment 16 at most
#include <eddy/core/future.hpp>

struct alignas(64) wide {
  char bytes[64];
};

eddy::future<wide> work() { co_return wide(); }
