// The guide's snippets about channels.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

// [guide:mpsc]
namespace mpsc = eddy::sync::mpsc;

eddy::future<> count_to(int n, mpsc::sender<int> tx) {
  for (int i = 1; i <= n; ++i) co_await tx.send(i);  // waits while the channel is full
}  // the task ends, and its sender with it

eddy::future<int> add_up() {
  auto [tx, rx] = mpsc::channel<int>(2);    // holds at most two messages
  eddy::spawn(count_to(3, tx));             // a copy is another sender
  eddy::spawn(count_to(4, std::move(tx)));  // moved: a sender left here would keep `recv` waiting
  int sum = 0;
  while (auto v = co_await rx.recv()) sum += *v;  // empty once every sender is gone
  co_return sum;
}
// [/guide:mpsc]

// [guide:reserve]
eddy::future<bool> send_unless(mpsc::sender<std::string> tx, eddy::sync::cancellation_token stop,
                               std::string text) {
  auto r = co_await eddy::select(tx.reserve(), stop.cancelled());
  if (r.index() == 1) co_return false;  // cancelled; `text` was not lost
  r.get<0>().send(std::move(text));     // does not wait and cannot fail
  co_return true;
}
// [/guide:reserve]

// [guide:oneshot]
namespace oneshot = eddy::sync::oneshot;

eddy::future<> reply(oneshot::sender<std::string> tx) {
  co_await eddy::sleep(1ms);
  auto sent = std::move(tx).send("done");
  if (!sent) std::puts(sent.error().value().c_str());  // no receiver: the value comes back
}

eddy::future<std::string> ask() {
  auto [tx, rx] = oneshot::channel<std::string>();
  eddy::spawn(reply(std::move(tx)));
  co_return co_await rx;  // fails with errc::closed if the sender is dropped unsent
}
// [/guide:oneshot]

// [guide:broadcast]
namespace broadcast = eddy::sync::broadcast;

eddy::future<> listen(broadcast::receiver<std::string> rx, std::string* heard,
                      std::uint64_t* lost) {
  while (auto line = co_await rx.recv()) {  // false: every sender is gone
    if (auto n = line.lagged())
      *lost += n;  // too slow: n values were overwritten
    else
      *heard += *line;
  }
}

eddy::future<> shout(std::string* heard, std::uint64_t* lost) {
  auto [tx, rx] = broadcast::channel<std::string>(2);
  auto listener = eddy::spawn(listen(std::move(rx), heard, lost));
  for (const char* s : {"a", "b", "c"}) static_cast<void>(tx.emplace(s));  // never waits
  {
    const auto last = std::move(tx);
  }
  co_await listener;
}
// [/guide:broadcast]

// [guide:watch]
namespace watch = eddy::sync::watch;

eddy::future<> follow(watch::receiver<int> level, int* seen) {
  while (co_await level.changed()) {             // false: no sender is left and no value is unseen
    const int now = *level.borrow_and_update();  // copied: a borrow that lives on blocks the sender
    *seen = now;
  }
}

eddy::future<> set(int* seen) {
  auto [tx, rx] = watch::channel(0);
  auto follower = eddy::spawn(follow(std::move(rx), seen));
  for (int v : {1, 2, 3}) static_cast<void>(tx.send(v));
  {
    const auto last = std::move(tx);
  }
  co_await follower;
}
// [/guide:watch]

TEST_CASE("an mpsc receiver gets every sender's messages, and a reserved place keeps a message") {
  const test::leak_check leaks;
  eddy::run([]() -> eddy::future<> {
    const int sum = co_await add_up();
    CHECK(sum == 16);
    auto [tx, rx] = mpsc::channel<std::string>(1);
    const eddy::sync::cancellation_token stop;
    const auto sent = co_await send_unless(tx, stop, "first");
    CHECK(sent);
    auto second = eddy::spawn(send_unless(tx, stop, "second"));  // there is no room for it
    co_await eddy::yield_now();
    stop.cancel();
    const bool sent_too = co_await second;
    CHECK(!sent_too);
    const auto got = co_await rx.recv();
    CHECK(got == "first");
  }());
}

TEST_CASE("a oneshot carries one answer") {
  const test::leak_check leaks;
  eddy::run([]() -> eddy::future<> {
    const auto answer = co_await ask();
    CHECK(answer == "done");
  }());
}

TEST_CASE("a slow broadcast receiver learns how many values it missed") {
  const test::leak_check leaks;
  std::string heard;
  std::uint64_t lost = 0;
  eddy::run(shout(&heard, &lost));
  CHECK(heard == "bc");
  CHECK(lost == 1);
}

TEST_CASE("a watch receiver sees the last value") {
  const test::leak_check leaks;
  int seen = 0;
  eddy::run(set(&seen));
  CHECK(seen == 3);
}

}  // namespace
