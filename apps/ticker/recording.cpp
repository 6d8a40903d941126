// Reads a recording from its file.

#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <string_view>
#include <system_error>

#include <nlohmann/json.hpp>

#include "pairs.hpp"
#include "source.hpp"

namespace ticker {

namespace {

struct record {
  double time = 0;
  std::string pair;
  double price = 0;
  double size = 0;
  std::string side = "buy";
};

bool to_number(std::string_view text, double& out) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc{} && end == text.data() + text.size();
}

// Both parsers return null, or what is wrong with the line.

const char* parse_csv(std::string_view line, record& r) {
  const auto fields = split_list(line);
  if (fields.size() != 4 && fields.size() != 5) return "not time,pair,price,size[,side]";
  if (!to_number(fields[0], r.time)) return "the time is not a number";
  if (!to_number(fields[2], r.price)) return "the price is not a number";
  if (!to_number(fields[3], r.size)) return "the size is not a number";
  r.pair = fields[1];
  if (fields.size() == 5) r.side = fields[4];
  return nullptr;
}

const char* parse_json(std::string_view line, record& r) {
  const auto value = nlohmann::json::parse(line.begin(), line.end(), nullptr, false);
  if (!value.is_object()) return "not a JSON object";
  const auto number = [&value](const char* name, double& out) {
    const auto found = value.find(name);
    if (found == value.end() || !found->is_number()) return false;
    out = found->get<double>();
    return true;
  };
  const auto string = [&value](const char* name, std::string& out) {
    const auto found = value.find(name);
    if (found == value.end() || !found->is_string()) return false;
    out = found->get<std::string>();
    return true;
  };
  if (!number("time", r.time)) return "\"time\" is not a number";
  if (!string("pair", r.pair)) return "\"pair\" is not a string";
  if (!number("price", r.price)) return "\"price\" is not a number";
  if (!number("size", r.size)) return "\"size\" is not a number";
  if (value.contains("side") && !string("side", r.side)) return "\"side\" is not a string";
  return nullptr;
}

const char* check(const record& r) {
  if (!std::isfinite(r.time)) return "the time is not finite";
  if (!(std::isfinite(r.price) && r.price > 0)) return "the price is not above 0";
  if (!(std::isfinite(r.size) && r.size > 0)) return "the size is not above 0";
  if (r.side != "buy" && r.side != "sell") return "the side is neither buy nor sell";
  return nullptr;
}

}  // namespace

eddy::result<recording> recording::read(const std::string& path, double speed) {
  std::ifstream file(path);
  if (!file) return eddy::error::system(errno, "replay", path);
  recording out(speed);
  std::map<std::string, std::size_t, std::less<>> places;
  double first = 0;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || (number == 1 && line.starts_with("time"))) continue;
    record r;
    const char* fault = line.front() == '{' ? parse_json(line, r) : parse_csv(line, r);
    if (fault == nullptr) fault = check(r);
    if (fault == nullptr && out.entries_.empty()) first = r.time;
    if (fault == nullptr && !out.entries_.empty() && r.time - first < out.entries_.back().time)
      fault = "the time goes back";
    if (fault == nullptr && !is_pair_name(r.pair)) fault = "the pair is not a name";
    if (fault != nullptr)
      return eddy::error::system(EBADMSG, "replay",
                                 path + ":" + std::to_string(number) + ": " + fault);
    const auto [place, is_new] = places.try_emplace(r.pair, places.size());
    if (is_new) out.pairs_.push_back(r.pair);
    out.entries_.push_back({.time = r.time - first,
                            .what = {.pair = place->second,
                                     .price = r.price,
                                     .size = r.size,
                                     .what = r.side == "buy" ? side::buy : side::sell}});
  }
  if (out.entries_.empty()) return eddy::error::system(ENODATA, "replay: no ticks in", path);
  return out;
}

}  // namespace ticker
