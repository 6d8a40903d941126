#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "market.hpp"

namespace ticker {

/// A client's request.
struct command {
  enum class kind : std::uint8_t { subscribe, unsubscribe, ping, pairs } what = kind::ping;
  std::vector<std::string> pairs;
  feed name = feed::ticker;
  std::optional<std::int64_t> reqid;  // repeated in the answers
};

/// Parses a message into a command. Returns an empty string, or what is wrong with the message and
/// where.
std::string parse(const nlohmann::json& message, command& out);

// Messages to clients.

nlohmann::json system_status(std::string_view status);
nlohmann::json subscription_status(std::string_view status, std::string_view pair, feed f);
nlohmann::json heartbeat();
nlohmann::json pong();
nlohmann::json list_of_pairs(const market& all);
nlohmann::json lag(std::string_view pair, feed f, std::uint64_t missed);
/// Makes an error about the client's message with that number; the first message has number 1.
nlohmann::json error_message(std::string_view why, std::uint64_t message);

/// Makes a client's request to subscribe.
nlohmann::json subscribe_request(const std::vector<std::string>& pairs, feed f);

}  // namespace ticker
