#include "metrics.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace ticker {

namespace {

using namespace std::chrono_literals;

eddy::future<> answer(eddy::net::tcp_stream client, std::string body) {
  const auto response = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body;
  if (const auto sent = co_await eddy::attempt(client.write_all(response)); !sent) co_return;
  static_cast<void>(client.shutdown_write());
  // The request does not matter, but closing the connection before it was read would reset the
  // connection.
  std::array<char, 512> request;
  for (;;) {
    const auto n = co_await eddy::attempt(client.read(request));
    if (!n || *n == 0) co_return;
  }
}

}  // namespace

std::string to_text(const metrics& counts, const market& all) {
  std::size_t queued = 0;
  std::size_t longest = 0;
  for (const auto& each : all.all()) {
    queued += each.queued();
    longest = std::max(longest, each.queued());
  }
  const auto live = eddy::dump();
  std::string text;
  const auto add = [&text](const char* name, std::uint64_t value) {
    text += std::string(name) + ' ' + std::to_string(value) + '\n';
  };
  add("clients", counts.clients);
  add("clients_total", counts.clients_total);
  add("clients_dropped", counts.dropped);
  add("pairs", all.all().size());
  add("ticks", all.ticks());
  add("messages", all.messages());
  add("messages_missed", counts.missed);
  add("queue_length", queued);
  add("queue_longest", longest);
  add("tasks", static_cast<std::uint64_t>(std::count(live.begin(), live.end(), '\n')));
  add("loop_turns", counts.turns);
  return text;
}

eddy::future<eddy::result<void>> serve_metrics(eddy::net::tcp_listener listener,
                                               const metrics& counts, const market& all) {
  for (;;) {
    auto accepted = co_await eddy::or_return(listener.accept());
    eddy::spawn(
        [](eddy::net::tcp_stream client, std::string body) -> eddy::future<> {
          auto whole = answer(std::move(client), std::move(body));
          static_cast<void>(co_await eddy::attempt(eddy::timeout(2s, std::move(whole))));
        },
        std::move(accepted.stream), to_text(counts, all));
  }
}

}  // namespace ticker
