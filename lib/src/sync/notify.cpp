#include <eddy/sync/notify.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template class basic_notify<sync_memory>;

}}}  // namespace eddy::EDDY_ABI::detail
