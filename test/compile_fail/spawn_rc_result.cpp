// expect: eddy: another thread may run a spawned task: its callable, arguments and result are is_send; spawn_local takes anything
#include <vector>

#include <eddy/base/rc.hpp>
#include <eddy/task/spawn.hpp>

eddy::future<std::vector<eddy::rc<int>>> work() { co_return {}; }

void start() { eddy::spawn(work()); }
