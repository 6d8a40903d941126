#pragma once

#include <string>
#include <vector>

#include <eddy/config.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/net/address.hpp>
#include <eddy/net/resolver.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// The addresses of "host:port", in the order to try them. A numeric address answers at once; a name is
/// asked of the system's resolver (getaddrinfo), on a blocking thread of eddy's own.
///
/// Cancel safety: the resolver cannot be recalled: it goes on by itself, its answer is dropped.
/// Errors: name the host, "lookup no.such.host: unknown node or service"; EINVAL for a text without a port (a
/// number; service names are not looked up).
operation<std::vector<socket_address>> lookup_host(std::string host_port);
/// The same, asking `with`. Lifetime: borrows it.
operation<std::vector<socket_address>> lookup_host(std::string host_port, resolver& with);

}}}  // namespace eddy::EDDY_ABI::net
