#include <eddy/net/lookup.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/task/spawn_blocking.hpp>

#include "net/host_port.hpp"
#include "runtime/uv_codes.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace net {

namespace {

using addresses = std::vector<socket_address>;

error nothing_known_of(std::string_view host) {
  return error::system(eddy::detail::uv_code_of_eai(EAI_NONAME, 0), "lookup", host);
}

// On a blocking thread.
result<addresses> look_up_blocking(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // else every address comes once a type
  addrinfo* list = nullptr;
  errno = 0;
  if (const int eai = getaddrinfo(host.c_str(), nullptr, &hints, &list); eai != 0)
    return error::system(eddy::detail::uv_code_of_eai(eai, errno), "lookup", host);
  struct free_at_end {
    addrinfo* list;
    ~free_at_end() { freeaddrinfo(list); }
  } guard{list};
  addresses found;
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next) {
    auto address = socket_address::from_native(a->ai_addr, a->ai_addrlen);
    if (!address) continue;
    address.set_port(port);
    if (std::find(found.begin(), found.end(), address) == found.end()) found.push_back(address);
  }
  return found;
}

class system final : public resolver {
 public:
  future<result<addresses>> resolve(std::string host, std::uint16_t port) override {
    co_return co_await attempt(spawn_blocking(look_up_blocking, std::move(host), port));
  }
};

future<result<addresses>> look_up(std::string name, resolver* with) {
  const auto parts = eddy::detail::split_host_port(name, "lookup");
  if (!parts) co_return parts.error();
  if (auto numeric = socket_address::parse(parts->host, parts->port))
    co_return addresses(1, *numeric);
  auto found = co_await attempt(with->resolve(std::string(parts->host), parts->port));
  if (found && found->empty()) co_return nothing_known_of(parts->host);
  co_return found;
}

}  // namespace

resolver& system_resolver() noexcept {
  static system it;
  return it;
}

operation<addresses> lookup_host(std::string host_port) {
  return lookup_host(std::move(host_port), system_resolver());
}
operation<addresses> lookup_host(std::string host_port, resolver& with) {
  return operation<addresses>(look_up(std::move(host_port), &with));
}

}}}  // namespace eddy::EDDY_ABI::net
