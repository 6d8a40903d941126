#include "protocol.hpp"

namespace ticker {

namespace {

using nlohmann::json;

std::string wrong(const char* where, const char* wanted, const json& found) {
  return std::string(where) + ": " + wanted + ", not " + found.type_name();
}

std::string parse_pairs(const json& message, command& out) {
  const auto found = message.find("pair");
  if (found == message.end()) return "\"pair\" is missing";
  if (!found->is_array()) return wrong("\"pair\"", "a list of names", *found);
  if (found->empty()) return "\"pair\": the list is empty";
  for (std::size_t i = 0; i < found->size(); ++i) {
    const auto& name = (*found)[i];
    const auto where = "\"pair\"[" + std::to_string(i) + "]";
    if (!name.is_string()) return wrong(where.c_str(), "a name", name);
    out.pairs.push_back(name.get<std::string>());
  }
  return {};
}

std::string parse_feed(const json& message, command& out) {
  const auto found = message.find("subscription");
  if (found == message.end()) return "\"subscription\" is missing";
  if (!found->is_object()) return wrong("\"subscription\"", "an object", *found);
  const auto name = found->find("name");
  if (name == found->end()) return "\"subscription\": \"name\" is missing";
  if (!name->is_string()) return wrong("\"subscription\".\"name\"", "a string", *name);
  for (const auto f : {feed::ticker, feed::trade}) {
    out.name = f;
    if (*name == name_of(f)) return {};
  }
  return "\"subscription\".\"name\": neither ticker nor trade";
}

}  // namespace

std::string parse(const json& message, command& out) {
  if (!message.is_object()) return wrong("the message", "an object", message);
  const auto event = message.find("event");
  if (event == message.end()) return "\"event\" is missing";
  if (!event->is_string()) return wrong("\"event\"", "a string", *event);
  if (const auto id = message.find("reqid"); id != message.end()) {
    if (!id->is_number_integer()) return wrong("\"reqid\"", "a whole number", *id);
    out.reqid = id->get<std::int64_t>();
  }
  if (*event == "ping" || *event == "pairs") {
    out.what = *event == "ping" ? command::kind::ping : command::kind::pairs;
    return {};
  }
  if (*event != "subscribe" && *event != "unsubscribe")
    return "\"event\": none of subscribe, unsubscribe, ping, pairs";
  out.what = *event == "subscribe" ? command::kind::subscribe : command::kind::unsubscribe;
  auto fault = parse_pairs(message, out);
  return fault.empty() ? parse_feed(message, out) : fault;
}

json system_status(std::string_view status) {
  return {{"event", "systemStatus"}, {"status", status}};
}

json subscription_status(std::string_view status, std::string_view pair, feed f) {
  return {{"event", "subscriptionStatus"},
          {"status", status},
          {"pair", pair},
          {"subscription", {{"name", name_of(f)}}}};
}

json heartbeat() { return {{"event", "heartbeat"}}; }

json pong() { return {{"event", "pong"}}; }

json list_of_pairs(const market& all) {
  auto names = json::array();
  for (const auto& each : all.all()) names.push_back(each.name());
  return {{"event", "pairs"}, {"pair", std::move(names)}};
}

json lag(std::string_view pair, feed f, std::uint64_t missed) {
  return {{"event", "lag"},
          {"pair", pair},
          {"subscription", {{"name", name_of(f)}}},
          {"missed", missed}};
}

json error_message(std::string_view why, std::uint64_t message) {
  return {{"event", "error"}, {"errorMessage", why}, {"message", message}};
}

json subscribe_request(const std::vector<std::string>& pairs, feed f) {
  return {{"event", "subscribe"}, {"pair", pairs}, {"subscription", {{"name", name_of(f)}}}};
}

}  // namespace ticker
