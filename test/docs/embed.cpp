// The guide's program that runs eddy on a host's own loop, here beside a timer of the host's.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>
#include <uv.h>

#include <chrono>
#include <utility>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

// [guide:embed]
eddy::future<int> visit(eddy::future<int> host_says) {
  co_await eddy::sleep(1ms);
  co_return co_await std::move(host_says);
}

int host() {
  uv_loop_t loop;
  uv_loop_init(&loop);
  eddy::promise<int> answer;
  uv_timer_t timer;  // the host's own
  uv_timer_init(&loop, &timer);
  timer.data = &answer;
  uv_timer_start(
      &timer, [](uv_timer_t* t) { static_cast<eddy::promise<int>*>(t->data)->set_value(42); }, 2,
      0);

  int heard = 0;
  bool gone = false;
  {
    auto guest = eddy::runtime::attach(&loop);
    guest.spawn(
        [&heard](eddy::future<int> f) -> eddy::future<> { heard = co_await visit(std::move(f)); },
        answer.get_future());
    uv_run(&loop, UV_RUN_DEFAULT);           // returns when the last task has ended
    guest.detach([&gone] { gone = true; });  // tasks, if any were left, are destroyed here
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);  // one more turn closes eddy's handles
  return gone && uv_loop_close(&loop) == 0 ? heard : -1;
}
// [/guide:embed]

}  // namespace

TEST_CASE("a guest on the host's loop leaves nothing behind") {
  const test::leak_check leaks;
  CHECK(host() == 42);
}
