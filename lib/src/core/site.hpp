#pragma once

#include <string>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// "file.cpp:12" from a source location's word; "?" for null.
std::string describe_place(const void* site);
/// "fetch_price" from the word of a place inside that coroutine, without types and parameters; the
/// compilers spell it differently, so treat it as a label.
std::string describe_function(const void* site);

}}}  // namespace eddy::EDDY_ABI::detail
