// expect: eddy: a blocking job runs on another thread: its callable, arguments and result are is_send
#include <eddy/base/rc.hpp>
#include <eddy/task/spawn_blocking.hpp>

void start() {
  eddy::spawn_blocking([](const eddy::rc<int>& p) { return *p; }, eddy::make_rc<int>(1));
}
