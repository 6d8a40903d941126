// The guide's snippets about notify, tokens and trackers.

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"

namespace {

using namespace std::chrono_literals;

// [guide:notify]
class mailbox {
 public:
  void put(std::string letter) {
    letters_.push_back(std::move(letter));
    arrived_.notify_one();  // stored for the next waiter if no task waits
  }
  eddy::future<std::string> take() {
    while (letters_.empty()) co_await arrived_.notified();
    auto letter = std::move(letters_.front());
    letters_.pop_front();
    co_return letter;
  }

 private:
  std::deque<std::string> letters_;
  eddy::sync::notify arrived_;
};
// [/guide:notify]

TEST_CASE("a mailbox loses no letter, whether it is read before or after") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    auto box = std::make_shared<mailbox>();
    auto reader = eddy::spawn(
        [](std::shared_ptr<mailbox> b) -> eddy::future<std::string> {
          auto one = co_await b->take();
          auto two = co_await b->take();
          co_return one + two;
        },
        box);
    box->put("a");
    co_await eddy::yield_now();
    box->put("b");
    auto text = co_await reader;
    CHECK(text == "ab");
  });
}

// [guide:token]
eddy::future<> serve_one(int id, eddy::sync::cancellation_token stop,
                         std::shared_ptr<std::string> log) {
  while (!stop.is_cancelled()) {
    auto done = co_await stop.run_until_cancelled(eddy::sleep(10ms));  // stands for work
    if (!done) break;
  }
  co_await eddy::sleep(1ms);  // a goodbye may await
  *log += std::to_string(id);
}

eddy::future<> run_server(eddy::sync::cancellation_token stop, std::shared_ptr<std::string> log) {
  const eddy::sync::task_tracker connections;
  for (int id = 1; id <= 3; ++id) connections.spawn(serve_one(id, stop.child_token(), log));
  co_await stop.cancelled();
  connections.close();
  co_await connections.wait();  // until every goodbye has been said
  *log += " closed";
}
// [/guide:token]

TEST_CASE("a cancelled server waits for every connection's goodbye") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> eddy::future<> {
    const eddy::sync::cancellation_token stop;
    auto log = std::make_shared<std::string>();
    auto server = eddy::spawn(run_server(stop, log));
    co_await eddy::sleep(100ms);
    stop.cancel();
    co_await server;
    CHECK(*log == "123 closed");
  });
}

}  // namespace
