#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <eddy/base/result.hpp>

namespace ticker {

/// The pairs that `text` names: a list "BTC/USD,ETH/USD", a file with a pair a line, or a number of made-up ones.
/// Errors: what is no `is_pair_name`, or twice there.
eddy::result<std::vector<std::string>> read_pairs(const std::string& text);

/// 1 to 32 letters, digits and "/._-".
bool is_pair_name(std::string_view name);

/// The parts of a list with commas.
std::vector<std::string> split_list(std::string_view text);

}  // namespace ticker
