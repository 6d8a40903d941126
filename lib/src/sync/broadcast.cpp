#include <eddy/sync/broadcast.hpp>

#include <bit>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template class broadcast_state<sync_memory>;

std::size_t broadcast_capacity(std::size_t n) {
  if (n == 0) misuse("a broadcast channel of capacity 0");
  if (n > (std::size_t{1} << 31)) misuse("a broadcast channel of more than 2^31 values");
  return std::bit_ceil(n);
}

}}}  // namespace eddy::EDDY_ABI::detail
