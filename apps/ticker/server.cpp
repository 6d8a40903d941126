#include "server.hpp"

#include <chrono>
#include <sys/socket.h>
#include <utility>

#include "pairs.hpp"

namespace ticker {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t burst = 64;  // ticks between two yields; well below what a channel keeps
// The size in bytes of a client's send buffer in the kernel. What waits in it goes stale, so it is
// small.
constexpr int send_buffer = 128 * 1024;
constexpr auto goodbye_time = 5s;  // how long the clients have when the server ends

eddy::future<> serve_client(eddy::net::tcp_stream client, const market& all, metrics& counts,
                            eddy::sync::cancellation_token stop) {
  static_cast<void>(client.set_nodelay(true));
  ::setsockopt(client.native_handle(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  session one(std::move(client), all, counts, limits());
  co_await one.run(std::move(stop));
}

}  // namespace

server::server(serve_options options, std::vector<std::string> pairs, source from)
    : options_(std::move(options)),
      market_(std::make_unique<market>(pairs)),
      counts_(std::make_unique<metrics>()),
      source_(std::move(from)) {}

eddy::result<server> server::make(serve_options options) {
  if (!options.replay.empty()) {
    auto recorded = recording::read(options.replay, options.speed);
    if (!recorded) return std::move(recorded).error();
    auto pairs = recorded->pairs();
    return server(std::move(options), std::move(pairs), *std::move(recorded));
  }
  auto pairs = read_pairs(options.symbols);
  if (!pairs) return std::move(pairs).error();
  random_walk walk(pairs->size(), options.rate, options.seed);
  return server(std::move(options), *std::move(pairs), std::move(walk));
}

eddy::future<eddy::result<eddy::net::socket_address>> server::start() {
  listener_ = co_await eddy::or_return(eddy::net::tcp_listener::bind(options_.bind));
  if (!options_.metrics.empty())
    metrics_listener_ = co_await eddy::or_return(eddy::net::tcp_listener::bind(options_.metrics));
  co_return listener_->local_addr();
}

std::optional<eddy::net::socket_address> server::metrics_address() const {
  if (!metrics_listener_) return std::nullopt;
  return metrics_listener_->local_addr();
}

eddy::future<> server::make_ticks() {
  for (;;) {
    auto due = std::visit([](auto& from) { return from.next(); }, source_);
    const auto some = co_await std::move(due);
    if (some.empty()) co_return;  // the recording is over; the latest quotes stay
    std::size_t published = 0;
    for (const auto& t : some) {
      market_->publish(t);
      // Otherwise a burst would fill a channel before any session could read.
      if (++published % burst == 0) co_await eddy::yield_now();
    }
  }
}

eddy::future<eddy::result<void>> server::accept_clients(eddy::sync::cancellation_token stop) {
  eddy::join_set<> clients;
  for (;;) {
    auto r = co_await eddy::attempt(stop.run_until_cancelled(listener_->accept()));
    if (!r) co_return std::move(r).error();
    if (!*r) break;
    while (clients.try_join_next()) {  // removes the sessions that have ended
    }
    clients.spawn(serve_client, std::move((**r).stream), std::cref(*market_), std::ref(*counts_),
                  stop);
  }
  listener_.reset();
  const auto deadline = eddy::clock::now() + goodbye_time;
  for (bool more = true; more;) {
    auto ended = co_await eddy::attempt(eddy::timeout_at(deadline, clients.join_next()));
    more = ended && ended->has_value();
  }
  co_await clients.shutdown();  // drops the clients that have not ended in time
  co_return eddy::result<void>();
}

eddy::future<eddy::result<void>> server::serve(eddy::sync::cancellation_token stop) {
  const eddy::abort_on_drop making(eddy::spawn(make_ticks()));
  std::optional<eddy::abort_on_drop<eddy::result<void>>> serving_metrics;
  if (metrics_listener_)
    serving_metrics.emplace(eddy::spawn(
        serve_metrics(*std::exchange(metrics_listener_, std::nullopt), *counts_, *market_)));
  co_return co_await accept_clients(std::move(stop));
}

}  // namespace ticker
