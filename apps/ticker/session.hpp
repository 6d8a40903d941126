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

/// What a client may do. Beyond it, it is told so, and waits or is dropped; nobody else notices.
struct limits {
  std::size_t line_length = 4096;  // bytes of a message
  std::uint32_t messages = 50;     // a second, and at once
  std::size_t subscriptions = 256;
  std::uint64_t missed = 10'000;        // messages missed for slowness, then it is dropped
  std::chrono::seconds write_time{10};  // without reading what it is sent, then it is dropped
};

/// One client: reads its commands and sends it what it has subscribed to. One task, which owns all of it.
class session {
 public:
  session(eddy::net::tcp_stream client, const market& all, metrics& counts, const limits& most);
  session(const session&) = delete;
  ~session();

  /// Until the client goes, is dropped, or `stop`; then it is told so first.
  eddy::future<> run(eddy::sync::cancellation_token stop);

 private:
  using key = std::pair<const listing*, feed>;
  using input = eddy::codec::framed_read<eddy::net::tcp_stream&, eddy::codec::json_lines<>>;
  using message = eddy::result<std::optional<nlohmann::json>>;

  bool on_message(message got);
  void execute(const nlohmann::json& text);
  void subscribe(const command& c);
  void unsubscribe(const command& c);
  bool on_updates();
  void complain(std::string_view why) { say(error_message(why, heard_)); }
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
  std::string out_;          // goes out before the next wait
  std::uint64_t heard_ = 0;  // messages of the client's
  std::uint64_t missed_ = 0;
  bool too_fast_ = false;  // it is not read from until its rate allows
};

}  // namespace ticker
