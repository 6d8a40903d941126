#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <eddy/base/result.hpp>

namespace ticker {

/// Returns the pairs that `text` names: a list "BTC/USD,ETH/USD", a file with one pair per line, or
/// a number of made-up pairs. Errors: a name is not a pair name, or occurs twice.
eddy::result<std::vector<std::string>> read_pairs(const std::string& text);

/// True if the name consists of 1 to 32 letters, digits and characters of "/._-".
bool is_pair_name(std::string_view name);

/// Splits a list at its commas.
std::vector<std::string> split_list(std::string_view text);

}  // namespace ticker
