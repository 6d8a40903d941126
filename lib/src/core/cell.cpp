#include <eddy/core/detail/cell.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template class basic_cell_base<shared_memory>;
#if !EDDY_POOL
template class basic_cell_base<loop_memory>;
#endif

}}}  // namespace eddy::EDDY_ABI::detail
