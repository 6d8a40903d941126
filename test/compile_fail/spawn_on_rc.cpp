// expect: eddy: another thread may run a spawned task: its callable, arguments and result are is_send
#include <eddy/base/rc.hpp>
#include <eddy/task/spawn_on.hpp>

eddy::future<> use(eddy::rc<int>) { co_return; }

void start() { static_cast<void>(eddy::spawn_on(1, use, eddy::make_rc<int>(1))); }
