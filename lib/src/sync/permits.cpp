#include <eddy/sync/permits.hpp>

namespace eddy::inline EDDY_ABI::detail {

template class basic_permits<sync_memory>;

}  // namespace eddy::inline EDDY_ABI::detail
