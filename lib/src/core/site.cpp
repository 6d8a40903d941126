#include "core/site.hpp"

#include <bit>
#include <source_location>
#include <string_view>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {
std::source_location location(const void* site) noexcept {
  static_assert(sizeof(std::source_location) == sizeof(site));
  return std::bit_cast<std::source_location>(site);
}
}  // namespace

std::string describe_place(const void* site) {
  if (site == nullptr) return "?";
  const auto where = location(site);
  std::string_view file = where.file_name();
  if (const auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  return std::string(file) + ':' + std::to_string(where.line());
}

std::string describe_function(const void* site) {
  if (site == nullptr) return "?";
  std::string name = location(site).function_name();
  for (const std::string_view nameless : {"{anonymous}::", "(anonymous namespace)::"})
    for (auto at = name.find(nameless); at != name.npos; at = name.find(nameless, at))
      name.erase(at, nameless.size());
  // clang writes "type qualified::name(parameters) const [T = type]", g++, from inside a coroutine,
  // "void qualified::name(type-of-its-frame)".
  if (const auto arguments = name.rfind(" ["); arguments != name.npos && name.back() == ']')
    name.erase(arguments);
  if (auto at = name.rfind(')'); at != name.npos) {
    for (std::size_t depth = 1; depth != 0 && at != 0;) {
      --at;
      if (name[at] == ')') ++depth;
      if (name[at] == '(') --depth;
    }
    name.erase(at);
  }
  for (const std::string_view lambda : {"<lambda", "(anonymous class)", "(lambda at"})
    if (name.find(lambda) != name.npos) return "lambda";
  std::size_t depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<' || name[i] == '(') ++depth;
    if ((name[i] == '>' || name[i] == ')') && depth > 0) --depth;
    if ((name[i] == ' ' || name[i] == '*' || name[i] == '&') && depth == 0) start = i + 1;
  }
  name.erase(0, start);
  return name.empty() ? "?" : name;
}

}}}  // namespace eddy::EDDY_ABI::detail
