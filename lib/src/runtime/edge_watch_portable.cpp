#include "runtime/edge_watch.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

edge_watch::~edge_watch() = default;
bool edge_watch::open(uv_loop_t*) noexcept { return false; }
int edge_watch::add(int, watched_descriptor&) noexcept { return UV_ENOSYS; }
void edge_watch::remove(int, watched_descriptor&) noexcept {}
void edge_watch::close() noexcept {}
void edge_watch::allow(bool) noexcept {}

}}}  // namespace eddy::EDDY_ABI::detail
