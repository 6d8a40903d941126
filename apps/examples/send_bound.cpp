// What a spawned task may take with it, since another thread may run it. send_bound_wrong.cpp shows
// what does not compile.

#include <cstdio>
#include <memory>

#include <eddy/eddy.hpp>

eddy::future<int> add(std::shared_ptr<const int> data, int n) {
  co_await eddy::yield_now();
  co_return *data + n;
}

// An rc counts its owners without atomics, so it belongs to one thread.
eddy::future<int> add_here(eddy::rc<const int> data, int n) {
  co_await eddy::yield_now();
  co_return *data + n;
}

eddy::future<> async_main() {
  auto anywhere = eddy::spawn(add, std::make_shared<const int>(42), 1);
  const int a = co_await anywhere;

  // To keep the rc, spawn a task that stays on its thread.
  auto here = eddy::spawn_local(add_here, eddy::make_rc<const int>(42), 2);
  const int b = co_await here;
  std::printf("%d, %d\n", a, b);
}

int main() { return eddy::run(async_main()); }
