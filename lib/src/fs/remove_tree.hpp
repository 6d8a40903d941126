#pragma once

#include <string>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Removes the directory `name` in `parent` (AT_FDCWD: anywhere) with all that is in it; 0 or an errno. `path`, which
/// names it, is the path of what could not be removed then.
int remove_tree(int parent, const char* name, std::string& path);

}}}  // namespace eddy::EDDY_ABI::detail
