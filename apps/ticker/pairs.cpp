#include "pairs.hpp"

#include <cctype>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>

#include <eddy/base/error.hpp>

namespace ticker {

namespace {

constexpr std::size_t longest_name = 32;
constexpr std::size_t most_made_up = 100'000;

std::vector<std::string> make_up(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    auto digits = std::to_string(i);
    names.push_back("S" + std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits +
                    "/USD");
  }
  return names;
}

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> names;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty() && line.front() != '#') names.push_back(line);
  }
  return names;
}

}  // namespace

bool is_pair_name(std::string_view name) {
  if (name.empty() || name.size() > longest_name) return false;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 &&
        std::string_view("/._-").find(c) == std::string_view::npos)
      return false;
  return true;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const auto comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

eddy::result<std::vector<std::string>> read_pairs(const std::string& text) {
  std::size_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed == std::errc{} && end == text.data() + text.size()) {
    if (count == 0 || count > most_made_up)
      return eddy::error::system(EINVAL, "pairs", "1 to " + std::to_string(most_made_up));
    return make_up(count);
  }
  std::error_code ignored;
  const bool file = std::filesystem::is_regular_file(text, ignored);
  auto names = file ? read_lines(text) : split_list(text);
  if (names.empty()) return eddy::error::system(EINVAL, "pairs: none in", text);
  std::set<std::string_view> seen;
  for (const auto& name : names) {
    if (!is_pair_name(name))
      return eddy::error::system(EINVAL, "pairs: not a name", "'" + name + "'");
    if (!seen.insert(name).second) return eddy::error::system(EEXIST, "pairs: twice", name);
  }
  return names;
}

}  // namespace ticker
