#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eddy/codec/framed_read.hpp>
#include <eddy/codec/json.hpp>
#include <eddy/eddy.hpp>
#include <eddy/stream/stream_map.hpp>

#include "market.hpp"
#include "metrics.hpp"
#include "protocol.hpp"
#include "subscription.hpp"

namespace ticker {

/// What a client may do. A client that exceeds a limit is told so, and waits or is dropped. Other
/// clients are not affected.
struct limits {
  std::size_t line_length = 4096;  // bytes per message
  std::uint32_t messages = 50;     // per second, and at once
  std::size_t subscriptions = 256;
  std::uint64_t missed = 10'000;        // after so many missed messages the client is dropped
  std::chrono::seconds write_time{10};  // after so long without reading the client is dropped
};

/// Serves one client: executes its commands and sends it its subscriptions. One task owns and runs
/// it.
class session {
 public:
  session(eddy::net::tcp_stream client, const market& all, metrics& counts, const limits& most);
  session(const session&) = delete;
  ~session();

  /// Serves until the client is gone or dropped, or `stop` is cancelled. On `stop` it tells the
  /// client first.
  eddy::future<> run(eddy::sync::cancellation_token stop);

 private:
  using key = std::pair<const listing*, feed>;
  using input = eddy::codec::framed_read<eddy::net::tcp_stream&, eddy::codec::json_lines<>>;
  using message = eddy::result<std::optional<nlohmann::json>>;

  bool on_message(message got);
  void execute(const nlohmann::json& request);
  void subscribe(const command& c);
  void unsubscribe(const command& c);
  bool on_updates();
  void complain(std::string_view why) { say(error_message(why, received_)); }
  void answer(nlohmann::json reply, const command& c);
  void say(const nlohmann::json& what);
  eddy::future<bool> flush();

  eddy::net::tcp_stream client_;
  const market* all_;
  metrics* counts_;
  limits most_;
  input input_;
  eddy::rate_limiter rate_;
  eddy::stream_map<key, subscription> subscriptions_;
  std::vector<std::pair<key, update>> updates_;
  std::string out_;             // sent before the next wait
  std::uint64_t received_ = 0;  // messages from the client
  std::uint64_t missed_ = 0;
  bool too_fast_ = false;  // nothing is read until the rate limiter allows it
};

}  // namespace ticker
