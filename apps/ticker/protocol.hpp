#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "market.hpp"

namespace ticker {

/// What a client asks for.
struct command {
  enum class kind : std::uint8_t { subscribe, unsubscribe, ping, pairs } what = kind::ping;
  std::vector<std::string> pairs;
  feed name = feed::ticker;
  std::optional<std::int64_t> reqid;  // comes back with the answer
};

/// Reads a command from a message. What is wrong with it and where; empty: nothing.
std::string parse(const nlohmann::json& message, command& out);

// Messages to clients.

nlohmann::json system_status(std::string_view status);
nlohmann::json subscription_status(std::string_view status, std::string_view pair, feed f);
nlohmann::json heartbeat();
nlohmann::json pong();
nlohmann::json list_of_pairs(const market& all);
nlohmann::json lag(std::string_view pair, feed f, std::uint64_t missed);
/// `message`: the number of the client's message that is meant, from 1.
nlohmann::json error_message(std::string_view why, std::uint64_t message);

/// The client's side: a request to subscribe.
nlohmann::json subscribe_request(const std::vector<std::string>& pairs, feed f);

}  // namespace ticker
