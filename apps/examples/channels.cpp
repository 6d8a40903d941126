// The four channels: a queue of orders, one answer, every price for every subscriber, the latest
// price.

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

using namespace std::chrono_literals;
namespace mpsc = eddy::sync::mpsc;            // many senders, one receiver
namespace oneshot = eddy::sync::oneshot;      // one value, once
namespace broadcast = eddy::sync::broadcast;  // every value to every receiver
namespace watch = eddy::sync::watch;          // the latest value; older ones are forgotten

eddy::future<> trader(int first, mpsc::sender<int> orders) {
  for (int i = 0; i < 3; ++i) co_await orders.send(first + i);  // waits while the queue is full
}

eddy::future<> count_orders(mpsc::receiver<int> orders, oneshot::sender<int> answer) {
  int sum = 0;
  while (auto order = co_await orders.recv()) sum += *order;  // ends when every sender is gone
  static_cast<void>(std::move(answer).send(sum));
}

eddy::future<> subscriber(std::string name, broadcast::receiver<int> prices) {
  while (auto price = co_await prices.recv()) {
    if (const auto n = price.lagged())
      std::printf("%s: %d missed\n", name.c_str(), static_cast<int>(n));
    else
      std::printf("%s: %d\n", name.c_str(), *price);
  }
}

eddy::future<> async_main() {
  auto [orders, order_queue] = mpsc::channel<int>(2);
  auto [answer, sum] = oneshot::channel<int>();
  eddy::spawn(count_orders(std::move(order_queue), std::move(answer)));
  eddy::spawn(trader(1, orders));
  eddy::spawn(trader(10, std::move(orders)));
  const int total = co_await sum;
  std::printf("orders add up to %d\n", total);

  auto [prices, alice_feed] = broadcast::channel<int>(2);
  auto alice = eddy::spawn(subscriber("alice", std::move(alice_feed)));
  auto bob = eddy::spawn(subscriber("bob", prices.subscribe()));
  for (const int price : {100, 101, 102}) static_cast<void>(prices.send(price));  // never waits
  {
    const auto closed = std::move(prices);  // dropping the last sender ends the channel
  }
  co_await alice;
  co_await bob;

  auto [newest, seen] = watch::channel(0);
  for (const int price : {100, 101, 102}) static_cast<void>(newest.send(price));
  co_await seen.changed();
  std::printf("latest: %d\n", *seen.borrow_and_update());
}

int main() { return eddy::run(async_main()); }
