#include "io/transfer.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

error why_failed(readiness& io, direction kind, wait_result state, std::uint16_t tick,
                 const char* operation) noexcept {
  const int code = errno;
  if (code == EINTR) return {};
  if (!would_block(code)) return error::system(code, operation);
  if (state == wait_result::ended) return awaited_after_the_end(operation);
  io.clear(kind, tick);
  return {};
}

}}}  // namespace eddy::EDDY_ABI::detail
