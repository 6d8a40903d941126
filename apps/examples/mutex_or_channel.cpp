// Two ways to share a counter: guarded by a lock, or owned by one task that receives messages.

#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

namespace mpsc = eddy::sync::mpsc;
using counter = eddy::sync::mutex<int>;

eddy::future<> add_under_lock(std::shared_ptr<counter> total) {
  auto held = co_await total->lock();
  co_await eddy::yield_now();  // the lock may be held across an await
  ++*held;
}

eddy::future<int> with_a_lock() {
  auto total = std::make_shared<counter>(0);
  std::vector<eddy::join_handle<>> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(eddy::spawn(add_under_lock(total)));
  for (auto& t : tasks) co_await t;
  auto held = co_await total->lock();
  co_return *held;
}

eddy::future<> add_by_message(mpsc::sender<int> total) { co_await total.send(1); }

eddy::future<int> with_a_channel() {
  auto [total, additions] = mpsc::channel<int>(100);
  for (int i = 0; i < 100; ++i) eddy::spawn(add_by_message(total));
  {
    const auto last = std::move(total);  // dropped here: only the tasks' senders are left
  }
  int sum = 0;  // one owner: no lock, and no contention
  while (auto n = co_await additions.recv()) sum += *n;
  co_return sum;
}

eddy::future<> async_main() {
  const int locked = co_await with_a_lock();
  const int sent = co_await with_a_channel();
  std::printf("lock: %d, channel: %d\n", locked, sent);
}

int main() { return eddy::run(async_main()); }
