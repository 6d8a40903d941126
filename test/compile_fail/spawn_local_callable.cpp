// expect: eddy: another thread may run a spawned task: its callable, arguments and result are is_send; spawn_local takes anything
#include <eddy/runtime/runtime.hpp>

struct stays {
  using not_send = void;
  eddy::future<> operator()() const { co_return; }
};

void start(const eddy::handle& h) { h.spawn(stays()); }
