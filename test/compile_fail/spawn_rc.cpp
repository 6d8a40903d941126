// expect: eddy: another thread may run a spawned task: its callable, arguments and result are is_send; spawn_local takes anything
#include <eddy/base/rc.hpp>
#include <eddy/task/spawn.hpp>

eddy::future<> work(eddy::rc<int>) { co_return; }

void start() { eddy::spawn(work, eddy::make_rc<int>(1)); }
