#include "load.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client.hpp"
#include "protocol.hpp"

namespace ticker {

namespace {

using namespace std::chrono_literals;

struct shared_state {
  report totals;
  std::size_t unanswered = 0;  // subscriptions that the server has not confirmed yet
  eddy::sync::notify subscribed;
  bool measuring = false;
};

/// Returns the message's age in nanoseconds. Assumes that the clocks of client and server agree.
std::uint64_t age_of(const nlohmann::json& message) {
  using namespace std::chrono;
  const auto now = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  const auto age = static_cast<double>(now) - number_of(message, "time");
  return age > 0 ? static_cast<std::uint64_t>(age * 1000) : 0;
}

eddy::future<eddy::result<void>> listen(client one, shared_state& shared) {
  for (;;) {
    const auto message = co_await eddy::or_return(one.next());
    const auto event = event_of(message);
    if (event == "subscriptionStatus") {
      if (text_of(message, "status") != "subscribed")
        co_return eddy::error::system(EPROTO, "subscribe", text_of(message, "errorMessage"));
      if (--shared.unanswered == 0) shared.subscribed.notify_one();
    } else if (event == "error") {
      co_return eddy::error::system(EPROTO, "the server says", text_of(message, "errorMessage"));
    } else if (event == "lag" && shared.measuring) {
      ++shared.totals.lags;
      shared.totals.missed += static_cast<std::uint64_t>(number_of(message, "missed"));
    } else if (event == "ticker" && shared.measuring && !message.contains("snapshot")) {
      shared.totals.latency.record(age_of(message));
      ++shared.totals.messages;
    }
  }
}

eddy::future<eddy::result<std::vector<std::string>>> pairs_of(std::string address) {
  auto one = co_await eddy::or_return(client::connect(std::move(address)));
  const nlohmann::json ask{{"event", "pairs"}};
  co_await eddy::or_return(one.send(ask));
  const auto answer = co_await eddy::or_return(one.next("pairs"));
  std::vector<std::string> names;
  for (const auto& name : answer["pair"])
    if (name.is_string()) names.push_back(name.get<std::string>());
  if (names.empty()) co_return eddy::error::system(EPROTO, "pairs", "the server has none");
  co_return names;
}

using listeners = eddy::join_set<eddy::result<void>>;

eddy::future<eddy::result<void>> connect_all(const load_options& options, listeners& all,
                                             shared_state& shared) {
  const auto pairs = co_await eddy::or_return(pairs_of(options.connect));
  const auto share = std::min(options.pairs, pairs.size());
  // All clients connect before the first one subscribes, so that the first clients' messages do not
  // slow the connecting of the rest.
  std::vector<client> connected;
  for (std::size_t i = 0; i < options.clients; ++i) {
    auto one = co_await eddy::or_return(client::connect(options.connect));
    connected.push_back(std::move(one));
  }
  shared.unanswered = options.clients * share;
  std::size_t place = 0;
  for (auto& one : connected) {
    std::vector<std::string> mine;
    while (mine.size() < share) mine.push_back(pairs[place++ % pairs.size()]);
    auto request = subscribe_request(mine, feed::ticker);
    co_await eddy::or_return(one.send(std::move(request)));
    all.spawn(listen, std::move(one), std::ref(shared));
  }
  co_return eddy::result<void>();
}

eddy::future<> measure(shared_state& shared, std::chrono::milliseconds time) {
  co_await shared.subscribed.notified();
  co_await eddy::sleep(100ms);  // lets the clients read what has piled up
  shared.measuring = true;
  const auto start = eddy::clock::now();
  co_await eddy::sleep(time);
  shared.measuring = false;
  shared.totals.seconds = std::chrono::duration<double>(eddy::clock::now() - start).count();
}

}  // namespace

eddy::future<eddy::result<report>> run_load(load_options options) {
  const auto shared = std::make_unique<shared_state>();  // the listeners refer to it, and end first
  listeners all;
  co_await eddy::or_return(connect_all(options, all, *shared));
  auto r = co_await eddy::select(measure(*shared, options.duration), all.join_next());
  if (auto* const failed = r.get_if<1>()) {
    const auto& ended = **failed;  // the set is not empty, so there is an outcome
    if (!ended.has_value()) co_return ended.error();
    co_return ended->error();
  }
  co_await all.shutdown();
  co_return std::move(shared->totals);
}

void print_report(const report& r, const load_options& options) {
  const auto us = [&](double share) {
    return static_cast<double>(r.latency.percentile(share)) / 1000;
  };
  const auto max = static_cast<double>(r.latency.max()) / 1000;
  const auto for_printf = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  const auto rate = static_cast<double>(r.messages) / r.seconds;
  if (options.json) {
    std::printf(
        "{\"clients\": %zu, \"seconds\": %.3f, \"messages\": %llu, \"messages_per_second\": %.1f, "
        "\"lags\": %llu, \"missed\": %llu, \"latency_us\": {\"p50\": %.1f, \"p90\": %.1f, "
        "\"p99\": %.1f, \"p99.9\": %.1f, \"max\": %.1f}}\n",
        options.clients, r.seconds, for_printf(r.messages), rate, for_printf(r.lags),
        for_printf(r.missed), us(0.5), us(0.9), us(0.99), us(0.999), max);
    return;
  }
  std::printf("%llu messages to %zu clients in %.2f s: %.0f per second, %llu missed\n",
              for_printf(r.messages), options.clients, r.seconds, rate, for_printf(r.missed));
  std::printf(
      "  tick to receipt: p50 %.0f us, p90 %.0f us, p99 %.0f us, p99.9 %.0f us, max %.0f us\n",
      us(0.5), us(0.9), us(0.99), us(0.999), max);
}

}  // namespace ticker
