// The snippets of docs/embedding.md: a guest on a host's loop, beside a timer of the host.
#include <eddy/eddy.hpp>
#include <eddy/net/unix_stream.hpp>

#include <doctest/doctest.h>
#include <poll.h>
#include <uv.h>

#include <array>
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
    guest.detach([&gone] { gone = true; });  // destroys the tasks that are left, if any
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);  // one more turn closes eddy's handles
  return gone && uv_loop_close(&loop) == 0 ? heard : -1;
}
// [/guide:embed]

eddy::future<std::size_t> talk() {
  auto [here, there] = eddy::net::unix_stream::pair().value();
  const auto late = [](eddy::net::unix_stream to) -> eddy::future<> {
    co_await eddy::sleep(1ms);
    co_await to.write_all("hello");
  };
  auto writer = eddy::spawn(late, std::move(there));
  std::array<char, 16> buf;
  const auto n = co_await here.read(buf);
  co_await writer;
  co_return n;
}

// [guide:foreign]
std::size_t inside_poll() {  // stands for a host whose own loop is not libuv's
  uv_loop_t loop;
  uv_loop_init(&loop);
  std::size_t heard = 0;
  {
    auto guest = eddy::runtime::attach(&loop);
    guest.spawn([&heard]() -> eddy::future<> { heard = co_await talk(); });
    while (uv_run(&loop, UV_RUN_NOWAIT) != 0) {         // runs what is ready; 0: nothing is left
      pollfd watched{uv_backend_fd(&loop), POLLIN, 0};  // the host watches this among its own
      ::poll(&watched, 1, uv_backend_timeout(&loop));   // in milliseconds; -1 means forever
    }
  }
  uv_run(&loop, UV_RUN_DEFAULT);  // closes eddy's handles
  return uv_loop_close(&loop) == 0 ? heard : 0;
}
// [/guide:foreign]

}  // namespace

TEST_CASE("a guest on a host's loop leaves nothing behind") {
  const test::leak_check leaks;
  CHECK(host() == 42);
}

TEST_CASE("a guest runs on a libuv loop that is turned by a host's poll loop") {
  const test::leak_check leaks;
  CHECK(inside_poll() == 5);
}
