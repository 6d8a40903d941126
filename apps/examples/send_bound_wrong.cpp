// expect: eddy: another thread may run a spawned task: its callable, arguments and result are is_send; spawn_local takes anything
//
// The compiler reports the message above with the line in this file. See send_bound.cpp for the
// right forms.

#include <cstdio>

#include <eddy/eddy.hpp>

eddy::future<> print(eddy::rc<int> data) {
  std::printf("%d\n", *data);
  co_return;
}

eddy::future<> async_main() {
  auto data = eddy::make_rc<int>(42);
  auto task = eddy::spawn(print, data);  // refused: an rc belongs to one thread
  co_await task;
}

int main() { return eddy::run(async_main()); }
