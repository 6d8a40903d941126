#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/future.hpp>
#include <eddy/net/address.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// Turns host names into addresses. A program brings its own to ask another name service, to remember answers, or
/// to test what becomes of it when none comes; it is given to `lookup_host` and `tcp_stream::connect`.
///
/// Numeric addresses are not asked for.
/// Lifetime: what asks borrows it. A coroutine of `resolve` must not refer to `this` longer than it is awaited.
class resolver {
 public:
  virtual ~resolver() = default;
  /// The addresses of `host`, in the order to try them, each with `port`. Errors: should name the host; an empty
  /// answer counts as "unknown node or service".
  virtual future<result<std::vector<socket_address>>> resolve(std::string host,
                                                              std::uint16_t port) = 0;

 protected:
  resolver() = default;
  resolver(const resolver&) = default;
  resolver& operator=(const resolver&) = default;
};

/// The system's (getaddrinfo), on blocking threads of eddy's own.
resolver& system_resolver() noexcept;

}}}  // namespace eddy::EDDY_ABI::net
