#include <eddy/sync/notify.hpp>

namespace eddy::inline EDDY_ABI::detail {

template class basic_notify<sync_memory>;

}  // namespace eddy::inline EDDY_ABI::detail
