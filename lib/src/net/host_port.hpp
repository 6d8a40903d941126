#pragma once

#include <cstdint>
#include <string_view>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct host_port {
  std::string_view host;  // without brackets
  std::uint16_t port = 0;
};

/// "example.org:80", "127.0.0.1:80", "[::1]:80". Errors: EINVAL, naming the text.
result<host_port> split_host_port(std::string_view text, const char* operation);

}}}  // namespace eddy::EDDY_ABI::detail
