// Order matching: gateway, engine and settlement are tasks connected by channels.
//
//   matching serve JOURNAL ADDR [--durable]   serves until SIGINT or SIGTERM
//   matching book JOURNAL                     replays a journal and prints the waiting orders
//   matching bench JOURNAL ORDERS             measures the pipeline's time per order

#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/signal/shutdown.hpp>

#include "engine.hpp"
#include "gateway.hpp"

namespace {

using namespace matching;

int fail(const eddy::error& e) {
  std::fprintf(stderr, "matching: %s\n", e.message().c_str());
  return 1;
}

unsigned long long for_printf(std::uint64_t n) { return n; }

/// Settles trades; here it only prints them.
eddy::future<> settle(mpsc::receiver<trade> trades) {
  while (auto t = co_await trades.recv())
    std::printf("trade: #%llu with #%llu, %u at %lld\n", for_printf(t->taker), for_printf(t->maker),
                t->size, static_cast<long long>(t->at));
}

eddy::future<> stop_on_signal(eddy::sync::cancellation_token stop) {
  static_cast<void>(co_await eddy::attempt(eddy::signal::shutdown()));
  stop.cancel();
}

eddy::future<eddy::result<void>> match(engine& e, mpsc::receiver<request> requests,
                                       mpsc::sender<trade> trades,
                                       eddy::sync::cancellation_token stop) {
  const auto guard = stop.drop_guard();  // when the engine ends, the gateway stops too
  co_return co_await e.run(std::move(requests), std::move(trades));
}

eddy::future<int> serve(std::string journal_path, std::string address, bool durable) {
  auto opened = engine::open(journal_path);
  if (!opened) co_return fail(opened.error());
  opened->set_durable(durable);
  auto listener = co_await eddy::attempt(eddy::net::tcp_listener::bind(address));
  if (!listener) co_return fail(listener.error());
  const eddy::sync::cancellation_token stop;
  eddy::spawn(stop_on_signal(stop));
  co_await eddy::yield_now();  // lets stop_on_signal start listening
  std::printf("listening on %s\n", listener->local_addr().to_string().c_str());
  std::fflush(stdout);

  auto [requests, to_engine] = mpsc::channel<request>(1024);
  auto [trades, to_settlement] = mpsc::channel<trade>(1024);
  auto gateway = eddy::spawn(serve_clients(*std::move(listener), std::move(requests), stop));
  auto matching = eddy::spawn(match(*opened, std::move(to_engine), std::move(trades), stop));
  auto settlement = eddy::spawn(settle(std::move(to_settlement)));

  // In pipeline order: each stage ends when the previous one has ended and all that it sent is
  // done.
  const auto served = co_await gateway;
  const auto matched = co_await matching;
  co_await settlement;
  if (!served) co_return fail(served.error());
  if (!matched) co_return fail(matched.error());
  std::printf("%llu commands in the journal\n", for_printf(opened->commands()));
  co_return 0;
}

int print_book(const std::string& journal_path) {
  const auto opened = engine::open(journal_path);
  if (!opened) return fail(opened.error());
  std::printf("%llu commands\n%s", for_printf(opened->commands()),
              opened->book().to_text().c_str());
  return 0;
}

/// Returns an order near one price, so that some trade at once; one command in five is a
/// cancellation.
command random_command(std::minstd_rand& random, order_id last) {
  command c;
  if (last > 100 && random() % 5 == 0) {
    c.what = action::cancel;
    c.id = last - random() % 100;
  } else {
    c.what = random() % 2 == 0 ? action::buy : action::sell;
    c.at = 50'000 + static_cast<price>(random() % 101) - 50;
    c.size = static_cast<quantity>(1 + random() % 10);
  }
  return c;
}

eddy::future<> send_orders(std::uint64_t count, mpsc::sender<request> requests,
                           mpsc::sender<outcome> answers) {
  std::minstd_rand random(1);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto mine = answers;
    auto place = co_await std::move(mine).reserve_owned();
    request r{.what = random_command(random, i), .reply = std::move(place)};
    co_await requests.send(std::move(r));
  }
}

template <class T>
eddy::future<std::uint64_t> count_all(mpsc::receiver<T> from) {
  std::vector<T> some;
  std::uint64_t count = 0;
  while (co_await from.recv_many(some, 256) != 0) {
    count += some.size();
    some.clear();
  }
  co_return count;
}

eddy::future<int> bench(std::string journal_path, std::uint64_t count) {
  auto opened = engine::open(journal_path);
  if (!opened) co_return fail(opened.error());
  auto [requests, to_engine] = mpsc::channel<request>(1024);
  auto [trades, to_settlement] = mpsc::channel<trade>(1024);
  auto [answers, told] = mpsc::channel<outcome>(1024);
  const auto before = eddy::clock::now();
  const auto busy_before = std::clock();
  eddy::spawn(send_orders(count, std::move(requests), std::move(answers)));
  auto matching = eddy::spawn(opened->run(std::move(to_engine), std::move(trades)));
  auto settled = eddy::spawn(count_all(std::move(to_settlement)));
  const auto answered = co_await count_all(std::move(told));
  const auto outcome = co_await matching;
  if (!outcome) co_return fail(outcome.error());
  const auto settled_trades = co_await settled;
  const auto took = std::chrono::duration<double, std::nano>(eddy::clock::now() - before);
  const auto busy = static_cast<double>(std::clock() - busy_before) / CLOCKS_PER_SEC * 1e9;
  std::printf(
      "%llu orders and cancellations, %llu trades: %.0f ns each, %.0f of them on the processor\n",
      for_printf(answered), for_printf(settled_trades), took.count() / static_cast<double>(count),
      busy / static_cast<double>(count));
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  const auto command = args.empty() ? std::string_view() : args[0];
  if (command == "book" && args.size() == 2) return print_book(argv[2]);
  if (command == "serve" && (args.size() == 3 || (args.size() == 4 && args[3] == "--durable")))
    return eddy::run(serve(argv[2], argv[3], args.size() == 4));
  std::uint64_t count = 0;
  if (command == "bench" && args.size() == 3) {
    std::from_chars(args[2].data(), args[2].data() + args[2].size(), count);
    if (count != 0) return eddy::run(bench(argv[2], count));
  }
  std::fputs(
      "usage: matching serve JOURNAL ADDR [--durable]\n"
      "       matching book JOURNAL\n"
      "       matching bench JOURNAL ORDERS\n",
      stderr);
  return 2;
}
