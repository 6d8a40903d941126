// expect: the blocking_ forms need the pool
#include <eddy/sync/mutex.hpp>
#include <eddy/sync/semaphore.hpp>

void waits(eddy::sync::semaphore& s) { static_cast<void>(s.blocking_acquire()); }
int locks(eddy::sync::mutex<int>& m) { return *m.blocking_lock(); }
