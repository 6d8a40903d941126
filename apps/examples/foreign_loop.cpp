// eddy as a guest of a program that already has a libuv loop: tasks run when the host turns its
// loop.

#include <chrono>
#include <cstdio>
#include <utility>

#include <eddy/eddy.hpp>
#include <uv.h>

using namespace std::chrono_literals;

namespace {

/// Stands for the host's own code: a timer with a callback.
struct host_clock {
  uv_timer_t timer;
  eddy::promise<int> rings;

  void start(uv_loop_t* loop) {
    uv_timer_init(loop, &timer);
    timer.data = this;
    const auto ring = [](uv_timer_t* t) { static_cast<host_clock*>(t->data)->rings.set_value(7); };
    uv_timer_start(&timer, ring, 20, 0);
  }
};

eddy::future<> guest_task(eddy::future<int> host_says) {
  std::printf("the guest sleeps\n");
  co_await eddy::sleep(5ms);
  const int bell = co_await std::move(host_says);  // awaits a callback of the host
  std::printf("the host's timer says %d\n", bell);
}

}  // namespace

int main() {
  uv_loop_t loop;
  if (uv_loop_init(&loop) != 0) return 1;
  host_clock clock;
  clock.start(&loop);

  auto guest = eddy::runtime::attach(&loop);
  guest.spawn(guest_task(clock.rings.get_future()));
  uv_run(&loop, UV_RUN_DEFAULT);  // turns the host's loop until nothing is left to do

  guest.detach([] { std::printf("the guest has left\n"); });
  uv_close(reinterpret_cast<uv_handle_t*>(&clock.timer), nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);
  return uv_loop_close(&loop) == 0 ? 0 : 1;  // 0: eddy has left no handle in it
}
