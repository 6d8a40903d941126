// expect: eddy: another thread may run a spawned task: its callable, arguments and result are is_send; spawn_local takes anything
//
// The compiler says what stands above, and names this file's line. See send_bound.cpp for what to do.

#include <cstdio>

#include <eddy/eddy.hpp>

eddy::future<> print(eddy::rc<int> data) {
  std::printf("%d\n", *data);
  co_return;
}

eddy::future<> async_main() {
  auto data = eddy::make_rc<int>(42);
  auto task = eddy::spawn(print, data);  // refused: an rc is one thread's
  co_await task;
}

int main() { return eddy::run(async_main()); }
